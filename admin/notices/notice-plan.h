#ifndef PORTCULLIS_NOTICE_PLAN_H
#define PORTCULLIS_NOTICE_PLAN_H

#include "admin/store/store-notices.h"
#include "policy/exemption.h"

/* Decides who is written to, when and why, from what is known of a person, the policy
   and the time, and nothing else.

   A *way* is what the person was seen to do with the right password. It is
   *open* for a rule that it breaks until it is fixed:
   - the same device (program and purpose) came by a way that does not break the
     rule, and began with it after this way was last used; or
   - any device of the same purpose came by one later, and this way was not used
     for NOTICE_QUIET_DAYS: another program took its place.
   Purposes are reading mail (IMAP and POP3), sending it, and filters. A way that
   is not open gets no mail. That all is well is recorded, and told to those who
   shall hear it, only after NOTICE_QUIET_DAYS in the first case, and after
   NOTICE_SETTLED_DAYS in the second: nobody shall get good news every week. From
   then on only later sightings count.

   Rules count by the phase that their dates give, so a brown-out changes nothing,
   and by the person's own date: an exemption that covers the date moves it. */

/* Longer than a weekend. */
#define NOTICE_QUIET_DAYS 3
#define NOTICE_SETTLED_DAYS 14

/* After so many mails in a row that failed, only what has its day is tried: last calls,
   brown-outs, refusals. */
#define NOTICE_FAILURES_MAX 3

/* So long before a brown-out it is announced. */
#define NOTICE_BROWNOUT_DAYS 3

enum notice_purpose { PURPOSE_READ, PURPOSE_SEND, PURPOSE_FILTER };

enum notice_purpose notice_purpose_of(enum service service);

struct notice_way {
	/* A bit for each rule, as if all were in force and nobody exempted. */
	uint64_t broken;
	/* Those for whose sake it was refused, at their date or later: not in a
	   brown-out. */
	uint64_t refused;
	/* Those that an exemption for a country lets pass now. */
	uint64_t allowed;
	enum service service;
	/* Equal for the same program with the same purpose. */
	unsigned int device;
	time_t first_seen, last_seen;
};

struct notice_past {
	enum notice_reason reason;
	enum notice_state state;
	uint64_t rules;
	time_t time;
};

struct notice_person {
	const struct notice_way *ways;
	size_t way_count;
	const struct notice_past *past; /* the earliest first; what is intended is left out */
	size_t past_count;
	const struct exemption *exemptions;
	size_t exemption_count;
};

struct notice_plan {
	bool due;
	enum notice_reason reason;
	/* The rules to tell of. Without due: those that are open all the same. */
	uint64_t rules;
	/* Rules that the person was told of and has fixed since: to be recorded.
	   With due and NOTICE_FIXED they are told. */
	uint64_t fixed;
	time_t enforce[RULES_MAX]; /* the person's own dates, of rules */
	time_t first_date;         /* the first to come; SCHEDULE_NEVER: none */
	time_t exempt_until;       /* when the last exemption ends that moves a date; 0: none */
};

/* open_r has room for one for each way: the rules that the way is open for. */
void notice_plan(const struct policy *policy, const struct notice_person *person, time_t now,
		 uint64_t *open_r, struct notice_plan *plan_r);

/* The rules that a mail is about. */
uint64_t notice_plan_told(const struct notice_plan *plan);

/* The brown-out of a rule that is announced next or holds now; of zeros if none. */
struct brownout notice_next_brownout(const struct rule *rule, time_t now);

#endif
