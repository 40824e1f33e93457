#ifndef PORTCULLIS_NOTICE_PLAN_H
#define PORTCULLIS_NOTICE_PLAN_H

#include "admin/sightings/device.h"
#include "admin/store/store-notices.h"
#include "policy/exemption.h"

/* Decides who is written to, when and why, from what is known of a person, the policy
   and the time, and nothing else.

   A *way* is what the person was seen to do with the right password. It is *open* for a
   rule that it breaks while its device is (notice-ways.h), and only what is open gets a
   mail. All is well once no device of the person's breaks a rule any more that is told of,
   and no date of theirs comes soon: that is recorded, and told to those who shall hear it.
   From then on only later sightings count.

   Rules count by the phase that their dates give, so a brown-out changes nothing,
   and by the person's own date: an exemption that covers the date moves it, and so
   does grace. */

/* After so many mails in a row that failed, only what has its day is tried: last calls,
   brown-outs, refusals. */
#define NOTICE_FAILURES_MAX 3

/* A mail that is not taken for the time being, however often, is tried again so soon. */
#define NOTICE_PAUSE_DAYS 7

/* So long before a brown-out it is announced. */
#define NOTICE_BROWNOUT_DAYS 3

/* So long before the end of an exemption the person is told of it, and so long before
   another date who was told of it hears that it is another one now. A first mail about a
   rule waits for another mail until then. */
#define NOTICE_LEAD_DAYS 14

/* Two mails within so many days are one. */
#define NOTICE_MERGED_DAYS 2

/* Who was told so often of what is still open is reminded no more, but hears once of each
   date: help desks call them. */
#define NOTICE_WARNINGS_MAX 4

/* More than that in so many days are enough for anybody, whatever they are about, and so many
   are the most that anybody gets, but for what is new: of a rule that the person was never told
   of, of a date that moved, or of a brown-out. */
#define NOTICE_MAILS_DAYS 210
#define NOTICE_MAILS_MAX 8

/* Whoever was seen first so long before the date cannot be told in time. */
#define NOTICE_LATE_DAYS 7

struct notice_way {
	/* A bit for each rule, as if all were in force and nobody exempted. */
	uint64_t broken;
	/* Those for whose sake it was refused, at their date or later: not in a
	   brown-out. */
	uint64_t refused;
	/* Those that an exemption for its country lets pass: with the end far away, so that they
	   are as good as kept, and with an end that it is time to tell of. */
	uint64_t allowed, ending;
	struct country country;
	size_t device; /* its number in the person's devices */
	time_t first_seen, last_seen;
};

struct notice_past {
	enum notice_reason reason;
	enum notice_state state;
	uint64_t rules;
	time_t time;
	time_t dates[RULES_MAX]; /* that it said, of rules; 0: not known */
};

struct notice_person {
	const struct notice_way *ways;
	size_t way_count;
	/* Each breaks what its ways do, but for what they are allowed. */
	const struct devices *devices;
	const struct notice_past *past; /* the earliest first; what is intended is left out */
	size_t past_count;
	unsigned int attempts; /* at what is intended; 0: nothing is */
	time_t attempted;      /* the last of them */
	const struct exemption *exemptions;
	size_t exemption_count;
};

struct notice_plan {
	bool due;
	/* It would be, but was not taken lately, and is not tried again before next_attempt. */
	bool waits;
	time_t next_attempt;
	enum notice_reason reason;
	/* The rules to tell of. Without due: those that are open all the same. */
	uint64_t rules;
	/* When all is well: the rules that the person was told of. That is to be recorded; with
	   due and NOTICE_FIXED they are told. */
	uint64_t fixed;
	time_t enforce[RULES_MAX]; /* the person's own dates, of rules */
	time_t first_date;         /* the first to come; SCHEDULE_NEVER: none */
	time_t exempt_until;       /* the same where an exemption has moved it; 0: none */
	/* Of the rules, those of which the person was told another date, and that date. */
	uint64_t moved;
	time_t told_date[RULES_MAX];
	/* Of the rules, those that the person was never told of, with or without due. */
	uint64_t untold;
	/* Of these, those of which a mail went out in vain, or none can as it seems. */
	uint64_t failed;
	/* Of the rules, those that were seen broken first when it was too late to tell of them in
	   good time; after their dates, if nobody did. */
	uint64_t late;
	/* All that were never told of, have a date to come, and are open, in whatever phase:
	   those are to be told before it. */
	uint64_t to_tell;
	/* From when on that may be, and the first of their dates; SCHEDULE_NEVER: none. */
	time_t to_tell_from, to_tell_by;
	unsigned int warnings; /* so many mails told of what is open */
	bool heard_enough;     /* the person is reminded no more */
	time_t first_open;     /* when that was seen first */
	uint64_t graced;       /* rules whose date, to come, grace has moved */
};

/* open_r has room for one for each way: the rules that the way is open for. */
void notice_plan(const struct policy *policy, const struct notice_person *person, time_t now,
		 uint64_t *open_r, struct notice_plan *plan_r);

/* The rules that a mail is about. */
uint64_t notice_plan_told(const struct notice_plan *plan);

/* Whether there is something that the person was not, or not in time, told of, and cannot be:
   as far as that is known without the address. */
bool notice_is_untold(const struct notice_plan *plan);

/* Whether the person was told of what is open, and is reminded no more. */
bool notice_needs_call(const struct notice_plan *plan);

#endif
