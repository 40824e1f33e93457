#include "name-budget.h"

#include "monotonic-clock.h"

bool name_budget_allows(struct name_budget *budget, unsigned int per_minute)
{
	time_t minute = monotonic_seconds() / 60;

	if (minute != budget->minute)
		*budget = (struct name_budget){.minute = minute};
	return budget->spent < per_minute;
}

void name_budget_spend(struct name_budget *budget)
{
	budget->spent++;
}

time_t nameless_seconds(time_t combine_seconds)
{
	return combine_seconds < 60 ? 60 : combine_seconds;
}
