#ifndef PORTCULLIS_RULE_HISTORY_H
#define PORTCULLIS_RULE_HISTORY_H

#include "admin/store/store.h"
#include "policy/policy.h"

/* Offenders are counted over so many weeks, since many people come rarely. */
#define HISTORY_WINDOW 4
#define HISTORY_WEEKS 64

/* How many users were recorded breaking a rule in the weeks N+3, N+2, N+1 and N
   before the reference: windows[N]. */
struct rule_history {
	uint64_t windows[HISTORY_WEEKS];
};

/* One for each rule of the policy, in its order. False when the store fails. */
bool rule_histories_count(struct rule_history histories_r[RULES_MAX], struct store *store,
			  const struct policy *policy, int64_t reference);

/* When the records begin, to the day; the reference when there are none. False when the
   store fails. */
bool rule_history_first_record(struct store *store, int64_t reference, int64_t *first_r);

/* The window that begins with the week of a rule's first phase, or with that of the
   first record where it is later. */
unsigned int rule_history_start(const struct schedule *schedule, int64_t first_record,
				int64_t reference);

#endif
