#include "notice-date.h"

#include <glib.h>

#include "admin/exemptions/own-date.h"
#include "notice-grace.h"

/* Of the rule's ways: when the first exemption for a country ends that lets one pass, and is to
   be told of; SCHEDULE_NEVER: none. *other_r: there are some that none lets pass. */
static time_t first_country_end(const struct notice_person *person, const struct rule *rule,
				time_t now, bool *other_r)
{
	time_t first = SCHEDULE_NEVER;

	*other_r = false;
	for (size_t i = 0; i < person->way_count; i++) {
		const struct notice_way *way = &person->ways[i];
		bool exempted;

		if (((way->broken & ~way->allowed) >> rule->index & 1) == 0)
			continue;
		if ((way->ending >> rule->index & 1) == 0)
			*other_r = true;
		else
			first = MIN(first, own_date(person->exemptions, person->exemption_count,
						    rule, &way->country, 0, now, &exempted));
	}
	return first;
}

struct notice_date notice_date_find(const struct notice_person *person, const struct rule *rule,
				    time_t now)
{
	struct notice_date date = {0};
	time_t country_end;
	bool other;

	date.time = own_date(person->exemptions, person->exemption_count, rule, NULL,
			     notice_grace_end(person, rule, now), now, &date.exempted);
	/* Where there is no date yet, nor anything to say. */
	if (date.time == SCHEDULE_NEVER)
		date.exempted = exemptions_end(person->exemptions, person->exemption_count, rule,
					       NULL, now) > now;
	country_end = first_country_end(person, rule, now, &other);
	date.ending = country_end != SCHEDULE_NEVER && (!other || date.time <= now);
	if (date.ending) {
		date.time = country_end;
		date.exempted = true;
	}
	return date;
}
