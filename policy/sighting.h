#ifndef PORTCULLIS_SIGHTING_H
#define PORTCULLIS_SIGHTING_H

#include "judge.h"

/* An attempt and what became of it, as one line of the journal. */
struct sighting {
	const struct attempt *attempt;
	const struct policy *policy;
	const struct verdict *verdict;
	bool verified; /* the password was right */
	struct timespec time;
};

/* No line is longer than this, its newline included, whatever strangers send:
   long strings in it are cut and end in an ellipsis. */
#define SIGHTING_LINE_SIZE 16384

/* Writes the line of DESIGN.md's journal, newline included, without a
   terminating NUL; returns its length, or 0 when it does not fit, which the
   cuts are there to prevent. Invalid UTF-8 becomes U+FFFD. */
size_t sighting_format(const struct sighting *sighting, const char *host,
		       char line_r[static SIGHTING_LINE_SIZE]);

#endif
