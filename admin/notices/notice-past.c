#include "notice-past.h"

#include <glib.h>

struct rule_past notice_past_of_rule(const struct notice_person *person, unsigned int rule)
{
	const struct rule_past nothing = {SCHEDULE_ALWAYS,
					  SCHEDULE_ALWAYS,
					  SCHEDULE_ALWAYS,
					  0,
					  SCHEDULE_ALWAYS,
					  SCHEDULE_ALWAYS,
					  false};
	struct rule_past past = nothing;

	for (size_t i = 0; i < person->past_count; i++) {
		const struct notice_past *notice = &person->past[i];

		if ((notice->rules >> rule & 1) == 0 || notice->state == NOTICE_INTENDED)
			continue;
		if (notice->reason == NOTICE_FIXED) {
			past = nothing;
			past.fixed = notice->time;
			past.told_before = notice->state != NOTICE_HANDED_OVER;
			continue;
		}
		past.tried = notice->time;
		if (notice->state == NOTICE_HANDED_OVER) {
			past.told = notice->time;
			past.date = notice->dates[rule];
		}
		if (notice->reason == NOTICE_REFUSED)
			past.told_of_refusal = notice->time;
		if (notice->reason == NOTICE_BROWNOUT)
			past.told_of_brownout = notice->time;
	}
	return past;
}

static bool is_mail(const struct notice_past *notice)
{
	return notice->state != NOTICE_INTENDED && notice->state != NOTICE_NOTED;
}

time_t notice_past_last_mail(const struct notice_person *person)
{
	time_t last = SCHEDULE_ALWAYS;

	for (size_t i = 0; i < person->past_count; i++) {
		if (is_mail(&person->past[i]))
			last = MAX(last, person->past[i].time);
	}
	return last;
}

time_t notice_past_last_warning(const struct notice_person *person)
{
	time_t last = SCHEDULE_ALWAYS;

	for (size_t i = 0; i < person->past_count; i++) {
		if (is_mail(&person->past[i]) && person->past[i].reason != NOTICE_FIXED)
			last = MAX(last, person->past[i].time);
	}
	return last;
}

bool notice_past_is_out_of_reach(const struct notice_person *person)
{
	unsigned int failures = 0;

	for (size_t i = 0; i < person->past_count; i++) {
		if (person->past[i].state == NOTICE_FAILED)
			failures++;
		else if (person->past[i].state == NOTICE_HANDED_OVER)
			failures = 0;
	}
	return failures >= NOTICE_FAILURES_MAX;
}

unsigned int notice_past_mails(const struct notice_person *person, time_t since)
{
	unsigned int mails = 0;

	for (size_t i = 0; i < person->past_count; i++)
		mails += person->past[i].state == NOTICE_HANDED_OVER &&
			 person->past[i].time >= since;
	return mails;
}

unsigned int notice_past_warnings(const struct notice_person *person, uint64_t rules)
{
	unsigned int warnings = 0;

	for (size_t i = person->past_count; i > 0; i--) {
		const struct notice_past *notice = &person->past[i - 1];

		if (notice->reason == NOTICE_FIXED)
			rules &= ~notice->rules; /* what came before it counts no more */
		else if (notice->state == NOTICE_HANDED_OVER && (notice->rules & rules) != 0)
			warnings++;
	}
	return warnings;
}
