#ifndef PORTCULLIS_TEXT_TEMPLATE_H
#define PORTCULLIS_TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/config.h"

/* Texts with placeholders, conditions and loops, as portcullis-notices(5) has
   them: parsed once, rendered often. What they are about is the caller's matter,
   who says in a vocabulary what may stand in them. */

/* Where in a text something has a meaning: bits that the vocabulary chooses. */
typedef unsigned int text_places;

/* A placeholder. */
struct text_name {
	const char *spelling;
	text_places places; /* has a value in any of them */
	/* NULL: it stands for its value. Otherwise for the section that its value
	   names, on a line of its own; names of such sections begin with this. */
	const char *sections;
};

/* What {each ...} goes through. */
struct text_loop {
	const char *spelling;
	text_places places; /* may stand in any of them */
	text_places inside; /* what it adds to them for what it encloses */
};

/* A line "key = text" of the section for words. */
struct text_word {
	const char *key;
	text_places places; /* of the placeholders that it may hold */
	unsigned int names; /* it is so many names with blanks between; 0: a text */
	/* It may be missing, and is "" then: texts of before it was known stay as good as
	   they were. */
	bool optional;
};

/* Its arrays are constant. An index in one of them stands for what is there. */
struct text_vocabulary {
	const struct text_name *names;
	unsigned int name_count;
	const struct text_loop *loops;
	unsigned int loop_count;
	const struct text_word *words;
	unsigned int word_count;
	const char *word_section;
	/* What a first line "WORD: text" of a section may begin with; the last is NULL. */
	const char *const *heads;
};

enum text_block {
	TEXT_PARAGRAPH,
	TEXT_HEADING,
	TEXT_SUBHEADING,
	TEXT_ITEM,
	TEXT_NUMBERED_ITEM,
};

/* All sections and words of one language. */
struct text_sections;

/* Where the values come from. */
struct text_source {
	/* One for each name of the vocabulary, of UTF-8 that is fit for one line. One that
	   is NULL or "" is not there: {if} is false for it. */
	const char **values;
	/* Sets the values for one turn of a loop; false when there is none. */
	bool (*select)(struct text_source *source, unsigned int loop, size_t turn);
};

/* Where rendered blocks go, each a line of UTF-8 however long. */
struct text_writer {
	void (*write)(struct text_writer *writer, enum text_block block, const char *text);
};

/* The vocabulary is borrowed. */
struct text_sections *text_sections_create(const struct text_vocabulary *vocabulary);
void text_sections_free(struct text_sections *sections);

/* Adds the sections and words of a file that are not there yet, so the file that
   counts more comes first. Reports mistakes as "FILE:LINE: ..."; false when there
   were any. */
bool text_sections_add(struct text_sections *sections, const char *file, const char *text,
		       config_report *error, void *context);

bool text_sections_has(const struct text_sections *sections, const char *name);
bool text_sections_has_word(const struct text_sections *sections, unsigned int word);

/* Checks a section and what it includes for use in these places: that placeholders have
   a value there, that included sections exist and do not include themselves, and, unless
   head is NULL, that it has a first line, which the report calls by that word. Reports
   mistakes that were not reported yet. False when there were mistakes, or there is no
   such section. */
bool text_sections_check(struct text_sections *sections, const char *name, text_places places,
			 const char *head, config_report *error, void *context);

/* Reports sections of a file that no check came by: nothing uses them. False when there are
   any. */
bool text_sections_check_unused(struct text_sections *sections, const char *file,
				config_report *error, void *context);

/* What follows is for what was checked: sections without mistakes, and words that are there. */

void text_sections_render(const struct text_sections *sections, const char *name,
			  struct text_source *source, struct text_writer *writer);

/* The text of a section's first line; the caller frees it with g_free(). */
char *text_sections_head(const struct text_sections *sections, const char *name,
			 struct text_source *source);

/* The caller frees it with g_free(). */
char *text_sections_word(const struct text_sections *sections, unsigned int word,
			 struct text_source *source);

/* As many as the vocabulary wants of this word. Borrowed. */
const char *const *text_sections_names(const struct text_sections *sections, unsigned int word);

#endif
