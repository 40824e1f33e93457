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
				  const struct rule_history *history, unsigned int start)
{
	struct rule_standing standing = {
		.rule = rule,
		.phase = schedule_phase(&rule->schedule, at),
		.offenders = history->windows[0],
		.offenders_at_start = history->windows[start],
	};

	standing.next_change = schedule_next_change(&rule->schedule, at, &standing.next_phase);
	if (standing.next_change != SCHEDULE_NEVER)
		standing.days = calendar_day(standing.next_change) - calendar_day(at);
	return standing;
}

bool rule_standings_find(struct rule_standing standings_r[RULES_MAX], const struct inquiry *inquiry,
			 time_t at)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct rule_history histories[RULES_MAX];
	int64_t reference, first_record;

	if (!inquiry_reference(inquiry, at, &reference) ||
	    !rule_histories_count(histories, inquiry->store, policy, reference) ||
	    !rule_history_first_record(inquiry->store, reference, &first_record))
		return false;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		standings_r[i] =
			stand(rule, at, &histories[i],
			      rule_history_start(&rule->schedule, first_record, reference));
	}
	return true;
}
