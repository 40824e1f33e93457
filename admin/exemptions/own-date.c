#include "own-date.h"

time_t exemptions_end(const struct exemption *exemptions, size_t count, const struct rule *rule,
		      time_t moment)
{
	bool extended;

	do {
		extended = false;
		for (size_t i = 0; i < count; i++) {
			const struct exemption *exemption = &exemptions[i];

			if (exemption->rule != rule->index || exemption->country_count > 0 ||
			    exemption->begin > moment || exemption->end <= moment)
				continue;
			moment = exemption->end;
			extended = true;
		}
	} while (extended);
	return moment;
}

time_t own_date(const struct exemption *exemptions, size_t count, const struct rule *rule,
		time_t grace_end, time_t now, bool *exempted_r)
{
	time_t enforce = rule->schedule.enforce;
	time_t moment = enforce > now ? enforce : now;
	time_t end = exemptions_end(exemptions, count, rule, moment);

	*exempted_r = enforce != SCHEDULE_NEVER && end > moment && end >= grace_end;
	if (*exempted_r)
		return end;
	return grace_end > enforce ? exemptions_end(exemptions, count, rule, grace_end) : enforce;
}
