#include "grace.h"

/* The end of the day in which a moment lies. */
static time_t end_of_day(time_t moment)
{
	return date_midnight(moment - 1, 1);
}

time_t grace_end(const struct rule *rule, time_t first_seen, time_t told)
{
	time_t enforce = rule->schedule.enforce, end;

	if (rule->grace == 0 || first_seen >= enforce || first_seen <= enforce - rule->grace)
		return 0;
	end = first_seen + 2 * rule->grace;
	if (told != SCHEDULE_ALWAYS && told + rule->grace < end)
		end = told + rule->grace;
	return end_of_day(end);
}

time_t grace_end_max(const struct rule *rule)
{
	return end_of_day(rule->schedule.enforce + 2 * rule->grace);
}
