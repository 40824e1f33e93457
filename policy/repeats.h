#ifndef PORTCULLIS_REPEATS_H
#define PORTCULLIS_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* What syslog does with "last message repeated 3 times", for many texts at a time: the
   first of equal texts is told at once, what repeats it within some time is counted and
   told together. In a fixed amount of memory: where it is short, the oldest has to go.
   For one thread. */
struct repeats;

/* A longer note is cut. */
#define REPEAT_NOTE_SIZE 48

struct repeat {
	const char *text; /* not terminated */
	size_t length;
	unsigned long count;         /* how often it was repeated; 0: not since it was told of */
	struct timespec first, last; /* when, if it was */
	const char *note;            /* of the last of them */
};

/* So many bytes hold all texts and what belongs to them. NULL when out of memory. */
struct repeats *repeats_create(size_t size);
void repeats_free(struct repeats *repeats);

/* Counts a text that is known, and whose time is not over at now (monotonic). False
   when it is not: then it is to be told, and added. Texts are due so many seconds after
   they were added, or earlier where by now fewer seconds are said than were then. */
bool repeats_count(struct repeats *repeats, const char *text, size_t length,
		   const struct timespec *time, const char *note, time_t now, time_t seconds);

/* Whether so long a text can be added. False: drop the oldest first. A text that is
   longer than a quarter of the memory never can. */
bool repeats_have_room(const struct repeats *repeats, size_t length);

/* Adds a text that is not known, for which there is room, at now. */
void repeats_add(struct repeats *repeats, const char *text, size_t length, time_t now,
		 time_t seconds);

/* The one that came first; NULL when there is none. Valid until it is dropped. */
const struct repeat *repeats_oldest(const struct repeats *repeats);
bool repeats_oldest_is_due(const struct repeats *repeats, time_t now);
void repeats_drop_oldest(struct repeats *repeats);

/* For all, from the oldest on: the one after it; NULL behind the newest. */
const struct repeat *repeats_next(const struct repeats *repeats, const struct repeat *repeat);

/* It was told of: it counts from 0 again, until the same time. */
void repeats_told(struct repeats *repeats, const struct repeat *repeat);

/* How many there are to be told of. */
unsigned long repeats_untold(const struct repeats *repeats);

#endif
