#include "rule-explanation.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "admin/exemptions/grace-line.h"
#include "admin/terminal/display.h"

/* Makes "a", "a or b", "a, b or c" of items that come one by one. */
static void add_item(GString *list, size_t index, size_t count, const char *item)
{
	if (index > 0)
		g_string_append(list, index + 1 == count ? " or " : ", ");
	g_string_append(list, item);
}

static char *list_services(unsigned int services)
{
	size_t count = (size_t)__builtin_popcount(services), listed = 0;
	GString *list = g_string_new(NULL);

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((services & SERVICE_BIT(service)) != 0)
			add_item(list, listed++, count, service_name(service));
	}
	return g_string_free(list, FALSE);
}

static char *list_mechanisms(const struct rule *rule)
{
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < rule->mechanism_count; i++)
		add_item(list, i, rule->mechanism_count, rule->mechanisms[i]);
	return g_string_free(list, FALSE);
}

static char *list_countries(const struct rule *rule)
{
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < rule->country_count; i++)
		add_item(list, i, rule->country_count, rule->countries[i].code);
	return g_string_free(list, FALSE);
}

static char *list_ports(const struct rule *rule)
{
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < rule->port_count; i++) {
		char port[sizeof("65535")];

		snprintf(port, sizeof(port), "%u", rule->ports[i]);
		add_item(list, i, rule->port_count, port);
	}
	return g_string_free(list, FALSE);
}

/* A sentence that ends with a list, which is freed. */
static char *sentence_of_list(const char *before, char *list)
{
	char *text = g_strdup_printf("%s %s", before, list);

	g_free(list);
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
	char date[OFFSET_DATE_TEXT_SIZE];
	enum phase next_phase;
	time_t next = schedule_next_change(&rule->schedule, question->time, &next_phase);

	if (next == SCHEDULE_NEVER)
		return g_strdup_printf("the rule is off");
	return g_strdup_printf("the rule is off until %s", offset_date_format(next, date));
}

/* The last day on which an exemption holds. */
static void last_day_format(const struct exemption *exemption,
			    char text_r[static ISO_DAY_TEXT_SIZE])
{
	iso_day_format(exemption->end - 1, text_r);
}

/* Exemptions of the user from this rule that hold at another time, or for
   other countries, are what people ask about: name the first. */
static char *explain_no_exemption(const struct question *question, const struct rule *rule)
{
	const char *user = question->attempt.user;
	char first_day[ISO_DAY_TEXT_SIZE], last_day[ISO_DAY_TEXT_SIZE];
	size_t count;
	const struct exemption *exemptions =
		exemptions_of_user(question->edition.exemptions, user, &count);

	if (user[0] == '\0')
		return g_strdup_printf("nobody is logged in");
	for (size_t i = 0; i < count; i++) {
		const struct exemption *exemption = &exemptions[i];

		if (exemption->rule != rule->index)
			continue;
		last_day_format(exemption, last_day);
		iso_day_format(exemption->begin, first_day);
		if (question->time >= exemption->end)
			return g_strdup_printf("that of %s in line %u ended after %s", user,
					       exemption->line, last_day);
		if (question->time < exemption->begin)
			return g_strdup_printf("that of %s in line %u begins on %s", user,
					       exemption->line, first_day);
		return g_strdup_printf("line %u adds countries for %s until %s", exemption->line,
				       user, last_day);
	}
	return g_strdup_printf("%s has none", user);
}

static char *explain_grace(const struct question *question, const struct exemption *grace)
{
	const struct policy *policy = question->edition.policy;
	char *reason = grace_line_reason(policy, grace->line), *text;
	char last_day[ISO_DAY_TEXT_SIZE];

	last_day_format(grace, last_day);
	text = g_strdup_printf("%s has grace until %s%s%s (line %u of %s)", question->attempt.user,
			       last_day, reason[0] == '\0' ? "" : ": ", reason, grace->line,
			       policy->grace_file);
	g_free(reason);
	return text;
}

static char *explain_exemption(const struct question *question, const struct rule *rule,
			       const struct rule_finding *found)
{
	char last_day[ISO_DAY_TEXT_SIZE];

	if (found->finding != FINDING_EXEMPT)
		return explain_no_exemption(question, rule);
	if (found->is_grace)
		return explain_grace(question, found->exemption);
	last_day_format(found->exemption, last_day);
	return g_strdup_printf("line %u of %s lets %s off until %s", found->exemption->line,
			       question->edition.policy->exemptions, question->attempt.user,
			       last_day);
}

static char *explain_network(const struct question *question, const struct rule *rule,
			     const struct rule_finding *found)
{
	char client[ADDRESS_TEXT_SIZE];

	address_format(&question->attempt.client, client);
	if (found->finding == FINDING_NETWORK)
		return g_strdup_printf("%s is in one of except-networks", client);
	if (rule->except.count == 0)
		return g_strdup_printf("the rule excepts no networks");
	return g_strdup_printf("%s is in none of except-networks", client);
}

