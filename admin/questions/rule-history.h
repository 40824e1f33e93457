#ifndef PORTCULLIS_RULE_HISTORY_H
#define PORTCULLIS_RULE_HISTORY_H

#include "admin/store/store.h"
#include "policy/policy.h"

/* Offenders are counted over so many weeks, since many people come rarely. */
#define HISTORY_WINDOW 4
#define HISTORY_WEEKS 64

/* How many users were recorded breaking a rule. */
struct rule_history {
	/* windows[N]: in the weeks N+3, N+2, N+1 and N before the present one, as
	   store_week() counts them. */
	uint64_t windows[HISTORY_WEEKS];
};

/* Counts them while sightings are read, for each rule of the policy, in its order. */
struct rule_histories;

/* now: in milliseconds. The store must be being read. */
struct rule_histories *rule_histories_begin(const struct store *store, const struct policy *policy,
					    int64_t now);
/* In the order of users, and of somebody's only. */
void rule_histories_add(struct rule_histories *histories, const struct store_sighting *sighting);
/* Frees it. histories_r: NULL is allowed. */
void rule_histories_end(struct rule_histories *histories,
			struct rule_history histories_r[RULES_MAX]);

/* When the records begin, to the day; now when there are none. False when the store fails. */
bool rule_history_first_record(struct store *store, int64_t now, int64_t *first_r);

/* How many users were recorded breaking a rule in the window that begins with the week of
   its first phase, or with that of the first record where it is later. False, and *users_r is
   not set, as long as these weeks are not over. */
bool rule_history_at_start(const struct rule_history *history, const struct schedule *schedule,
			   int64_t first_record, int64_t now, uint64_t *users_r);

#endif
