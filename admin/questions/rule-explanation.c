#define _GNU_SOURCE /* asprintf(), open_memstream() */

#include "rule-explanation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* NULL when out of memory. */
static char *sentence(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : text;
}

/* "a", "a or b", "a, b or c". */
static const char *separator(size_t index, size_t count)
{
	if (index == 0)
		return "";
	return index + 1 == count ? " or " : ", ";
}

static char *list_services(unsigned int services)
{
	size_t size, count = (size_t)__builtin_popcount(services), listed = 0;
	char *text = NULL;
	FILE *list = open_memstream(&text, &size);

	if (list == NULL)
		return NULL;
	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((services & SERVICE_BIT(service)) == 0)
			continue;
		fprintf(list, "%s%s", separator(listed++, count), service_name(service));
	}
	fclose(list);
	return text;
}

static char *list_mechanisms(const struct rule *rule)
{
	size_t size;
	char *text = NULL;
	FILE *list = open_memstream(&text, &size);

	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < rule->mechanism_count; i++)
		fprintf(list, "%s%s", separator(i, rule->mechanism_count), rule->mechanisms[i]);
	fclose(list);
	return text;
}

static char *list_countries(const struct rule *rule)
{
	size_t size;
	char *text = NULL;
	FILE *list = open_memstream(&text, &size);

	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < rule->country_count; i++)
		fprintf(list, "%s%s", separator(i, rule->country_count), rule->countries[i].code);
	fclose(list);
	return text;
}

static char *list_ports(const uint16_t *ports, size_t count)
{
	size_t size;
	char *text = NULL;
	FILE *list = open_memstream(&text, &size);

	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		fprintf(list, "%s%u", separator(i, count), ports[i]);
	fclose(list);
	return text;
}

/* A sentence with one list in it, which is freed. */
static char *sentence_of_list(const char *before, char *list)
{
	char *text = list == NULL ? NULL : sentence("%s %s", before, list);

	free(list);
	return text;
}

void prefix_format(const struct address *address, unsigned int length,
		   char text_r[static PREFIX_TEXT_SIZE])
{
	unsigned int bits = length + (address_is_ipv4(address) ? 96 : 0);
	struct address network = *address;
	char text[ADDRESS_TEXT_SIZE];

	for (unsigned int bit = bits; bit < 128; bit++)
		network.bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
	address_format(&network, text);
	snprintf(text_r, PREFIX_TEXT_SIZE, "%s/%u", text, length);
}

static char *explain_phase(const struct question *question, const struct rule *rule)
{
	char date[DATE_TEXT_SIZE];
	enum phase next_phase;
	time_t next = schedule_next_change(&rule->schedule, question->time, &next_phase);

	if (next == SCHEDULE_NEVER)
		return sentence("the rule is off");
	date_format(next, date);
	return sentence("the rule is off until %s", date);
}

/* The last day on which an exemption holds. */
static void last_day_format(const struct exemption *exemption, char text_r[static DATE_TEXT_SIZE])
{
	date_format(exemption->end - 1, text_r);
	text_r[strlen("YYYY-MM-DD")] = '\0';
}

/* Exemptions of the user from this rule that hold at another time, or for
   other countries, are what people ask about: name the first. */
static char *explain_no_exemption(const struct question *question, const struct rule *rule)
{
	const char *user = question->attempt.user;
	char first_day[DATE_TEXT_SIZE], last_day[DATE_TEXT_SIZE];
	size_t count;
	const struct exemption *exemptions =
		exemptions_of_user(question->edition.exemptions, user, &count);

	if (user[0] == '\0')
		return sentence("nobody is logged in");
	for (size_t i = 0; i < count; i++) {
		const struct exemption *exemption = &exemptions[i];

		if (exemption->rule != rule->index)
			continue;
		last_day_format(exemption, last_day);
		date_format(exemption->begin, first_day);
		if (question->time >= exemption->end)
			return sentence("that of %s in line %u ended after %s", user,
					exemption->line, last_day);
		if (question->time < exemption->begin)
			return sentence("that of %s in line %u begins at %s", user, exemption->line,
					first_day);
		return sentence("line %u adds countries for %s until %s", exemption->line, user,
				last_day);
	}
	return sentence("%s has none", user);
}

static char *explain_exemption(const struct question *question, const struct rule *rule,
			       const struct rule_finding *found)
{
	char last_day[DATE_TEXT_SIZE];

	if (found->finding != FINDING_EXEMPT)
		return explain_no_exemption(question, rule);
	last_day_format(found->exemption, last_day);
	return sentence("line %u of %s lets %s off until %s", found->exemption->line,
			question->edition.policy->exemptions, question->attempt.user, last_day);
}

static char *explain_network(const struct question *question, const struct rule *rule,
			     const struct rule_finding *found)
{
	char client[ADDRESS_TEXT_SIZE];

	address_format(&question->attempt.client, client);
	if (found->finding == FINDING_NETWORK)
		return sentence("%s is in one of except-networks", client);
	if (rule->except.count == 0)
		return sentence("the rule excepts none");
	return sentence("%s is in none of except-networks", client);
}

static char *explain_encryption(const struct question *question, const struct rule *rule,
				bool broken)
{
	const struct attempt *attempt = &question->attempt;

	if (attempt->tls == TLS_NONE)
		return sentence("there is no TLS");
	if (broken)
		return sentence("%s is older than %s", tls_version_name(attempt->tls_version),
				tls_version_name(rule->minimum));
	if (rule->minimum != TLS_VERSION_UNKNOWN && attempt->tls_version == TLS_VERSION_UNKNOWN)
		return sentence("there is TLS (%s), of a version that was not told",
				tls_state_name(attempt->tls));
	return sentence("there is TLS (%s)", tls_state_name(attempt->tls));
}

