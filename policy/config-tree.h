#ifndef PORTCULLIS_CONFIG_TREE_H
#define PORTCULLIS_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum config_type { CONFIG_VALUE, CONFIG_LIST, CONFIG_SECTION, CONFIG_TITLED_SECTION };

/* What may stand in a section. A table of them ends with one that has no name. Only
   sections with a title may stand several times. */
struct config_option {
	const char *name;
	enum config_type type;
	const struct config_option *options; /* of a section: what may stand in it */
};

/* A value as it is meant, without quotes. */
struct config_value {
	const char *text;
	unsigned int line;
};

struct config_key {
	unsigned int line; /* 0: it is not set */
	bool malformed;    /* set to what could not be read, which was reported */
	struct config_value *values;
	size_t value_count;
};

/* A section of a file, or the whole file. */
struct config_section {
	const struct config_option *option;
	const char *title; /* "" without one */
	unsigned int line;
	bool malformed;          /* a statement in it could not be read, which was reported */
	struct config_key *keys; /* one for each of option->options, in that order */
	struct config_section *sections; /* those in it, in the order of the file */
	struct config_section *next;
};

/* NULL when out of memory. The option and the title are borrowed. */
struct config_section *config_section_create(const struct config_option *option, const char *title,
					     unsigned int line);
/* Frees the sections in it, too. */
void config_section_free(struct config_section *section);

/* NULL where nothing of that name may stand. */
const struct config_option *config_find_option(const struct config_section *section,
					       const char *name);
/* NULL where no key of that name may stand. */
struct config_key *config_find_key(const struct config_section *section, const char *name);
/* False when out of memory. The text is borrowed. */
bool config_key_add(struct config_key *key, const char *text, unsigned int line);

/* The first section of that name among these, which are list->next to one another. */
const struct config_section *config_find_section(const struct config_section *list,
						 const char *name);

/* The functions below ask a section for a key. One that is NULL has none. */

bool config_is_set(const struct config_section *section, const char *key);
/* Whether a key is not set, nor any statement malformed that may have been meant to. */
bool config_lacks(const struct config_section *section, const char *key);
size_t config_value_count(const struct config_section *section, const char *key);
/* NULL when the key is not set, or set to less values. */
const struct config_value *config_value(const struct config_section *section, const char *key,
					size_t index);
/* The line where the key stands, or where the section does when it is not set; the
   section is not NULL. */
unsigned int config_line(const struct config_section *section, const char *key);

#endif
