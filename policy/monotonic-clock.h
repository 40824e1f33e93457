#ifndef PORTCULLIS_MONOTONIC_CLOCK_H
#define PORTCULLIS_MONOTONIC_CLOCK_H

#include <time.h>

/* Seconds of a clock that nobody sets, to measure how long something takes. Never 0,
   which can stand for "not yet". */
static inline time_t monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec + 1;
}

#endif
