#ifndef PORTCULLIS_SURVEY_COUNT_H
#define PORTCULLIS_SURVEY_COUNT_H

#include "admin/sightings/sighting-judge.h"

/* Who would lose what, if a rule were enforced, by what was seen of people: each who came in a
   way that breaks it counts, whatever became of that since. */
struct survey_rule {
	bool considered;
	uint64_t people;     /* who break it: */
	uint64_t locked_out; /* in all their ways, or */
	uint64_t partly;     /* in some */
	uint64_t untold;     /* of whom nothing seen breaks it, but not all tells whether it does */
	uint64_t kept;       /* logins' ways that it is about, and that keep it */
	bool served;         /* there are logins by a server that has its services */
};

/* By the rule's index in the policy. The store must be being read; false when it fails. */
bool survey_count(struct survey_rule rules_r[RULES_MAX], struct store *store,
		  const struct sighting_judge *judge);

/* Whether anything that was seen tells of the rule. */
bool survey_rule_is_told(const struct survey_rule *rule);

/* Why it does not: "the logs do not tell ports". Static. */
const char *survey_why_not(const struct rule *rule, const struct survey_rule *found);

#endif
