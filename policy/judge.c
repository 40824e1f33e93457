#include "judge.h"

#include <string.h>

/* Countries go by reference here: three bytes by value cost more than a rule. */
static bool country_in(const struct country *countries, size_t count, const struct country *country)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(countries[i].code, country->code, 2) == 0)
			return true;
	}
	return false;
}

static bool port_in(const uint16_t *ports, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

static enum finding broken_if(bool broken)
{
	return broken ? FINDING_BROKEN : FINDING_KEPT;
}

static enum finding judge_encryption(const struct rule *rule, const struct attempt *attempt)
{
	if (attempt->tls == TLS_NONE)
		return FINDING_BROKEN;
	if (attempt->tls == TLS_UNTOLD)
		return FINDING_UNKNOWN;
	/* Dovecot does not tell the version; then any will do. */
	if (attempt->tls_version == TLS_VERSION_UNKNOWN && rule->minimum != TLS_VERSION_UNKNOWN)
		return FINDING_UNKNOWN;
	return broken_if(attempt->tls_version < rule->minimum);
}

static enum finding judge_implicit_tls(const struct policy *policy, const struct attempt *attempt)
{
	if (attempt->port == 0)
		return FINDING_UNKNOWN;
	return broken_if(!policy_port_is_implicit_tls(policy, attempt->port));
}

static enum finding judge_mechanism(const struct rule *rule, const struct attempt *attempt)
{
	if (attempt->mechanism[0] == '\0')
		return FINDING_OUT_OF_SCOPE;
	return broken_if(!rule_allows_mechanism(rule, attempt->mechanism));
}

static enum finding judge_country_rule(const struct edition *edition, const struct rule *rule,
				       const struct attempt *attempt, const struct country *country,
				       const struct exemption *added)
{
	if (address_is_local(&attempt->client))
		return FINDING_KEPT;
	/* Without a database everybody would be a stranger: lock out nobody. */
	if (edition->countries == NULL)
		return FINDING_UNKNOWN;
	if (country->code[0] == '\0')
		return broken_if(rule->reject_unknown);
	return broken_if(added == NULL &&
			 !country_in(rule->countries, rule->country_count, country));
}

static enum finding judge_submission_port(const struct rule *rule, const struct attempt *attempt)
{
	bool submitted = attempt->service == SERVICE_SUBMISSION ||
			 network_contains(&rule->networks, &attempt->client);

	if (!submitted)
		return FINDING_OUT_OF_SCOPE;
	if (attempt->port == 0)
		return FINDING_UNKNOWN;
	return broken_if(!port_in(rule->ports, rule->port_count, attempt->port));
}

static enum finding judge_relay(const struct rule *rule, const struct attempt *attempt)
{
	if (attempt->port == 0)
		return FINDING_UNKNOWN;
	if (attempt->port != 25)
		return FINDING_OUT_OF_SCOPE;
	if (!attempt->client.known)
		return FINDING_UNKNOWN;
	return broken_if(!network_contains(&rule->networks, &attempt->client));
}

static enum finding judge_kind(const struct edition *edition, const struct rule *rule,
			       const struct attempt *attempt, const struct country *country,
			       const struct exemption *added)
{
	switch (rule->kind) {
	case KIND_ENCRYPTION:
		return judge_encryption(rule, attempt);
	case KIND_IMPLICIT_TLS:
		return judge_implicit_tls(edition->policy, attempt);
	case KIND_MECHANISM:
		return judge_mechanism(rule, attempt);
	case KIND_COUNTRY:
		return judge_country_rule(edition, rule, attempt, country, added);
	case KIND_PROTOCOL:
		return FINDING_BROKEN; /* the service alone decides */
	case KIND_SUBMISSION_PORT:
		return judge_submission_port(rule, attempt);
	case KIND_RELAY:
		return judge_relay(rule, attempt);
	case KIND_COUNT:
		break;
	}
	return FINDING_OUT_OF_SCOPE;
}

static bool in_scope(const struct rule *rule, const struct attempt *attempt)
{
	if ((rule->services & SERVICE_BIT(attempt->service)) == 0)
		return false;
	/* What only a mail transaction tells, a login cannot break. */
	return attempt->source == SOURCE_POSTFIX ||
	       (rule->kind != KIND_SUBMISSION_PORT && rule->kind != KIND_RELAY);
}

/* The user's exemption from a whole rule, or NULL. The one that adds the
   client's country to a country rule goes to *added_r. */
static const struct exemption *find_exemption(const struct exemption *exemptions, size_t count,
					      const struct rule *rule,
					      const struct country *country, time_t now,
					      const struct exemption **added_r)
{
	*added_r = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct exemption *exemption = &exemptions[i];

		if (exemption->rule != rule->index || now < exemption->begin ||
		    now >= exemption->end)
			continue;
		if (exemption->country_count == 0)
			return exemption;
		if (country_in(exemption->countries, exemption->country_count, country) &&
		    !country_in(rule->countries, rule->country_count, country))
			*added_r = exemption;
	}
	return NULL;
}

