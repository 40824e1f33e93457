#include "rule-standing.h"

#include "rule-history.h"

/* Days since 1970 in local time. */
static int64_t calendar_day(time_t time)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL)
		return 0;
	return ((int64_t)time + local.tm_gmtoff) / 86400;
}

static struct rule_standing stand(const struct rule *rule, time_t at,
				  const struct rule_history *history, int64_t first_record,
				  int64_t now)
{
	struct rule_standing standing = {
		.rule = rule,
		.phase = schedule_phase(&rule->schedule, at),
		.offenders = history->recently,
		.offenders_at_start =
			rule_history_at_start(history, &rule->schedule, first_record, now),
	};

	standing.next_change = schedule_next_change(&rule->schedule, at, &standing.next_phase);
	if (standing.next_change != SCHEDULE_NEVER)
		standing.days = calendar_day(standing.next_change) - calendar_day(at);
	return standing;
}

bool rule_standings_find(struct rule_standing standings_r[RULES_MAX], const struct inquiry *inquiry,
			 time_t at, int64_t now)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct rule_history histories[RULES_MAX];
	int64_t first_record;

	if (!rule_histories_count(histories, inquiry->store, policy, now) ||
	    !rule_history_first_record(inquiry->store, now, &first_record))
		return false;
	for (size_t i = 0; i < policy->rule_count; i++)
		standings_r[i] = stand(&policy->rules[i], at, &histories[i], first_record, now);
	return true;
}
