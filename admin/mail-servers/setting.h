#ifndef PORTCULLIS_SETTING_H
#define PORTCULLIS_SETTING_H

#include <glib.h>
#include <stdbool.h>

/* Settings as doveconf prints them: "name = value", or a section "name title {" of others. */
struct setting {
	char *name;
	char *value;         /* a section's title; never NULL */
	GPtrArray *settings; /* of struct setting; NULL: it is no section */
};

enum setting_line { SETTING_NOTHING, SETTING_VALUE, SETTING_SECTION, SETTING_END };

/* What a line is, and its name and value, without their quotes, if it has them: both in the line,
   which is changed. */
enum setting_line setting_split(char *line, char **name_r, char **value_r);

/* A section without name, of all that a text has; what is no setting is passed over. */
struct setting *setting_parse(const char *text);
void setting_free(struct setting *setting);

/* The first of a name in a section; NULL: there is none. */
const struct setting *setting_find(const struct setting *section, const char *name);

/* Its value; "" where there is none. */
const char *setting_value(const struct setting *section, const char *name);
bool setting_is_yes(const struct setting *section, const char *name);

/* What a list names, in its order: "name = a b", or a section of "a = yes". Ends with NULL; the
   caller frees it with g_strfreev(). */
char **setting_list(const struct setting *section, const char *name);

#endif
