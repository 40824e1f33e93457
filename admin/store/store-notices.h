#ifndef PORTCULLIS_STORE_NOTICES_H
#define PORTCULLIS_STORE_NOTICES_H

#include "admin/wording/notice.h"
#include "store.h"

/* What people were told: the part of the store that notices are kept in. */

enum notice_state {
	/* Will be handed over, or may have been: whoever goes on with it uses its
	   Message-ID again. */
	NOTICE_INTENDED,
	NOTICE_HANDED_OVER,
	NOTICE_FAILED, /* refused for good */
	NOTICE_NOTED,  /* nothing was sent: only that all is well again */
	NOTICE_STATE_COUNT
};

/* "intended", "handed-over", "failed", "noted" */
const char *notice_state_name(enum notice_state state);

/* Times are those of the run, so --at shows in them. */
struct store_notice {
	int64_t id; /* 0: not stored yet */
	const char *user;
	const char *recipient;  /* "" with NOTICE_NOTED */
	const char *message_id; /* without angle brackets; "" with NOTICE_NOTED */
	enum notice_reason reason;
	const char *rules; /* titles, with commas between them */
	enum notice_state state;
	int64_t intended; /* when it was, the last time */
	int64_t settled;  /* when it got another state; 0 before */
	unsigned int attempts;
	const char *error; /* of the last attempt; "" */
};

/* Inserts (and sets id) or updates. Between store_begin() and store_commit(). */
bool store_put_notice(struct store *store, struct store_notice *notice);

/* Returns false to end the iteration. The strings live until it returns. */
typedef bool store_visit_notice(void *context, const struct store_notice *notice);

/* In the order in which they were first intended. user: NULL for all. */
bool store_each_notice(struct store *store, const char *user, store_visit_notice *visit,
		       void *context);

/* How many were handed over behind a moment, and not behind another. */
bool store_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r);

#endif
