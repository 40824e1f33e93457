#ifndef PORTCULLIS_NOTICE_LIMITS_H
#define PORTCULLIS_NOTICE_LIMITS_H

#include "admin/notices/mail-limits.h"
#include "admin/store/store.h"
#include "loaded-policy.h"

/* Whether max-per-run and max-per-hour let all be told before their dates who were not yet. In
   *text_r a sentence without its end, which the caller frees with g_free(): what is wrong, or
   what the limits let leave. */
bool notice_limits_judge(const struct policy *policy, struct mail_demand *demand, time_t now,
			 char **text_r);

/* The same of those whom the store, which is being read, knows. False when the store fails. */
bool notice_limits_find(const struct loaded_policy *loaded, struct store *store, time_t now,
			bool *enough_r, char **text_r);

/* What they let leave in a day, and before the first date of the year to come; NULL: there is
   no limit.
   The caller frees it with g_free(). */
char *notice_limits_text(const struct policy *policy, time_t now);

#endif
