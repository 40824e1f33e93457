#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/loaded-policy.h"
#include "admin/questions/rule-explanation.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/wrapped-text.h"
#include "command.h"

static const struct command_help help = {
	.name = "explain",
	.usage = "--service SERVICE --port PORT --tls STATE --client ADDRESS "
		 "[--mechanism MECHANISM --user USER] [OPTION...]",
	.description = "Says what happens to a login or a mail, and why.",
	.closing = "Exit status: 0 allowed, 1 rejected.",
};

/* The command line as it stands there. */
struct options {
	const char *service, *port, *tls, *mechanism, *client, *user, *tls_version;
	time_t at;
	bool json;
};

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"service", 's', "SERVICE", "imap, pop3, sieve, submission or smtp",
		 .text = &options->service},
		{"port", 'p', "PORT", "the server's port", .text = &options->port},
		{"tls", 't', "STATE", "none, starttls or implicit", .text = &options->tls},
		{"mechanism", 'm', "MECHANISM", "the SASL mechanism; not for smtp",
		 .text = &options->mechanism},
		{"client", 'a', "ADDRESS", "the client's IP address", .text = &options->client},
		{"user", 'u', "USER", "who logs in; not for smtp", .text = &options->user},
		{"at", '\0', "DATE", "judge as of this time instead of now", .date = &options->at},
		{"tls-version", '\0', "VERSION", "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3",
		 .text = &options->tls_version},
		{"json", 'j', NULL, "print JSON", .flag = &options->json},
		{0},
	};

	return command_options_read_all(argc, argv, &help, known, status_r);
}

static const char *missing_option(const struct options *options)
{
	if (options->service == NULL)
		return "service";
	if (options->port == NULL)
		return "port";
	if (options->tls == NULL)
		return "tls";
	if (options->client == NULL)
		return "client";
	/* Without a login there is neither. */
	if (strcmp(options->service, "smtp") == 0)
		return NULL;
	if (options->mechanism == NULL)
		return "mechanism";
	if (options->user == NULL)
		return "user";
	return NULL;
}

/* mechanism: that of the options, in capitals. Returns 0 or EX_USAGE. */
static int read_attempt(const struct options *options, const char *mechanism,
			struct attempt *attempt_r)
{
	struct attempt attempt = {
		.mechanism = mechanism, .user = "", .client_id = "", .session = ""};

	if (!service_from_name(options->service, &attempt.service))
		return usage_error("explain",
				   "--service: unknown service '%s' (one of imap, pop3, sieve, "
				   "submission, smtp)",
				   options->service);
	if (attempt.service == SERVICE_SMTP &&
	    (options->mechanism != NULL || options->user != NULL))
		return usage_error("explain", "--service smtp is mail without a login, so it "
					      "takes no --mechanism and no --user");
	if (!port_parse(options->port, &attempt.port))
		return usage_error("explain", "--port: '%s' is not a number from 1 to 65535",
				   options->port);
	/* What logs leave open is nothing to ask about. */
	if (!tls_state_from_name(options->tls, &attempt.tls) || attempt.tls > TLS_IMPLICIT)
		return usage_error("explain",
				   "--tls: unknown state '%s' (one of none, starttls, implicit)",
				   options->tls);
	if (!address_parse(options->client, &attempt.client))
		return usage_error("explain", "--client: '%s' is not an IP address",
				   options->client);
	if (options->tls_version != NULL &&
	    !tls_version_from_name(options->tls_version, &attempt.tls_version))
		return usage_error("explain",
				   "--tls-version: unknown version '%s' (one of TLSv1, TLSv1.1, "
				   "TLSv1.2, TLSv1.3)",
				   options->tls_version);
	if (options->tls_version != NULL && attempt.tls == TLS_NONE)
		return usage_error("explain", "--tls-version does not work with --tls none");
	if (attempt.service == SERVICE_SUBMISSION || attempt.service == SERVICE_SMTP)
		attempt.source = SOURCE_POSTFIX;
	*attempt_r = attempt;
	return 0;
}

static const char *when(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_REJECT_BEFORE:
		return "before-password";
	case OUTCOME_REJECT_AFTER:
		return "after-password";
	case OUTCOME_ALLOW:
		break;
	}
	return NULL;
}

static void print_attempt(const struct question *question)
{
	const struct attempt *attempt = &question->attempt;
	const struct country_database *countries = question->edition.countries;
	char at[DATE_TEXT_SIZE], built[DATE_TEXT_SIZE];
	char client[ADDRESS_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];

	date_format(question->time, at);
	printf("time     %s\n", at);
	printf("service  %s, port %u, TLS %s", service_name(attempt->service), attempt->port,
	       tls_state_name(attempt->tls));
	if (attempt->mechanism[0] != '\0')
		printf(", %s", attempt->mechanism);
	address_format(&attempt->client, client);
	if (attempt->user[0] != '\0')
		printf("\nuser     %s", attempt->user);
	printf("\nclient   %s\n", client);
	if (address_is_local(&attempt->client)) {
		printf("country  none, a local address\n");
		return;
	}
	if (countries == NULL) {
		printf("country  not known, there is no country database\n");
		return;
	}
	date_format(country_database_built(countries), built);
	prefix_format(&attempt->client, question->prefix_length, prefix);
	wrapped_line_print(9, "country  %s for %s, by the database built %s",
			   question->country.code[0] == '\0' ? "not known" : question->country.code,
			   prefix, built);
}

