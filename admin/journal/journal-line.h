#ifndef PORTCULLIS_JOURNAL_LINE_H
#define PORTCULLIS_JOURNAL_LINE_H

#include <jansson.h>

#include "admin/store/store.h"

/* A line of the journal, read. */
struct journal_line {
	json_t *root;
	/* Of the first and the last of count, in milliseconds since 1970, UTC. */
	int64_t time, until;
	const char *host;
	struct store_habit habit;
	const char *user;
	bool verified;
	bool rejected;
	struct address client;
	struct store_rule_set rule_set;
	struct store_broken_rule rules[RULES_MAX];
	uint64_t count;
	uint64_t lost;
	const char *edition; /* "" where it is that of the line before */
};

/* Reads a line without its newline. Keys that are not known are passed over:
   later versions may write them. A line that lacks one of those that every
   version writes is none. False with *error_r set to a static text that holds
   nothing of the line. Strings live until journal_line_free(); the structs point
   into each other, so they must stay where they are. */
bool journal_line_parse(const char *text, size_t length, struct journal_line *line_r,
			const char **error_r);
void journal_line_free(struct journal_line *line);

/* Whether it counts attempts of strangers without saying whose they were, because there
   were too many. */
bool journal_line_names_nobody(const struct journal_line *line);

/* RFC 3339 with any number of digits behind the second. */
bool journal_time_parse(const char *text, int64_t *time_r);

#endif
