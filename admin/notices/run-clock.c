#include "run-clock.h"

#include "policy/monotonic-clock.h"
#include "policy/schedule.h"

struct run_clock run_clock_start(time_t begin)
{
	return (struct run_clock){.begin = begin, .started = monotonic_seconds()};
}

time_t run_clock_now(const struct run_clock *clock)
{
	return clock->begin + (monotonic_seconds() - clock->started);
}

time_t run_clock_working_hour(const struct quiet_hours *hours, time_t day)
{
	time_t end = day + SECONDS_A_DAY;

	while (day < end && quiet_hours_contain(hours, day))
		day += 60;
	return day;
}
