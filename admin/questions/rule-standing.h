#ifndef PORTCULLIS_RULE_STANDING_H
#define PORTCULLIS_RULE_STANDING_H

#include "inquiry.h"
#include "notice-health.h"

/* Where a rule stands, and how many users still break it. */
struct rule_standing {
	const struct rule *rule;
	enum phase phase, next_phase;
	time_t next_change; /* SCHEDULE_NEVER: none */
	int64_t days;       /* until then, as a calendar counts them */
	/* Who are to be expected to break it again, as forecast-count.h has them; and who were
	   recorded in the weeks in which the rule began or, where they begin later, the records:
	   see rule-history.h. */
	uint64_t offenders, offenders_at_start;
};

/* One for each rule of the policy, in its order, and who cannot be told, which the caller clears.
   at: the moment whose phases count; now, in milliseconds, the one up to which records do. False
   when the store fails. */
bool rule_standings_find(struct rule_standing standings_r[RULES_MAX],
			 struct notice_health *notices_r, const struct inquiry *inquiry, time_t at,
			 int64_t now);

#endif
