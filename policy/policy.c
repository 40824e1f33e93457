#include <stdlib.h>
#include <string.h>

#include "policy.h"

static const char *const kind_names[KIND_COUNT] = {
	[KIND_ENCRYPTION] = "encryption", [KIND_IMPLICIT_TLS] = "implicit-tls",
	[KIND_MECHANISM] = "mechanism",   [KIND_COUNTRY] = "country",
	[KIND_PROTOCOL] = "protocol",     [KIND_SUBMISSION_PORT] = "submission-port",
	[KIND_RELAY] = "relay",
};

const char *kind_name(enum kind kind)
{
	return kind_names[kind];
}

bool kind_from_name(const char *name, enum kind *kind_r)
{
	for (unsigned int kind = 0; kind < KIND_COUNT; kind++) {
		if (strcmp(name, kind_names[kind]) == 0) {
			*kind_r = kind;
			return true;
		}
	}
	return false;
}

const struct rule *policy_rule(const struct policy *policy, const char *title)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (strcmp(policy->rules[i].title, title) == 0)
			return &policy->rules[i];
	}
	return NULL;
}

bool policy_port_is_implicit_tls(const struct policy *policy, uint16_t port)
{
	for (size_t i = 0; i < policy->implicit_tls_port_count; i++) {
		if (policy->implicit_tls_ports[i] == port)
			return true;
	}
	return false;
}

bool policy_retires_service(const struct policy *policy, enum service service)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == KIND_PROTOCOL && (rule->services & SERVICE_BIT(service)) != 0)
			return true;
	}
	return false;
}

const char *policy_user_name(const struct policy *policy, const char *language)
{
	const struct client_settings *settings = &policy->client_settings;

	for (size_t i = 0; i < settings->user_name_count; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): all that are counted are there */
		if (strcmp(policy->notices.languages[i], language) == 0)
			return settings->user_names[i];
	}
	return settings->user_name_count == 0 ? NULL : settings->user_names[0];
}

bool rule_allows_mechanism(const struct rule *rule, const char *mechanism)
{
	for (size_t i = 0; i < rule->mechanism_count; i++) {
		if (strcmp(rule->mechanisms[i], mechanism) == 0)
			return true;
	}
	return false;
}

static void rule_free(struct rule *rule)
{
	free(rule->title);
	free(rule->schedule.brownouts);
	network_free(&rule->except);
	free(rule->message);
	for (size_t i = 0; i < rule->mechanism_count; i++)
		free(rule->mechanisms[i]);
	free(rule->mechanisms);
	free(rule->countries);
	free(rule->ports);
	network_free(&rule->networks);
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		rule_free(&policy->rules[i]);
	free(policy->rules);
	for (size_t i = 0; i < policy->network_count; i++) {
		free(policy->networks[i].name);
		network_free(&policy->networks[i].network);
	}
	free(policy->networks);
	free(policy->file);
	free(policy->text);
	free(policy->organisation);
	free(policy->help_url);
	free(policy->default_domain);
	free(policy->country_database);
	free(policy->exemptions);
	free(policy->journal);
	free(policy->store);
	free(policy->host);
	free(policy->grace_file);
	for (size_t i = 0; i < policy->log_count; i++)
		free(policy->logs[i]);
	free(policy->logs);
	free(policy->implicit_tls_ports);
	notice_settings_free(&policy->notices);
	client_settings_free(&policy->client_settings);
	free(policy);
}
