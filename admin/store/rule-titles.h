#ifndef PORTCULLIS_RULE_TITLES_H
#define PORTCULLIS_RULE_TITLES_H

#include "policy/policy.h"

/* Rules as the store of notices has them: "encryption,country". */

/* A bit for each rule's index; the caller frees it with g_free(). */
char *rule_titles_format(const struct policy *policy, uint64_t rules);

/* Rules that the policy does not have any more are left out. */
uint64_t rule_titles_parse(const struct policy *policy, const char *titles);

#endif
