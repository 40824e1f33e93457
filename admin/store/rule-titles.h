#ifndef PORTCULLIS_RULE_TITLES_H
#define PORTCULLIS_RULE_TITLES_H

#include "policy/policy.h"

/* Rules as the store of notices has them: "encryption,country". */

/* A bit for each rule's index; the caller frees it with g_free(). */
char *rule_titles_format(const struct policy *policy, uint64_t rules);

/* Rules that the policy does not have any more are left out. */
uint64_t rule_titles_parse(const struct policy *policy, const char *titles);

/* Their dates, by index, in the same order: "1726783200,never", in seconds since 1970.
   The caller frees it with g_free(). */
char *rule_dates_format(const struct policy *policy, uint64_t rules, const time_t *dates);

/* Sets those of the rules that rule_titles_parse() finds; 0: not known. */
void rule_dates_parse(const struct policy *policy, const char *titles, const char *dates,
		      time_t dates_r[static RULES_MAX]);

#endif
