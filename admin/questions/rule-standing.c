#include "rule-standing.h"

#include "admin/terminal/display.h"
#include "forecast-count.h"
#include "rule-history.h"

static struct rule_standing stand(const struct rule *rule, time_t at, uint64_t offenders,
				  const struct rule_history *history, int64_t first_record,
				  int64_t now)
{
	struct rule_standing standing = {
		.rule = rule,
		.phase = schedule_phase(&rule->schedule, at),
		.offenders = offenders,
		.offenders_at_start = offenders,
	};

	rule_history_at_start(history, &rule->schedule, first_record, now,
			      &standing.offenders_at_start);
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
	struct forecast forecast;
	int64_t first_record;
	bool counted = forecast_offenders(&forecast, histories, inquiry, now) &&
		       rule_history_first_record(inquiry->store, now, &first_record);

	for (size_t i = 0; counted && i < policy->rule_count; i++) {
		uint64_t offenders = forecast_people(forecast.rules[i].users);

		standings_r[i] =
			stand(&policy->rules[i], at, offenders, &histories[i], first_record, now);
	}
	forecast_free(&forecast);
	return counted;
}
