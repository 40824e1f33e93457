#ifndef PORTCULLIS_SIGHTING_JUDGE_H
#define PORTCULLIS_SIGHTING_JUDGE_H

#include "admin/store/store.h"
#include "policy/judge.h"

/* Judges what is recorded by the policy of today, as if it were tried again. */
struct sighting_judge {
	struct edition edition;
	time_t at;
	uint64_t considered;          /* a bit for each rule that is asked */
	struct rule rules[RULES_MAX]; /* with the schedule to judge by */
};

/* at: the moment whose exemptions count, and whose phases, unless enforced: then
   every rule is in force whatever its dates. */
void sighting_judge_init(struct sighting_judge *judge, const struct edition *edition, time_t at,
			 bool enforced);

/* A bit for each rule's index. */
struct sighting_verdict {
	uint64_t broken;
	uint64_t rejecting; /* those of them that are enforced */
	uint64_t kept;      /* what they ask for is as they want it */
	uint64_t untold;    /* the record does not tell it */
	uint64_t exempt;    /* would be broken, were the user not let off, or not in that country */
	struct country country; /* of the client, as far as it is known */
};

/* Whether a sighting is some person's, who is its user: with a wrong password it may be
   anybody's, without a login there is nobody, and by ANONYMOUS it is nobody in particular,
   whatever was recorded. Needs the names. */
bool sighting_is_somebodys(const struct store_sighting *sighting);

/* Where the address was erased, its whereabouts count: what is not known to be in a network
   is outside. Where the version of TLS is not recorded, it is too old for every minimum that
   is not below one that the record says was not reached, and new enough for any other; but
   what a log does not say, nobody knows. A log that tells no port, but that there was no TLS,
   or STARTTLS, tells that the port was none of TLS alone. */
struct sighting_verdict sighting_judge_ask(const struct sighting_judge *judge,
					   const struct store_sighting *sighting);

/* The version that TLS was older than, as the rules say that were recorded as broken in spite
   of it; TLS_VERSION_UNKNOWN when none does. */
enum tls_version sighting_tls_below(const struct policy *policy, enum tls_state tls,
				    const struct store_rule_set *broken);

/* Whether a recorded set of rules has a title. */
bool rule_set_has(const struct store_rule_set *set, const char *title);

#endif
