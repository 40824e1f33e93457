#include "run-clock.h"

static time_t monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

struct run_clock run_clock_start(time_t begin)
{
	return (struct run_clock){.begin = begin, .started = monotonic_seconds()};
}

time_t run_clock_now(const struct run_clock *clock)
{
	return clock->begin + (monotonic_seconds() - clock->started);
}