static void print_step(const char *step, const char *text)
{
	if (text != NULL)
		wrapped_line_print(15, "    %-9s  %s", step, text);
}

static const char *finding_text(enum finding finding)
{
	switch (finding) {
	case FINDING_OFF:
		return "not in force";
	case FINDING_OUT_OF_SCOPE:
		return "does not apply";
	case FINDING_EXEMPT:
	case FINDING_NETWORK:
		return "let off";
	case FINDING_UNKNOWN:
		return "cannot be judged";
	case FINDING_KEPT:
		return "kept";
	case FINDING_BROKEN:
		break;
	}
	return "broken";
}

static void print_rule(const struct rule *rule, const struct rule_explanation *explanation)
{
	const char *kind = kind_name(rule->kind);
	bool titled = strcmp(rule->title, kind) != 0;

	putchar('\n');
	wrapped_line_print(4, "rule %s%s%s%s, phase %s: %s", rule->title, titled ? " (" : "",
			   titled ? kind : "", titled ? ")" : "",
			   phase_name(explanation->found.phase),
			   finding_text(explanation->found.finding));
	print_step("exemption", explanation->exemption);
	print_step("network", explanation->network);
	print_step("rule", explanation->rule);
}

static void print_verdict(const struct verdict *verdict)
{
	if (verdict->outcome == OUTCOME_ALLOW) {
		wrapped_line_print(0, "\nAllowed%s.",
				   verdict->broken == 0 ? ""
							: ", but recorded for the rules it breaks");
		return;
	}
	wrapped_line_print(0, "\nRejected %s, by rule %s. The client is told:",
			   verdict->outcome == OUTCOME_REJECT_BEFORE
				   ? "before the password is looked at"
				   : "after the password was verified",
			   verdict->rejecting->title);
	wrapped_line_print(4, "    %s", verdict->rejecting->message);
}

static json_t *rule_json(const struct rule *rule, const struct rule_explanation *explanation)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s}", "rule", rule->title, "kind",
			 kind_name(rule->kind), "phase", phase_name(explanation->found.phase),
			 "broken", explanation->found.finding == FINDING_BROKEN, "why",
			 explanation->why);
}

static void print_json(const struct question *question)
{
	const struct policy *policy = question->edition.policy;
	const struct verdict *verdict = &question->verdict;
	const char *country = question->country.code;
	json_t *rules = json_array();

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule_explanation explanation;

		rule_explain(question, &policy->rules[i], &explanation);
		json_array_append_new(rules, rule_json(&policy->rules[i], &explanation));
		rule_explanation_free(&explanation);
	}
	json_print(json_pack("{s:s, s:s?, s:s?, s:o, s:s?}", "action",
			     verdict->outcome == OUTCOME_ALLOW ? "allow" : "reject", "when",
			     when(verdict->outcome), "message",
			     verdict->rejecting == NULL ? NULL : verdict->rejecting->message,
			     "rules", rules, "country", country[0] == '\0' ? NULL : country));
}

static void print_text(const struct question *question)
{
	const struct policy *policy = question->edition.policy;

	print_attempt(question);
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule_explanation explanation;

		rule_explain(question, &policy->rules[i], &explanation);
		print_rule(&policy->rules[i], &explanation);
		rule_explanation_free(&explanation);
	}
	print_verdict(&question->verdict);
}

/* Answers for the files as they are now; the servers may still have older ones. */
static int answer(const char *config_path, const struct options *options,
		  const struct attempt *of_options)
{
	struct attempt attempt = *of_options;
	struct loaded_policy loaded;
	struct question question;
	struct edition edition;
	char user[USER_SIZE];
	int status;

	if (!policy_load(config_path, &loaded))
		return EX_CONFIG;
	if (user_normalise(options->user == NULL ? "" : options->user,
			   loaded.policy->default_domain, user, sizeof(user))) {
		attempt.user = user;
		edition = loaded_edition(&loaded);
		question_ask(&question, &edition, &attempt, options->at);
		if (options->json)
			print_json(&question);
		else
			print_text(&question);
		status = question.verdict.outcome == OUTCOME_ALLOW ? EXIT_SUCCESS : EXIT_NO;
	} else {
		status = usage_error("explain", "--user: the name is too long");
	}
	policy_unload(&loaded);
	return status;
}

int explain_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.at = time(NULL)};
	struct attempt attempt;
	const char *missing;
	char *mechanism;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	missing = missing_option(&options);
	if (missing != NULL)
		return usage_error("explain", "--%s is missing", missing);
	mechanism = g_ascii_strup(options.mechanism == NULL ? "" : options.mechanism, -1);
	status = read_attempt(&options, mechanism, &attempt);
	if (status == 0)
		status = answer(config_path, &options, &attempt);
	g_free(mechanism);
	return status;
}
