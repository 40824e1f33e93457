#include "grace.h"

/* The end of the day in which a moment lies. */
static time_t end_of_day(time_t moment)
{
	return date_midnight(moment - 1, 1);
}

time_t grace_end(const struct rule *rule, time_t first_seen, time_t told)
{
	time_t enforce = rule->schedule.enforce;
	time_t last = first_seen + 2 * rule->grace;

	if (rule->grace == 0 || first_seen >= enforce || first_seen <= enforce - rule->grace)
		return 0;
	return end_of_day(
		told == SCHEDULE_ALWAYS || told + rule->grace > last ? last : told + rule->grace);
}

time_t grace_end_max(const struct rule *rule)
{
	return end_of_day(rule->schedule.enforce + 2 * rule->grace);
}
