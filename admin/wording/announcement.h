#ifndef PORTCULLIS_ANNOUNCEMENT_H
#define PORTCULLIS_ANNOUNCEMENT_H

#include "announced-dates.h"
#include "notice-texts.h"

/* The page that tells the public what is being retired and when, in one language:
   HTML without scripts, or plain text. The caller frees it with g_free(). */
char *announcement_html(const struct policy *policy, const struct text_language *language,
			const struct announced_dates *dates, time_t now);
char *announcement_plain(const struct policy *policy, const struct text_language *language,
			 const struct announced_dates *dates, time_t now);

#endif
