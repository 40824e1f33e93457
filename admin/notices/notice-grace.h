#ifndef PORTCULLIS_NOTICE_GRACE_H
#define PORTCULLIS_NOTICE_GRACE_H

#include "notice-plan.h"

/* The grace of a rule that a person has; see policy/grace.h. */
struct notice_grace {
	time_t end;  /* 0: none */
	time_t told; /* first of this rule; SCHEDULE_ALWAYS: not yet */
};

struct notice_grace notice_grace_find(const struct notice_person *person, const struct rule *rule);

/* When it ends, or would if the person were told now; 0: none. */
time_t notice_grace_end(const struct notice_person *person, const struct rule *rule, time_t now);

#endif
