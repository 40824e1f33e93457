#ifndef PORTCULLIS_NOTICE_BOUNCE_H
#define PORTCULLIS_NOTICE_BOUNCE_H

#include "admin/store/store-notices.h"

/* A notice that came back: what the mail system reports makes it a failed one. Nothing else
   is done, and that only for a Message-ID that is in the store: it is random, so whoever
   knows it has seen the mail. */

enum notice_bounce {
	NOTICE_BOUNCE_MARKED,
	NOTICE_BOUNCE_NO_REPORT,    /* some other mail */
	NOTICE_BOUNCE_NOT_FINAL,    /* delayed, or delivered */
	NOTICE_BOUNCE_UNKNOWN,      /* about no notice of ours */
	NOTICE_BOUNCE_OVER,         /* known as failed before, or withdrawn */
	NOTICE_BOUNCE_STORE_FAILED, /* see store_failure() */
};

/* store: with STORE_WRITE; begins and commits by itself. text_r gets what there is to say
   of it, in words, which the caller frees with g_free(). */
enum notice_bounce notice_bounce(struct store *store, const char *mail, size_t length, int64_t now,
				 char **text_r);

#endif
