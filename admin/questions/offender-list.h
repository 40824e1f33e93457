#ifndef PORTCULLIS_OFFENDER_LIST_H
#define PORTCULLIS_OFFENDER_LIST_H

#include <glib.h>

#include "admin/store/store.h"
#include "policy/policy.h"

/* One user who breaks one rule in one way. */
struct offender {
	int64_t user_id;
	const char *user; /* NULL: many, whose names are not kept */
	const struct store_broken_rule *rule;
	enum phase phase; /* by the policy, at the list's moment; off without such a rule */
	bool verified;    /* it was this user, and he is somebody */
	const struct store_habit *habit;
	uint64_t count; /* 0: not known, of a way that is older than the list's since */
	int64_t first_seen, last_seen;
	const char *last_client; /* "" erased, or unknown */
};

struct offender_list {
	GArray *offenders; /* of struct offender */
	const struct policy *policy;
	time_t at;
	const enum phase *phase; /* only rules in this phase; NULL: any */
	const char *rule;        /* only this rule; NULL: any */
	int64_t since;           /* only ways that were used since then; 0: all */
	bool unverified;         /* also what may be anybody's */
	GStringChunk *strings;
	guint user_begin; /* of the user whose sightings come */
};

void offender_list_begin(struct offender_list *list_r, const struct policy *policy, time_t at);
void offender_list_end(struct offender_list *list);

/* filter: without since. False when the store fails. The list must not outlive the reading of the store. */
bool offender_list_fill(struct offender_list *list, struct store *store,
			const struct store_filter *filter);

/* By user, rule, count (the highest first), first (the earliest first) or last (the
   latest first). */
bool offender_order_exists(const char *name);
/* order: one that exists. */
void offender_list_sort(struct offender_list *list, const char *order);

#endif
