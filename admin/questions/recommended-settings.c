#include "recommended-settings.h"

#include <glib.h>

#include "policy/config-problems.h"
#include "policy/judge.h"

/* What people are to set for one service. */
struct recommendation {
	const char *name;
	enum source source;
	enum service service;
	uint16_t port;
	unsigned int line;
};

struct check {
	const struct policy *policy;
	config_report *report;
	void *context;
};

static bool breaks(const struct policy *policy, const struct rule *rule,
		   const struct recommendation *recommended, const char *mechanism)
{
	static const struct schedule always = {SCHEDULE_ALWAYS, SCHEDULE_ALWAYS, SCHEDULE_ALWAYS,
					       NULL, 0};
	const struct edition edition = {.policy = policy};
	struct rule enforced = *rule;
	const struct attempt attempt = {
		.source = recommended->source,
		.service = recommended->service,
		.port = recommended->port,
		.tls = policy_port_is_implicit_tls(policy, recommended->port) ? TLS_IMPLICIT
									      : TLS_STARTTLS,
		.mechanism = mechanism,
		.user = "",
		.client_id = "",
		.session = "",
	};

	enforced.schedule = always;
	return judge_rule(&edition, &attempt, &enforced, (struct country){""}, 0).finding ==
	       FINDING_BROKEN;
}

/* A normal password is either of the two, as the server offers it. */
static bool refuses(const struct policy *policy, const struct rule *rule,
		    const struct recommendation *recommended)
{
	return breaks(policy, rule, recommended, "PLAIN") &&
	       breaks(policy, rule, recommended, "LOGIN");
}

static bool is_about_settings(const struct rule *rule)
{
	return rule->kind != KIND_COUNTRY && rule->kind != KIND_RELAY &&
	       (rule->schedule.notify != SCHEDULE_NEVER ||
		rule->schedule.enforce != SCHEDULE_NEVER);
}

static void check_service(const struct check *check, const struct recommendation *recommended)
{
	const struct policy *policy = check->policy;
	bool implicit = policy_port_is_implicit_tls(policy, recommended->port);

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		char *text;

		if (!is_about_settings(rule) || !refuses(policy, rule, recommended))
			continue;
		text = g_strdup_printf("client-settings recommend %s on port %u with %s and a "
				       "normal password, which the rule '%s' (%s) refuses",
				       recommended->name, recommended->port,
				       implicit ? "SSL/TLS" : "STARTTLS", rule->title,
				       kind_name(rule->kind));
		config_report_at(check->report, check->context, policy->file, recommended->line,
				 text);
		g_free(text);
	}
}

void recommended_settings_check(const struct policy *policy, config_report *report, void *context)
{
	const struct client_settings *settings = &policy->client_settings;
	const struct check check = {policy, report, context};
	const struct recommendation recommended[] = {
		{"IMAP", SOURCE_DOVECOT, SERVICE_IMAP, settings->imap_port, settings->imap_line},
		{"POP3", SOURCE_DOVECOT, SERVICE_POP3, settings->pop3_port, settings->pop3_line},
		{"SMTP", SOURCE_POSTFIX, SERVICE_SUBMISSION, settings->smtp_port,
		 settings->smtp_line},
	};

	/* Who sends no mails may have nothing to recommend. */
	if (settings->line == 0 && !notices_are_configured(&policy->notices))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(recommended); i++) {
		/* The texts name POP3 only where there is a server. */
		if (recommended[i].service != SERVICE_POP3 || settings->pop3_server != NULL)
			check_service(&check, &recommended[i]);
	}
}
