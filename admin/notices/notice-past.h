#ifndef PORTCULLIS_NOTICE_PAST_H
#define PORTCULLIS_NOTICE_PAST_H

#include "notice-plan.h"

/* What a person was told, as the plan needs it. SCHEDULE_ALWAYS: never. */

/* Of one rule. */
struct rule_past {
	time_t fixed;
	/* Since it was fixed: */
	time_t tried; /* handed over, or refused for good */
	time_t told;  /* handed over */
	time_t date;  /* that was told last; 0: not known */
	time_t told_of_refusal;
	time_t told_of_brownout;
	bool told_before; /* before it was fixed, which nobody said */
};

struct rule_past notice_past_of_rule(const struct notice_person *person, unsigned int rule);

/* When the person was last written to, or that was tried: of anything, and of what is to
   change. */
time_t notice_past_last_mail(const struct notice_person *person);
time_t notice_past_last_warning(const struct notice_person *person);

/* Whether the last mails all failed. */
bool notice_past_is_out_of_reach(const struct notice_person *person);

/* How many mails were handed over since a moment, of whatever. */
unsigned int notice_past_mails(const struct notice_person *person, time_t since);

/* How many mails were handed over that told of any of these rules, since it was fixed. */
unsigned int notice_past_warnings(const struct notice_person *person, uint64_t rules);

#endif
