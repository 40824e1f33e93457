#include "notice-grace.h"

#include "policy/grace.h"

/* SCHEDULE_NEVER: not at all. */
static time_t first_seen(const struct notice_person *person, uint64_t bit)
{
	time_t first = SCHEDULE_NEVER;

	for (size_t i = 0; i < person->way_count; i++) {
		const struct notice_way *way = &person->ways[i];

		if ((way->broken & ~way->allowed & bit) != 0 && way->first_seen < first)
			first = way->first_seen;
	}
	return first;
}

/* NULL: there is none yet. */
static const struct notice_past *first_notice(const struct notice_person *person, uint64_t bit)
{
	for (size_t i = 0; i < person->past_count; i++) {
		const struct notice_past *notice = &person->past[i];

		if ((notice->rules & bit) != 0 && notice->state == NOTICE_HANDED_OVER &&
		    notice->reason != NOTICE_FIXED)
			return notice;
	}
	return NULL;
}

/* A notice that was written before midnight and handed over behind it said a day less; what
   it said holds. */
static time_t as_was_said(time_t end, time_t said)
{
	return said == date_midnight(end - 1, 0) ? said : end;
}

struct notice_grace notice_grace_find(const struct notice_person *person, const struct rule *rule)
{
	uint64_t bit = UINT64_C(1) << rule->index;
	const struct notice_past *notice = rule->grace == 0 ? NULL : first_notice(person, bit);
	struct notice_grace grace = {.told = notice == NULL ? SCHEDULE_ALWAYS : notice->time};

	if (rule->grace > 0)
		grace.end = grace_end(rule, first_seen(person, bit), grace.told);
	if (grace.end != 0 && notice != NULL)
		grace.end = as_was_said(grace.end, notice->dates[rule->index]);
	return grace;
}

time_t notice_grace_end(const struct notice_person *person, const struct rule *rule, time_t now)
{
	struct notice_grace grace = notice_grace_find(person, rule);

	if (grace.end == 0 || grace.told != SCHEDULE_ALWAYS)
		return grace.end;
	return grace_end(rule, first_seen(person, UINT64_C(1) << rule->index), now);
}