static char *explain_encryption(const struct question *question, const struct rule *rule,
				bool broken)
{
	const struct attempt *attempt = &question->attempt;

	if (attempt->tls == TLS_NONE)
		return g_strdup_printf("there is no TLS");
	if (attempt->tls == TLS_UNTOLD)
		return g_strdup_printf("whether there is TLS is not known");
	if (broken)
		return g_strdup_printf("%s is older than %s",
				       tls_version_name(attempt->tls_version),
				       tls_version_name(rule->minimum));
	if (rule->minimum != TLS_VERSION_UNKNOWN && attempt->tls_version == TLS_VERSION_UNKNOWN)
		return g_strdup_printf("there is TLS (%s), of an unknown version",
				       tls_state_name(attempt->tls));
	return g_strdup_printf("there is TLS (%s)", tls_state_name(attempt->tls));
}

static char *explain_implicit_tls(const struct question *question, bool broken)
{
	unsigned int port = question->attempt.port;

	return g_strdup_printf("port %u is %s the implicit-tls-ports", port,
			       broken ? "not one of" : "one of");
}

static char *explain_mechanism(const struct question *question, const struct rule *rule,
			       bool broken)
{
	char *allowed, *text;

	if (question->attempt.mechanism[0] == '\0')
		return g_strdup_printf("nobody logs in");
	if (!broken)
		return g_strdup_printf("%s is allowed", question->attempt.mechanism);
	allowed = list_mechanisms(rule);
	text = g_strdup_printf("%s is not %s", question->attempt.mechanism, allowed);
	g_free(allowed);
	return text;
}

static char *explain_unknown_country(const struct rule *rule, const char *client, const char *built)
{
	return g_strdup_printf(
		"the country database of %s does not know %s, and such addresses are %s", built,
		client, rule->reject_unknown ? "refused" : "allowed");
}

static char *explain_country(const struct question *question, const struct rule *rule,
			     const struct rule_finding *found)
{
	const struct country_database *countries = question->edition.countries;
	char client[ADDRESS_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE], built[ISO_DAY_TEXT_SIZE];
	char *allowed, *text;

	address_format(&question->attempt.client, client);
	if (address_is_local(&question->attempt.client))
		return g_strdup_printf("%s is a local address and has no country", client);
	if (countries == NULL)
		return g_strdup_printf("there is no country database to ask");
	iso_day_format(country_database_built(countries), built);
	if (question->country.code[0] == '\0')
		return explain_unknown_country(rule, client, built);
	prefix_format(&question->attempt.client, question->prefix_length, prefix);
	if (found->exemption != NULL)
		return g_strdup_printf("%s is in %s (%s), which line %u of %s adds for %s", client,
				       question->country.code, prefix, found->exemption->line,
				       question->edition.policy->exemptions,
				       question->attempt.user);
	if (found->finding == FINDING_KEPT)
		return g_strdup_printf("%s is in %s (%s), which is allowed", client,
				       question->country.code, prefix);
	allowed = list_countries(rule);
	text = g_strdup_printf("%s is in %s (%s; database of %s), and not in %s", client,
			       question->country.code, prefix, built, allowed);
	g_free(allowed);
	return text;
}

static char *explain_submission_port(const struct question *question, const struct rule *rule,
				     const struct rule_finding *found)
{
	char *allowed, *text;

	if (found->finding == FINDING_OUT_OF_SCOPE)
		return g_strdup_printf("nobody is logged in, and the client is in none of "
				       "client-networks");
	if (found->finding == FINDING_KEPT)
		return g_strdup_printf("port %u is allowed", question->attempt.port);
	allowed = list_ports(rule);
	text = g_strdup_printf("mail is submitted on port %u, not on %s", question->attempt.port,
			       allowed);
	g_free(allowed);
	return text;
}

static char *explain_relay(const struct question *question, const struct rule_finding *found)
{
	char client[ADDRESS_TEXT_SIZE];

	if (found->finding == FINDING_OUT_OF_SCOPE)
		return g_strdup_printf("port %u is not port 25", question->attempt.port);
	address_format(&question->attempt.client, client);
	return g_strdup_printf("%s is in %s allow-networks", client,
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
	return g_strdup_printf("the rule is of an unknown kind");
}

void question_ask(struct question *question_r, const struct edition *edition,
		  const struct attempt *attempt, time_t time)
{
	*question_r = (struct question){.edition = *edition, .attempt = *attempt, .time = time};
	question_r->country = judge_country(edition, attempt, &question_r->prefix_length);
	judge(edition, attempt, time, &question_r->verdict);
	/* Without the policy daemon only Dovecot can refuse the login. */
	if (edition->policy->smtp_enforced_at_auth && attempt->service == SERVICE_SUBMISSION)
		verdict_refuse_before(edition->policy, &question_r->verdict);
}

void rule_explain(const struct question *question, const struct rule *rule,
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
}

void rule_explanation_free(struct rule_explanation *explanation)
{
	g_free(explanation->exemption);
	g_free(explanation->network);
	g_free(explanation->rule);
	*explanation = (struct rule_explanation){0};
}
