#ifndef PORTCULLIS_MAIL_LIMITS_H
#define PORTCULLIS_MAIL_LIMITS_H

#include <glib.h>

#include "notice-plan.h"
#include "policy/notice-settings.h"

/* What max-per-run and max-per-hour let leave, and whether that is enough to tell all before
   their dates. */

/* How many mails may leave in an hour that is not quiet, with one run in it; 0: there is no
   limit. */
unsigned int mail_limit_an_hour(const struct notice_settings *settings);

/* How many hours from a moment until another are not quiet; when the clock is changed in
   between, one more or less. */
uint64_t mail_hours(const struct notice_settings *settings, time_t from, time_t until);

/* The people to be told before some dates, by these. */
struct mail_demand;

struct mail_demand *mail_demand_create(void);
void mail_demand_free(struct mail_demand *demand);

/* One more who is to be told before a date, and can be from some moment on. */
void mail_demand_add(struct mail_demand *demand, time_t from, time_t date);
/* The same by the person's plan, if anything is to be told by it. */
void mail_demand_add_plan(struct mail_demand *demand, const struct notice_plan *plan);

struct mail_shortage {
	time_t date;
	uint64_t people;  /* who are to be told before it */
	uint64_t allowed; /* mails that may leave until then */
	/* With so many an hour they would be. 0: no limit is high enough. */
	uint64_t needed_an_hour;
};

/* Whether the limits are too low, and for which date first. */
bool mail_limits_fall_short(const struct notice_settings *settings, struct mail_demand *demand,
			    time_t now, struct mail_shortage *shortage_r);

/* Says so, in a sentence without its end; the caller frees it with g_free(). */
char *mail_shortage_text(const struct notice_settings *settings,
			 const struct mail_shortage *shortage);

#endif
