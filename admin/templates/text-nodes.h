#ifndef PORTCULLIS_TEXT_NODES_H
#define PORTCULLIS_TEXT_NODES_H

#include <glib.h>

#include "text-template.h"

/* What the parser makes of texts: private to the text-*.c files. */

enum piece_type { PIECE_TEXT, PIECE_VALUE, PIECE_IF };

struct text_pieces {
	enum piece_type type;
	unsigned int line;
	char *text;          /* PIECE_TEXT */
	enum text_name name; /* PIECE_VALUE, PIECE_IF */
	struct text_pieces *body;
	struct text_pieces *otherwise;
	struct text_pieces *next;
};

enum node_type { NODE_BLOCK, NODE_IF, NODE_EACH, NODE_INCLUDE, NODE_CHANGE, NODE_STEPS };

struct node {
	enum node_type type;
	unsigned int line;
	enum text_block block;
	struct text_pieces *pieces;
	enum text_name name;
	enum text_loop loop;
	char *include;
	struct node *body;
	struct node *otherwise;
	struct node *next;
};

struct text_section {
	char *name;
	char *file;
	unsigned int line;
	bool has_head;
	struct text_pieces *head;
	struct node *nodes;
	bool used;
	bool open; /* while it is checked: to find circles */
};

struct text_sections {
	GHashTable *by_name;
	GPtrArray *memory; /* all that the parser allocated */
	GHashTable *said;  /* mistakes that were reported */
};

/* Reports mistakes of one file, each once: a section can be come by many times. */
struct text_reporter {
	struct text_sections *sections;
	const char *file;
	config_report *error;
	void *context;
	bool failed;
};

void text_mistake(struct text_reporter *reporter, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sections that {change} and {steps} stand for begin with this. */
#define TEXT_CHANGE_PREFIX "change-"
#define TEXT_STEPS_PREFIX "steps-"

const char *text_name_spelling(enum text_name name);
unsigned int text_name_places(enum text_name name);
bool text_name_find(const char *text, enum text_name *name_r);

const char *text_loop_spelling(enum text_loop loop);
unsigned int text_loop_places(enum text_loop loop);
bool text_loop_find(const char *text, enum text_loop *loop_r);

/* Parses the pieces of a line. */
struct text_pieces *text_line_parse(struct text_sections *sections, struct text_reporter *reporter,
				    unsigned int line, const char *text);

/* True for words in braces that need a line of their own: "each rule". */
bool text_is_structure(const char *word);

void *text_allocate(struct text_sections *sections, size_t size);
char *text_keep(struct text_sections *sections, const char *text, size_t length);

#endif
