#ifndef PORTCULLIS_STORE_NOTICES_H
#define PORTCULLIS_STORE_NOTICES_H

#include "store.h"

/* What people were told: the part of the store that notices are kept in. */

/* Why somebody is written to. Where several reasons come together in one mail,
   the caller gives the most pressing one. */
enum notice_reason {
	NOTICE_FIRST,     /* seen for the first time in a notify phase */
	NOTICE_REMINDER,  /* still seen */
	NOTICE_LAST_CALL, /* enforced soon */
	NOTICE_MOVED,     /* another date holds than was told */
	NOTICE_BROWNOUT,  /* a brown-out is near */
	NOTICE_REFUSED,   /* a right password was refused */
	NOTICE_FIXED,     /* nothing seen any more */
	NOTICE_REASON_COUNT
};

/* Names as in the store, in tables and as sections of the texts: "first",
   "reminder", "last-call", "moved", "brown-out", "refused", "fixed". */
const char *notice_reason_name(enum notice_reason reason);
bool notice_reason_from_name(const char *name, enum notice_reason *reason_r);

enum notice_state {
	/* Will be handed over, or may have been: whoever goes on with it uses its
	   Message-ID again. */
	NOTICE_INTENDED,
	NOTICE_HANDED_OVER,
	NOTICE_FAILED, /* refused for good, at once or later */
	NOTICE_NOTED,  /* nothing was sent: only that all is well again */
	NOTICE_STATE_COUNT
};

/* "intended", "handed-over", "failed", "noted" */
const char *notice_state_name(enum notice_state state);

/* Times are those of the run, so --at shows in them. Strings are never NULL. */
struct store_notice {
	int64_t id; /* 0: not stored yet */
	const char *user;
	const char *recipient;  /* "" with NOTICE_NOTED */
	const char *message_id; /* without angle brackets; "" with NOTICE_NOTED */
	enum notice_reason reason;
	const char *rules; /* titles, with commas between them */
	/* Of each of these the date that it said, as rule-titles.h has them; "" not noted, and
	   NULL means the same. */
	const char *dates;
	enum notice_state state;
	int64_t intended; /* when it was, the last time */
	int64_t settled;  /* when it got another state; 0 before */
	unsigned int attempts;
	const char *error; /* of the last attempt; "" */
	/* What is put: it will be handed over as soon as it is stored. What is visited: another
	   host said so not long ago, and not yet what came of it: it may be under way. */
	bool in_hand;
};

/* When a notice came to what it is, or was intended, in milliseconds since 1970. */
int64_t store_notice_time(const struct store_notice *notice);

/* Whether it was settled more than a day after now, in milliseconds since 1970: by a run that
   was told another time, or by a clock that went wrong. Then it counts for nothing yet. */
bool store_notice_is_ahead(const struct store_notice *notice, int64_t now);

/* Inserts (and sets id) or updates what is intended, but not its user and Message-ID, which
   never change. One that is settled stays as it is, as it may have come back before it was
   known to be handed over. Between store_begin() and store_commit(). As all functions here,
   it returns false when the store fails. */
bool store_put_notice(struct store *store, struct store_notice *notice);

/* Returns false to end the iteration. The strings live until it returns. */
typedef bool store_visit_notice(void *context, const struct store_notice *notice);

/* Visits the one that has this Message-ID, if there is one. */
bool store_find_notice(struct store *store, const char *message_id, store_visit_notice *visit,
		       void *context);

/* Makes a notice a failed one, be it intended or handed over. It keeps the time at which
   it was handed over. Between store_begin() and store_commit(). */
bool store_fail_notice(struct store *store, int64_t id, int64_t now, const char *error);

/* In the order in which they were first intended. user: NULL for all. */
bool store_each_notice(struct store *store, const char *user, store_visit_notice *visit,
		       void *context);

/* How many were handed over later than after, and not later than until, be it that they
   came back; and how many were refused then. */
bool store_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r);

/* ---- one run at a time ---- */

/* Which host's run is under way, and since when. */
struct store_notifier {
	char host[256]; /* "": not known */
	int64_t since;
};

/* Sees to it that of all hosts that share the store one only sends notices, until the store is
   closed or this process ends. *locked_r: whether that is this one; otherwise *other_r says
   which one it is. A store that is a file knows no other host: of this one's processes, the
   caller lets only one in. Needs STORE_WRITE. */
bool store_lock_notices(struct store *store, bool *locked_r, struct store_notifier *other_r);

/* Whether that still is so; false, as a failure, when it was lost with the connection. */
bool store_holds_notices(struct store *store);

#endif
