#include "policy-digest.h"

#include <inttypes.h>
#include <stdio.h>

#include "policy/fnv.h"

static uint64_t add_number(uint64_t hash, uint64_t number)
{
	return fnv_hash(hash, &number, sizeof(number));
}

/* With its end, so that two texts are not those of another two; NULL: "". */
static uint64_t add_text(uint64_t hash, const char *text)
{
	return fnv_hash(hash, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
}

static uint64_t add_network(uint64_t hash, const struct network *network)
{
	hash = add_number(hash, network->count);
	for (size_t i = 0; i < network->count; i++) {
		hash = fnv_hash(hash, network->ranges[i].first, sizeof(network->ranges[i].first));
		hash = fnv_hash(hash, network->ranges[i].last, sizeof(network->ranges[i].last));
	}
	return hash;
}

static uint64_t add_ports(uint64_t hash, const uint16_t *ports, size_t count)
{
	hash = add_number(hash, count);
	for (size_t i = 0; i < count; i++)
		hash = add_number(hash, ports[i]);
	return hash;
}

static uint64_t add_schedule(uint64_t hash, const struct schedule *schedule)
{
	hash = add_number(hash, (uint64_t)schedule->observe);
	hash = add_number(hash, (uint64_t)schedule->notify);
	hash = add_number(hash, (uint64_t)schedule->enforce);
	hash = add_number(hash, schedule->brownout_count);
	for (size_t i = 0; i < schedule->brownout_count; i++) {
		hash = add_number(hash, (uint64_t)schedule->brownouts[i].begin);
		hash = add_number(hash, (uint64_t)schedule->brownouts[i].end);
	}
	return hash;
}

/* What the kind looks at. */
static uint64_t add_options(uint64_t hash, const struct rule *rule)
{
	hash = add_number(hash, rule->minimum);
	hash = add_number(hash, rule->mechanism_count);
	for (size_t i = 0; i < rule->mechanism_count; i++)
		hash = add_text(hash, rule->mechanisms[i]);
	hash = add_number(hash, rule->country_count);
	for (size_t i = 0; i < rule->country_count; i++)
		hash = add_text(hash, rule->countries[i].code);
	hash = add_number(hash, rule->reject_unknown);
	hash = add_ports(hash, rule->ports, rule->port_count);
	return add_network(hash, &rule->networks);
}

static uint64_t add_rule(uint64_t hash, const struct rule *rule)
{
	hash = add_text(hash, rule->title);
	hash = add_number(hash, rule->kind);
	hash = add_number(hash, rule->services);
	hash = add_schedule(hash, &rule->schedule);
	hash = add_network(hash, &rule->except);
	hash = add_number(hash, rule->reject);
	hash = add_text(hash, rule->message);
	hash = add_number(hash, (uint64_t)rule->grace);
	return add_options(hash, rule);
}

void policy_digest(const struct policy *policy, const struct exemptions *exemptions,
		   char id_r[static EDITION_ID_SIZE])
{
	uint64_t hash = add_text(FNV_START, policy->default_domain);

	hash = add_ports(hash, policy->implicit_tls_ports, policy->implicit_tls_port_count);
	hash = add_number(hash, policy->smtp_enforced_at_auth);
	hash = add_number(hash, policy->rule_count);
	for (size_t i = 0; i < policy->rule_count; i++)
		hash = add_rule(hash, &policy->rules[i]);
	hash = add_number(hash, exemptions == NULL ? 0 : exemptions_digest(exemptions));
	snprintf(id_r, EDITION_ID_SIZE, "%016" PRIx64, hash);
}
