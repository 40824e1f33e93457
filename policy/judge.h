#ifndef PORTCULLIS_JUDGE_H
#define PORTCULLIS_JUDGE_H

#include "edition.h"

/* Why a rule is broken or not, in the order in which it is found out. */
enum finding {
	FINDING_OUT_OF_SCOPE, /* another service or server, or nothing that the
	                         rule's kind is about */
	FINDING_OFF,          /* the rule's phase is off */
	FINDING_EXEMPT,       /* the user is let off */
	FINDING_NETWORK,      /* the client is in one of except-networks */
	FINDING_UNKNOWN,      /* port, version of TLS, address, country database: what
	                         the rule asks for is not known, so it cannot be broken */
	FINDING_KEPT,
	FINDING_BROKEN
};

struct rule_finding {
	enum finding finding;
	enum phase phase;
	const struct exemption *exemption; /* of FINDING_EXEMPT, or the one that
	                                      added the client's country to those
	                                      that the rule allows */
	bool is_grace;                     /* that exemption */
};

struct verdict {
	enum outcome outcome;
	const struct rule *rejecting; /* the first rule of the strongest outcome,
	                                 whose message the client is told */
	uint64_t broken;              /* a bit for each broken rule's index */
	enum phase phases[RULES_MAX]; /* set for broken rules only */
	struct country country;       /* of the client; "" unknown or none */
};

/* Whether an attempt breaks the rule of this index. */
static inline bool verdict_breaks(const struct verdict *verdict, size_t rule)
{
	return (verdict->broken & UINT64_C(1) << rule) != 0;
}

/* Judges an attempt by all rules in the order of the file; the strongest
   outcome wins. While exemptions are not known, no user is refused. A pure
   function: the same edition, attempt and time give the same verdict, nothing is
   locked, allocated or read from a file. */
void judge(const struct edition *edition, const struct attempt *attempt, time_t now,
	   struct verdict *verdict_r);

/* For a server that can only refuse before the password (smtp-enforcement = "auth"): all
   rules that reject do so then, and the client is told the first one's message. */
void verdict_refuse_before(const struct policy *policy, struct verdict *verdict);

/* One rule of it, for those who want to know why. country is what the database
   says of the client. */
struct rule_finding judge_rule(const struct edition *edition, const struct attempt *attempt,
			       const struct rule *rule, struct country country, time_t now);

/* The country that judge() goes by: "" for local addresses, for those that the
   database does not know, and without a database. *prefix_length_r is as of
   country_database_lookup(), 0 where nothing is looked up. */
struct country judge_country(const struct edition *edition, const struct attempt *attempt,
			     unsigned int *prefix_length_r);

#endif
