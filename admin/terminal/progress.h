#ifndef PORTCULLIS_PROGRESS_H
#define PORTCULLIS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A bar on standard error, when that is a terminal and it takes longer than a
   moment; nothing otherwise. */
struct progress {
	bool shown;
	uint64_t total;
	uint64_t done;
	int64_t drawn; /* when, in milliseconds */
};

void progress_begin(struct progress *progress, uint64_t total);
void progress_add(struct progress *progress, uint64_t amount);
/* Removes the bar, so that something else can be said. */
void progress_clear(struct progress *progress);

#endif
