#include "sighting-judge.h"

#include <string.h>

void sighting_judge_init(struct sighting_judge *judge, const struct edition *edition, time_t at,
			 bool enforced)
{
	static const struct schedule always = {SCHEDULE_ALWAYS, SCHEDULE_ALWAYS, SCHEDULE_ALWAYS,
					       NULL, 0};
	const struct policy *policy = edition->policy;

	judge->edition = *edition;
	judge->at = at;
	judge->considered = 0;
	for (size_t i = 0; i < policy->rule_count; i++) {
		judge->rules[i] = policy->rules[i];
		if (enforced)
			judge->rules[i].schedule = always;
		judge->considered |= UINT64_C(1) << i;
	}
}

bool rule_set_has(const struct store_rule_set *set, const char *title)
{
	for (size_t i = 0; i < set->rule_count; i++) {
		if (strcmp(set->rules[i].title, title) == 0)
			return true;
	}
	return false;
}

static bool broke_country(const struct policy *policy, const struct store_rule_set *set)
{
	for (size_t i = 0; i < set->rule_count; i++) {
		const struct rule *rule = policy_rule(policy, set->rules[i].title);

		if (rule != NULL && rule->kind == KIND_COUNTRY)
			return true;
	}
	return false;
}

/* Fills in the client and its country; false when the address was erased. */
static bool find_client(const struct edition *edition, const struct store_sighting *sighting,
			struct attempt *attempt, struct country *country_r)
{
	/* Of 100::/64, which nobody has (RFC 6666): no address of a country is in
	   somebody's network, and is not local. */
	static const struct address elsewhere = {.bytes = {[0] = 1, [15] = 1}, .known = true};

	*country_r = sighting->habit->country;
	if (address_parse(sighting->last_client, &attempt->client)) {
		/* Recorded before there was a database. */
		if (country_r->code[0] == '\0')
			*country_r = judge_country(edition, attempt, NULL);
		return true;
	}
	if (country_r->code[0] != '\0' || broke_country(edition->policy, sighting->rules))
		attempt->client = elsewhere;
	return false;
}

/* Of an address that was erased: whether the record says that a rule which goes by
   networks was kept. */
static bool was_kept(const struct rule *rule, const struct store_sighting *sighting)
{
	return rule->except.count + rule->networks.count > 0 &&
	       schedule_phase(&rule->schedule, (time_t)(sighting->last_seen / 1000)) != PHASE_OFF &&
	       !rule_set_has(sighting->rules, rule->title);
}

/* Whoever broke a rule about encryption with TLS had too old a version of it. */
static enum tls_version recorded_version(const struct rule *rule,
					 const struct store_sighting *sighting)
{
	bool too_old = rule->kind == KIND_ENCRYPTION && rule->minimum != TLS_VERSION_UNKNOWN &&
		       sighting->habit->tls != TLS_NONE &&
		       rule_set_has(sighting->rules, rule->title);

	return too_old ? rule->minimum - 1 : TLS_VERSION_UNKNOWN;
}

/* Whether a rule that the user is let off would be broken. */
static bool would_be_broken(const struct sighting_judge *judge, const struct attempt *attempt,
			    const struct rule *rule, struct country country)
{
	struct edition strict = judge->edition;

	strict.exemptions = NULL;
	return judge_rule(&strict, attempt, rule, country, judge->at).finding == FINDING_BROKEN;
}

struct sighting_verdict sighting_judge_ask(const struct sighting_judge *judge,
					   const struct store_sighting *sighting)
{
	const struct policy *policy = judge->edition.policy;
	const struct store_habit *habit = sighting->habit;
	struct attempt attempt = {
		.source = habit->source,
		.service = habit->service,
		.tls = habit->tls,
		.port = habit->port,
		.user = sighting->user == NULL ? "" : sighting->user,
		.mechanism = habit->mechanism,
		.client_id = habit->client_id,
		.session = "",
	};
	struct sighting_verdict verdict = {0};
	struct country country;
	bool known = find_client(&judge->edition, sighting, &attempt, &country);

	for (size_t i = 0; i < policy->rule_count; i++) {
		uint64_t bit = UINT64_C(1) << i;
		struct rule_finding found;

		if ((judge->considered & bit) == 0)
			continue;
		attempt.tls_version = recorded_version(&policy->rules[i], sighting);
		found = judge_rule(&judge->edition, &attempt, &judge->rules[i], country, judge->at);
		if (found.finding == FINDING_EXEMPT &&
		    would_be_broken(judge, &attempt, &judge->rules[i], country))
			verdict.exempt |= bit;
		if (found.finding != FINDING_BROKEN ||
		    (!known && was_kept(&policy->rules[i], sighting)))
			continue;
		verdict.broken |= bit;
		if (found.phase == PHASE_ENFORCE)
			verdict.rejecting |= bit;
	}
	return verdict;
}
