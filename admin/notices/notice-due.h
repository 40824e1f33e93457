#ifndef PORTCULLIS_NOTICE_DUE_H
#define PORTCULLIS_NOTICE_DUE_H

#include "notice-past.h"

/* When what is open is told of: which mail is due for one rule. */

/* What is so for all rules of a person. */
struct notice_course {
	const struct policy *policy;
	const struct notice_person *person;
	const uint64_t *open; /* of each way: the rules that it is open for */
	time_t now;
	time_t last_mail, last_warning; /* as notice-past.h has them */
	bool out_of_reach;
	unsigned int warnings; /* so many mails told of what is open */
	unsigned int mails;    /* so many came in the last months, of whatever */
	time_t next_call;      /* when the next last call is due */
	/* When there are news next: word of a brown-out, or of a rule whose notify phase begins. */
	time_t next_news;
};

/* Whether the person is reminded no more: told often of what is open, or of many things
   lately. */
bool notice_heard_enough(const struct notice_course *course);

/* One rule that is open. */
struct rule_case {
	const struct notice_course *course;
	const struct rule *rule;
	struct rule_past past;
	time_t date; /* the person's own */
	bool exempted;
	time_t first_open, last_open; /* when it was seen in the ways that are open */
};

/* Sets what exemptions for the way's country let pass. */
void notice_way_let_off(struct notice_way *way, const struct policy *policy,
			const struct exemption *exemptions, size_t count, time_t now);

/* Whether there is anything to say of it today, be it due or not. */
bool notice_is_told_of(const struct rule_case *c);

/* When its next last call is due, and when there will be other news of it: word of a
   brown-out, or that its notify phase begins. SCHEDULE_NEVER: none. */
time_t notice_next_call(const struct rule_case *c);
time_t notice_next_news(const struct rule_case *c);

/* Whether the person was told another date, and is not let off. */
bool notice_date_moved(const struct rule_case *c);

/* Whether a mail is due, and why. */
bool notice_is_due(const struct rule_case *c, enum notice_reason *reason_r);

/* From when on who is let off is told of the end. */
time_t notice_lead_begin(const struct notice_settings *settings, time_t end);

/* When the last call is due that leaves so much time before a date: a day earlier, so that
   it does whatever the quiet hours are, with one run a day. */
time_t notice_call_begin(time_t date, time_t before);

/* The brown-out of a rule that is announced next or holds now; of zeros if none. */
struct brownout notice_next_brownout(const struct rule *rule, time_t now);

#endif