/* What a user is let off, and given grace for. */
struct let_off {
	const struct exemption *exemptions, *grace;
	size_t exemption_count, grace_count;
};

static struct let_off let_off(const struct edition *edition, const char *user)
{
	struct let_off let_off;

	let_off.exemptions =
		exemptions_of_user(edition->exemptions, user, &let_off.exemption_count);
	let_off.grace = exemptions_of_user(edition->grace, user, &let_off.grace_count);
	return let_off;
}

static struct rule_finding find(const struct edition *edition, const struct attempt *attempt,
				const struct rule *rule, const struct country *country,
				const struct let_off *let_off, time_t now)
{
	struct rule_finding found = {.finding = FINDING_OUT_OF_SCOPE};
	const struct exemption *added, *none;

	found.phase = schedule_phase(&rule->schedule, now);
	if (!in_scope(rule, attempt))
		return found;
	if (found.phase == PHASE_OFF) {
		found.finding = FINDING_OFF;
		return found;
	}
	found.exemption = find_exemption(let_off->exemptions, let_off->exemption_count, rule,
					 country, now, &added);
	if (found.exemption == NULL && let_off->grace_count > 0) {
		found.exemption = find_exemption(let_off->grace, let_off->grace_count, rule,
						 country, now, &none);
		found.is_grace = found.exemption != NULL;
	}
	if (found.exemption != NULL) {
		found.finding = FINDING_EXEMPT;
		return found;
	}
	if (network_contains(&rule->except, &attempt->client)) {
		found.finding = FINDING_NETWORK;
		return found;
	}
	found.exemption = added;
	found.finding = judge_kind(edition, rule, attempt, country, added);
	return found;
}

struct rule_finding judge_rule(const struct edition *edition, const struct attempt *attempt,
			       const struct rule *rule, struct country country, time_t now)
{
	const struct let_off of_user = let_off(edition, attempt->user);

	return find(edition, attempt, rule, &country, &of_user, now);
}

struct country judge_country(const struct edition *edition, const struct attempt *attempt,
			     unsigned int *prefix_length_r)
{
	if (prefix_length_r != NULL)
		*prefix_length_r = 0;
	if (edition->countries == NULL || address_is_local(&attempt->client))
		return (struct country){""};
	return country_database_lookup(edition->countries, &attempt->client, prefix_length_r);
}

void judge(const struct edition *edition, const struct attempt *attempt, time_t now,
	   struct verdict *verdict_r)
{
	const struct policy *policy = edition->policy;
	bool may_be_exempt = edition->exemptions_unknown && attempt->user[0] != '\0';
	const struct let_off of_user = let_off(edition, attempt->user);

	verdict_r->outcome = OUTCOME_ALLOW;
	verdict_r->rejecting = NULL;
	verdict_r->broken = 0;
	verdict_r->country = judge_country(edition, attempt, NULL);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		struct rule_finding found =
			find(edition, attempt, rule, &verdict_r->country, &of_user, now);

		if (found.finding != FINDING_BROKEN)
			continue;
		verdict_r->broken |= UINT64_C(1) << i;
		verdict_r->phases[i] = found.phase;
		if (found.phase == PHASE_ENFORCE && rule->reject > verdict_r->outcome &&
		    !may_be_exempt) {
			verdict_r->outcome = rule->reject;
			verdict_r->rejecting = rule;
		}
	}
}

void verdict_refuse_before(const struct policy *policy, struct verdict *verdict)
{
	size_t i = 0;

	if (verdict->outcome == OUTCOME_ALLOW)
		return;
	while (!verdict_breaks(verdict, i) || verdict->phases[i] != PHASE_ENFORCE)
		i++;
	verdict->outcome = OUTCOME_REJECT_BEFORE;
	verdict->rejecting = &policy->rules[i];
}
