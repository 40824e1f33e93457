#ifndef PORTCULLIS_ALLOWANCE_H
#define PORTCULLIS_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ALLOWANCE_COUNTS 65536

/* How often something may happen in a time, for each of many of whom nobody knows the
   number. In a fixed amount of memory: some share a count, so that they have less than
   their own. Zeroed at first; for one thread. */
struct allowance {
	time_t period;
	uint64_t seed;
	unsigned char taken[ALLOWANCE_COUNTS];
};

/* Whether a key has been taken from less often than so many times, at most 255, in this
   period: the number of a minute, an hour ... */
bool allowance_is_left(struct allowance *allowance, time_t period, const void *key, size_t length,
		       unsigned int most);

/* The same, and takes one if there is one left. */
bool allowance_take(struct allowance *allowance, time_t period, const void *key, size_t length,
		    unsigned int most);

#endif
