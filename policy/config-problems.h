#ifndef PORTCULLIS_CONFIG_PROBLEMS_H
#define PORTCULLIS_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

/* Reports "FILE:LINE: TEXT", or "FILE: TEXT" when the line is 0. */
void config_report_at(config_report *report, void *context, const char *file, unsigned int line,
		      const char *text);

struct config_problem {
	unsigned int line;
	unsigned int order; /* in which it was found */
	bool is_error;
	bool syntax;
	char *text;
};

/* What is wrong with a file, collected so that it can be told in the order of
   the file whatever order it was found in. */
struct config_problems {
	const char *file; /* borrowed */
	struct config_problem *list;
	size_t count;
	size_t errors;
	/* What is found now is how statements are written, not yet what they say. */
	bool syntax;
	bool out_of_memory;
};

/* Line 0 stands for the file as a whole. Control characters become "?", so that a
   problem is told on one line. */
void config_error(struct config_problems *problems, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void config_warning(struct config_problems *problems, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes that memory ran out, which is an error too. */
void config_out_of_memory(struct config_problems *problems);

/* Like strdup(); notes it when memory runs out. */
char *config_strdup(struct config_problems *problems, const char *text);

bool config_has_errors(const struct config_problems *problems);

/* Tells everything, in the order of the file, and frees it. Of a line that is not
   written as it should be, that is all: what else seems wrong there may follow from it. */
void config_problems_report(struct config_problems *problems, config_report *error,
			    config_report *warning, void *context);

#endif
