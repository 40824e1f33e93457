#ifndef PORTCULLIS_LOG_EXAMPLES_H
#define PORTCULLIS_LOG_EXAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Lines that were not understood: an example of each kind, and how many of that kind there
   were. Lines are of one kind where only numbers and what stands in brackets differ. */
struct log_example {
	char *text; /* what a stranger may have chosen; the ids of sessions are left out */
	uint64_t count;
};

struct log_examples {
	GArray *examples; /* of struct log_example, as they came; only so many */
	GHashTable *kinds;
	uint64_t others; /* lines of further kinds */
};

void log_examples_init(struct log_examples *examples_r);
void log_examples_clear(struct log_examples *examples);

void log_examples_add(struct log_examples *examples, const char *text, size_t length);

#endif