static char *explain_implicit_tls(const struct question *question, bool broken)
{
	unsigned int port = question->attempt.port;

	return sentence("port %u is %s implicit-tls-ports", port,
			broken ? "none of the" : "one of the");
}

static char *explain_mechanism(const struct question *question, const struct rule *rule,
			       bool broken)
{
	char *allowed, *text;

	if (question->attempt.mechanism[0] == '\0')
		return sentence("nobody logs in");
	if (!broken)
		return sentence("%s is allowed", question->attempt.mechanism);
	allowed = list_mechanisms(rule);
	text = allowed == NULL ? NULL
			       : sentence("%s is not %s", question->attempt.mechanism, allowed);
	free(allowed);
	return text;
}

static char *explain_unknown_country(const struct rule *rule, const char *client, const char *built)
{
	return sentence("the country database of %s does not know %s, and such addresses are %s",
			built, client, rule->reject_unknown ? "refused" : "allowed");
}

static char *explain_country(const struct question *question, const struct rule *rule,
			     const struct rule_finding *found)
{
	const struct country_database *countries = question->edition.countries;
	char client[ADDRESS_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE], built[DATE_TEXT_SIZE];
	char *allowed, *text;

	address_format(&question->attempt.client, client);
	if (address_is_local(&question->attempt.client))
		return sentence("%s is a local address and has no country", client);
	if (countries == NULL)
		return sentence("there is no country database to ask");
	date_format(country_database_built(countries), built);
	built[strlen("YYYY-MM-DD")] = '\0';
	if (question->country.code[0] == '\0')
		return explain_unknown_country(rule, client, built);
	prefix_format(&question->attempt.client, question->prefix_length, prefix);
	if (found->exemption != NULL)
		return sentence("%s is in %s (%s), which line %u of %s adds for %s", client,
				question->country.code, prefix, found->exemption->line,
				question->edition.policy->exemptions, question->attempt.user);
	if (found->finding == FINDING_KEPT)
		return sentence("%s is in %s (%s), which is allowed", client,
				question->country.code, prefix);
	allowed = list_countries(rule);
	text = allowed == NULL ? NULL
			       : sentence("%s is in %s (%s; database of %s), and not in %s", client,
					  question->country.code, prefix, built, allowed);
	free(allowed);
	return text;
}

static char *explain_submission_port(const struct question *question, const struct rule *rule,
				     const struct rule_finding *found)
{
	char *allowed, *text;

	if (found->finding == FINDING_OUT_OF_SCOPE)
		return sentence("nobody is logged in, and the client is in none of "
				"client-networks");
	if (found->finding == FINDING_KEPT)
		return sentence("port %u is allowed", question->attempt.port);
	allowed = list_ports(rule->ports, rule->port_count);
	text = allowed == NULL ? NULL
			       : sentence("mail is submitted on port %u, not on %s",
					  question->attempt.port, allowed);
	free(allowed);
	return text;
}

static char *explain_relay(const struct question *question, const struct rule_finding *found)
{
	char client[ADDRESS_TEXT_SIZE];

	if (found->finding == FINDING_OUT_OF_SCOPE)
		return sentence("port %u is not port 25", question->attempt.port);
	address_format(&question->attempt.client, client);
	return sentence("%s is in %s allow-networks", client,
			found->finding == FINDING_BROKEN ? "none of the" : "one of the");
}

static char *explain_kind(const struct question *question, const struct rule *rule,
			  const struct rule_finding *found)
{
	bool broken = found->finding == FINDING_BROKEN;

	switch (rule->kind) {
	case KIND_ENCRYPTION:
		return explain_encryption(question, rule, broken);
	case KIND_IMPLICIT_TLS:
		return explain_implicit_tls(question, broken);
	case KIND_MECHANISM:
		return explain_mechanism(question, rule, broken);
	case KIND_COUNTRY:
		return explain_country(question, rule, found);
	case KIND_PROTOCOL:
		return sentence_of_list("the service is one of", list_services(rule->services));
	case KIND_SUBMISSION_PORT:
		return explain_submission_port(question, rule, found);
	case KIND_RELAY:
		return explain_relay(question, found);
	case KIND_COUNT:
		break;
	}
	return sentence("of no known kind");
}

bool rule_explain(const struct question *question, const struct rule *rule,
		  struct rule_explanation *explanation_r)
{
	struct rule_explanation explanation = {
		.found = judge_rule(&question->edition, &question->attempt, rule, question->country,
				    question->time)};
	const struct rule_finding *found = &explanation.found;
	bool in_services = (rule->services & SERVICE_BIT(question->attempt.service)) != 0;

	if (found->finding == FINDING_OFF) {
		explanation.why = explanation.rule = explain_phase(question, rule);
	} else if (!in_services) {
		explanation.why = explanation.rule =
			sentence_of_list("the service is not", list_services(rule->services));
	} else {
		explanation.why = explanation.exemption = explain_exemption(question, rule, found);
		if (found->finding != FINDING_EXEMPT)
			explanation.why = explanation.network =
				explain_network(question, rule, found);
		if (found->finding != FINDING_EXEMPT && found->finding != FINDING_NETWORK)
			explanation.why = explanation.rule = explain_kind(question, rule, found);
	}
	*explanation_r = explanation;
	return explanation.why != NULL;
}

void rule_explanation_free(struct rule_explanation *explanation)
{
	free(explanation->exemption);
	free(explanation->network);
	free(explanation->rule);
	*explanation = (struct rule_explanation){0};
}
