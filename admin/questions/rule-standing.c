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

static void take(void *context, const struct store_sighting *sighting)
{
	notice_health_take(context, sighting);
}

/* In one way through the store. */
static bool read_people(struct forecast *forecast_r, struct rule_history histories_r[RULES_MAX],
			struct notice_health *notices_r, const struct inquiry *inquiry, int64_t now)
{
	struct notice_health_search *search = notice_health_begin(notices_r, inquiry);
	struct forecast_company company = {.visit = take};
	bool counted;

	*forecast_r = (struct forecast){0};
	if (search != NULL)
		company.filter = notice_health_filter(search);
	company.context = search;
	counted = forecast_offenders(forecast_r, histories_r, inquiry, now,
				     search == NULL ? NULL : &company);
	return notice_health_end(search, counted);
}

bool rule_standings_find(struct rule_standing standings_r[RULES_MAX],
			 struct notice_health *notices_r, const struct inquiry *inquiry, time_t at,
			 int64_t now)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct rule_history histories[RULES_MAX];
	struct forecast forecast;
	int64_t first_record;
	bool counted = read_people(&forecast, histories, notices_r, inquiry, now) &&
		       rule_history_first_record(inquiry->store, now, &first_record);

	for (size_t i = 0; counted && i < policy->rule_count; i++) {
		uint64_t offenders = forecast_people(forecast.rules[i].users);

		standings_r[i] =
			stand(&policy->rules[i], at, offenders, &histories[i], first_record, now);
	}
	forecast_free(&forecast);
	return counted;
}
