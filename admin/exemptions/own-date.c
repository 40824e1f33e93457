#include "own-date.h"

#include <string.h>

/* Whether it lets the user off, as far as clients in a country are concerned. */
static bool lets_off(const struct exemption *exemption, const struct country *country)
{
	for (size_t i = 0; country != NULL && i < exemption->country_count; i++) {
		if (memcmp(exemption->countries[i].code, country->code, 2) == 0)
			return true;
	}
	return exemption->country_count == 0;
}

time_t exemptions_end(const struct exemption *exemptions, size_t count, const struct rule *rule,
		      const struct country *country, time_t moment)
{
	bool extended;

	do {
		extended = false;
		for (size_t i = 0; i < count; i++) {
			const struct exemption *exemption = &exemptions[i];

			if (exemption->rule != rule->index || !lets_off(exemption, country) ||
			    exemption->begin > moment || exemption->end <= moment)
				continue;
			moment = exemption->end;
			extended = true;
		}
	} while (extended);
	return moment;
}

time_t own_date(const struct exemption *exemptions, size_t count, const struct rule *rule,
		const struct country *country, time_t grace_end, time_t now, bool *exempted_r)
{
	time_t enforce = rule->schedule.enforce;
	time_t moment = enforce > now ? enforce : now;
	time_t end = exemptions_end(exemptions, count, rule, country, moment);

	*exempted_r = enforce != SCHEDULE_NEVER && end > moment && end >= grace_end;
	if (*exempted_r)
		return end;
	return grace_end > enforce ? exemptions_end(exemptions, count, rule, country, grace_end)
				   : enforce;
}
