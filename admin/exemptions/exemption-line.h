#ifndef PORTCULLIS_EXEMPTION_LINE_H
#define PORTCULLIS_EXEMPTION_LINE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/exemption.h"

/* A line of the file of exemptions, taken apart and put together; its format
   stands in portcullis.conf(5). */

/* Where the parts of a line stand, as offsets. */
struct exemption_line {
	size_t user, user_end;
	size_t rules, rules_end;
	size_t dates, dates_end;
	size_t comment, end; /* behind the '#' and its blanks; end: there is none */
};

/* False when a line has no exemption. Whether the exemption is right, only
   exemptions_load() says. */
bool exemption_line_split(const char *text, size_t length, struct exemption_line *line_r);

/* What somebody is to be let off. */
struct exemption_wish {
	time_t begin, end;
	char *dates;          /* as they stand in a line */
	char *rules;          /* likewise */
	GArray *entries;      /* of struct exemption: what exemptions_load() is to make of it */
	GPtrArray *countries; /* of GArray: those of the entries */
};

/* Reads titles, or TITLE=CC, between commas; countries, if not NULL, between commas
   too, are added to all rules of kind country among them. first may be NULL. False
   with *error_r allocated (g_free() it) when something is wrong. Free it also then. */
bool exemption_wish_read(struct exemption_wish *wish_r, const struct policy *policy,
			 const char *rules, const char *countries, const char *first,
			 const char *last, char **error_r);
void exemption_wish_free(struct exemption_wish *wish);

/* Whether somebody with these exemptions is let off already. */
bool exemption_wish_is_granted(const struct exemption_wish *wish,
			       const struct exemption *exemptions, size_t count, time_t now);

bool exemptions_are_equal(const struct exemption *a, const struct exemption *b);

/* Whether a name can stand in the file: it has no blanks, for instance. */
bool exemption_user_is_writable(const char *user);

/* Appends the line, newline included. reason may be NULL. */
void exemption_line_append(GString *text, const char *user, const struct exemption_wish *wish,
			   const char *reason);

/* What is left of the rules of a line without some rules of the policy, a bit
   each; the caller frees it with g_free(). */
char *exemption_rules_without(const char *rules, size_t length, const struct policy *policy,
			      uint64_t without);

#endif
