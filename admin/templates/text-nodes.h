#ifndef PORTCULLIS_TEXT_NODES_H
#define PORTCULLIS_TEXT_NODES_H

#include <glib.h>

#include "text-template.h"

/* What the parser makes of texts: private to the text-*.c files. */

enum node_type {
	NODE_TEXT,
	NODE_VALUE,
	NODE_IF,
	NODE_EACH,
	NODE_BLOCK,
	NODE_INCLUDE,
	NODE_INSERT, /* the section that a placeholder stands for */
};

struct node {
	enum node_type type;
	unsigned int line;
	char *text;            /* NODE_TEXT; NODE_INCLUDE: the section */
	unsigned int index;    /* of a loop with NODE_EACH, else of a name */
	enum text_block block; /* NODE_BLOCK */
	struct node *body;
	struct node *otherwise; /* behind {else} */
	struct node *next;
};

/* One "[name]" of a file. */
struct text_section {
	char *name;
	char *file;
	unsigned int line;
	bool has_head;
	struct node *head;
	struct node *nodes;
	bool used;
	bool open; /* while it is checked: to find circles */
};

/* A word of the vocabulary in this language. */
struct text_phrase {
	struct node *nodes; /* NULL: there is none yet */
	char **names;       /* NULL unless it is names */
};

struct text_sections {
	const struct text_vocabulary *vocabulary;
	GHashTable *by_name;
	struct text_phrase *phrases; /* one for each word of the vocabulary */
	GPtrArray *memory;           /* all that the parser allocated */
	GHashTable *said;            /* mistakes that were reported */
};

void *text_allocate(struct text_sections *sections, size_t size);
char *text_keep(struct text_sections *sections, const char *text);

/* What the vocabulary has of this spelling, and its index; NULL or false when there is
   nothing. */
const struct text_name *text_find_name(const struct text_vocabulary *vocabulary, const char *text,
				       unsigned int *index_r);
bool text_find_loop(const struct text_vocabulary *vocabulary, const char *text,
		    unsigned int *index_r);
const struct text_word *text_find_word(const struct text_vocabulary *vocabulary, const char *key,
				       unsigned int *index_r);

/* "rule, sighting"; the caller frees it with g_free(). */
char *text_loop_list(const struct text_vocabulary *vocabulary);

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

/* The lines of a file, and how far they were read. */
struct text_lines {
	char **list;       /* NULL behind the last one */
	unsigned int next; /* index of the next one, and the number of the one before */
};

/* At the end of the file, or before the name of the next section. */
bool text_lines_end_section(const struct text_lines *lines);
/* Nothing but blanks, or a comment. */
bool text_line_is_empty(const char *line);

/* Reads on to the end of the section. */
struct node *text_parse_section(struct text_reporter *reporter, struct text_lines *lines);
/* The text of a head or of a word, which stands in that line. */
struct node *text_parse_line(struct text_reporter *reporter, unsigned int line, const char *text);

/* Whether all has a meaning in these places. */
void text_check_nodes(struct text_reporter *reporter, const struct node *nodes, text_places places);

#endif
