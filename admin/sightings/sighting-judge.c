#include "sighting-judge.h"

#include <string.h>

#include "admin/store/store-activity.h"
#include "whereabouts.h"

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

/* What is known of where a client was. */
struct client {
	bool known;
	struct whereabouts whereabouts; /* where the address is not known any more */
	struct country country;
};

/* Recorded before whereabouts were noted, or by hand: no address of a country is local. */
static struct whereabouts guess_whereabouts(const struct policy *policy,
					    const struct store_sighting *sighting)
{
	return (struct whereabouts){.local = sighting->habit->country.code[0] == '\0' &&
					     !broke_country(policy, sighting->rules)};
}

/* Fills in the attempt's client, too. */
static struct client find_client(const struct edition *edition,
				 const struct store_sighting *sighting, struct attempt *attempt)
{
	/* Of 100::/64, which nobody has (RFC 6666). */
	static const struct address loopback = {.bytes = {[15] = 1}, .known = true};
	static const struct address elsewhere = {.bytes = {[0] = 1, [15] = 1}, .known = true};
	struct client client = {.country = sighting->habit->country};

	client.known = address_parse(sighting->last_client, &attempt->client);
	if (client.known) {
		/* Recorded before there was a database. */
		if (client.country.code[0] == '\0')
			client.country = judge_country(edition, attempt, NULL);
		return client;
	}
	if (sighting->whereabouts == NULL ||
	    !whereabouts_parse(sighting->whereabouts, &client.whereabouts))
		client.whereabouts = guess_whereabouts(edition->policy, sighting);
	attempt->client = client.whereabouts.local ? loopback : elsewhere;
	return client;
}

/* The networks as they are to be asked about an address that stands for one that was
   erased. What is not known to be in a network is outside. */
static struct network network_for(const struct network *network,
				  const struct whereabouts *whereabouts)
{
	static struct address_range all = {.last = {[0 ... 15] = 0xff}};

	return whereabouts->in_network && network_contains_range(network, &whereabouts->range)
		       ? (struct network){.ranges = &all, .count = 1}
		       : (struct network){0};
}

/* A rule as it is to be asked about a client; changed: memory for it, should that be another. */
static const struct rule *rule_for(const struct rule *rule, const struct client *client,
				   struct rule *changed)
{
	if (client->known || rule->except.count + rule->networks.count == 0)
		return rule;
	*changed = *rule;
	changed->except = network_for(&rule->except, &client->whereabouts);
	changed->networks = network_for(&rule->networks, &client->whereabouts);
	return changed;
}

enum tls_version sighting_tls_below(const struct policy *policy, enum tls_state tls,
				    const struct store_rule_set *broken)
{
	enum tls_version lowest = TLS_VERSION_UNKNOWN;

	if (tls == TLS_NONE)
		return TLS_VERSION_UNKNOWN;
	for (size_t i = 0; i < broken->rule_count; i++) {
		const struct rule *rule = policy_rule(policy, broken->rules[i].title);

		if (rule == NULL || rule->kind != KIND_ENCRYPTION ||
		    rule->minimum == TLS_VERSION_UNKNOWN)
			continue;
		if (lowest == TLS_VERSION_UNKNOWN || rule->minimum < lowest)
			lowest = rule->minimum;
	}
	return lowest;
}

/* The newest version that it may have been. */
static enum tls_version recorded_version(const struct policy *policy,
					 const struct store_sighting *sighting)
{
	const struct store_habit *habit = sighting->habit;
	enum tls_version below = sighting->tls_below;

	if (habit->of_log || habit->tls_version != TLS_VERSION_UNKNOWN)
		return habit->tls_version;
	/* Recorded before that was noted, or when the rule was another one. */
	if (below == TLS_VERSION_UNKNOWN)
		below = sighting_tls_below(policy, habit->tls, sighting->rules);
	return below == TLS_VERSION_UNKNOWN ? TLS_V1_3 : below - 1;
}

/* Whether a log says nothing of the client, which the rule asks for. */
static bool lacks_client(const struct store_sighting *sighting, const struct rule *rule)
{
	const char *whereabouts = sighting->whereabouts;

	return sighting->habit->of_log && sighting->last_client[0] == '\0' &&
	       (whereabouts == NULL || whereabouts[0] == '\0') &&
	       (rule->kind == KIND_COUNTRY || rule->except.count > 0);
}

/* What a log without ports tells all the same. */
static enum finding judge_without_port(const struct store_habit *habit, const struct rule *rule)
{
	if (!habit->of_log || rule->kind != KIND_IMPLICIT_TLS)
		return FINDING_UNKNOWN;
	switch (habit->tls) {
	case TLS_NONE:
	case TLS_STARTTLS:
		return FINDING_BROKEN;
	case TLS_IMPLICIT:
		return FINDING_KEPT;
	default:
		return FINDING_UNKNOWN;
	}
}

/* Whether a rule that the user is let off would be broken. */
static bool would_be_broken(const struct sighting_judge *judge, const struct attempt *attempt,
			    const struct rule *rule, struct country country)
{
	struct edition strict = judge->edition;

	strict.exemptions = strict.grace = NULL;
	return judge_rule(&strict, attempt, rule, country, judge->at).finding == FINDING_BROKEN;
}

bool sighting_is_somebodys(const struct store_sighting *sighting)
{
	return store_is_presence(sighting) && sighting->user != NULL && sighting->user[0] != '\0';
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
	struct client client = find_client(&judge->edition, sighting, &attempt);

	verdict.country = client.country;
	attempt.tls_version = recorded_version(policy, sighting);
	for (size_t i = 0; i < policy->rule_count; i++) {
		uint64_t bit = UINT64_C(1) << i;
		struct rule_finding found;
		const struct rule *rule;
		struct rule changed;

		if ((judge->considered & bit) == 0)
			continue;
		rule = rule_for(&judge->rules[i], &client, &changed);
		found = judge_rule(&judge->edition, &attempt, rule, client.country, judge->at);
		if (found.finding != FINDING_BROKEN && found.exemption != NULL &&
		    would_be_broken(judge, &attempt, rule, client.country))
			verdict.exempt |= bit;
		if (found.finding >= FINDING_KEPT && lacks_client(sighting, &judge->rules[i]))
			found.finding = FINDING_UNKNOWN;
		else if (found.finding == FINDING_UNKNOWN && habit->port == 0)
			found.finding = judge_without_port(habit, rule);
		if (found.finding == FINDING_KEPT)
			verdict.kept |= bit;
		if (found.finding == FINDING_UNKNOWN)
			verdict.untold |= bit;
		if (found.finding != FINDING_BROKEN)
			continue;
		verdict.broken |= bit;
		if (found.phase == PHASE_ENFORCE)
			verdict.rejecting |= bit;
	}
	return verdict;
}
