#ifndef PORTCULLIS_RUN_CLOCK_H
#define PORTCULLIS_RUN_CLOCK_H

#include <time.h>

#include "policy/notice-settings.h"

/* The time of a run, which may begin at another time than it is, and then goes on. */
struct run_clock {
	time_t begin;
	time_t started; /* by a clock of the machine that cannot be set */
};

struct run_clock run_clock_start(time_t begin);
time_t run_clock_now(const struct run_clock *clock);

/* From a day's midnight: its first minute that is not quiet. */
time_t run_clock_working_hour(const struct quiet_hours *hours, time_t day);

#endif
