#include <string.h>

#include "mend.h"

/* What Dovecot refuses by itself never reaches the gate: it is not recorded, and nobody is told. As
   long as a rule that is about it only observes or tells, that is before its date. Who was recorded
   and is refused now, the records tell: records.c. */

static void look_at_setting(struct doctor *doctor, enum finding_id id, const char *setting,
			    const char *line, const struct rule *rule, const char *what)
{
	const struct dovecot_entry *entry = dovecot_files_find(&doctor->files, setting);
	char *where;

	/* A default has turned people away from the beginning. */
	if (entry == NULL)
		return;
	where = where_in_dovecot(doctor, setting);
	finding_add(&doctor->findings, id, where, mend_dovecot(doctor, line),
		    "%s: Dovecot turns away logins without TLS by itself, unrecorded and untold, "
		    "while the rule %s does not refuse them yet",
		    what, rule->title);
	g_free(where);
}

static bool concerns_dovecot(const struct rule *rule)
{
	return (rule->services & (SERVICE_BIT(SERVICE_IMAP) | SERVICE_BIT(SERVICE_POP3) |
				  SERVICE_BIT(SERVICE_SIEVE))) != 0;
}

static void look_at_cleartext(struct doctor *doctor)
{
	const struct rule *rule = doctor_rule(doctor, KIND_ENCRYPTION, PHASE_OBSERVE, PHASE_NOTIFY);
	const struct dovecot *dovecot = &doctor->dovecot;

	if (rule == NULL || !concerns_dovecot(rule))
		return;
	if (strcmp(setting_value(dovecot->all, "ssl"), "required") == 0)
		look_at_setting(doctor, FINDING_SSL_REQUIRED, "ssl", "ssl = yes", rule,
				"ssl = required");
	if (!dovecot_allows_cleartext(dovecot))
		look_at_setting(doctor, FINDING_CLEARTEXT_REFUSED,
				dovecot_cleartext_setting(dovecot), dovecot_cleartext_line(dovecot),
				rule,
				dovecot->is_2_4 ? "auth_allow_cleartext = no"
						: "disable_plaintext_auth = yes");
}

/* On the rule's day, whoever uses any of them is refused. */
static void look_at_rule(struct doctor *doctor, const struct rule *rule, char *const *offered)
{
	char **allowed, *line, *where;

	for (size_t i = 0; offered[i] != NULL; i++) {
		if (rule_allows_mechanism(rule, offered[i]))
			return;
	}
	allowed = g_new0(char *, rule->mechanism_count + 1);
	memcpy(allowed, rule->mechanisms, rule->mechanism_count * sizeof(*allowed));
	line = dovecot_mechanisms_line(allowed);
	where = where_in_dovecot(doctor, "auth_mechanisms");
	finding_add(&doctor->findings, FINDING_MECHANISMS_ALL_REFUSED, where,
		    mend_dovecot(doctor, line),
		    "Dovecot offers no mechanism that the rule %s allows: once it is enforced, "
		    "nobody gets in",
		    rule->title);
	g_free(where);
	g_free(line);
	g_free(allowed);
}

/* As mechanism_asks_no_passdb() of dovecot-plugin/ways-around.c has it. */
static bool passes_by(const struct dovecot *dovecot, const char *mechanism)
{
	return strcmp(mechanism, "ANONYMOUS") == 0 ||
	       (setting_is_yes(dovecot->all, "auth_use_winbind") &&
		(strcmp(mechanism, "NTLM") == 0 || strcmp(mechanism, "GSS-SPNEGO") == 0));
}

static void look_at_ways_around(struct doctor *doctor, char *const *offered)
{
	GPtrArray *others = g_ptr_array_new(), *around = g_ptr_array_new();
	char *line, *list, *where;

	for (size_t i = 0; offered[i] != NULL; i++)
		g_ptr_array_add(passes_by(&doctor->dovecot, offered[i]) ? around : others,
				offered[i]);
	g_ptr_array_add(others, NULL);
	g_ptr_array_add(around, NULL);
	if (around->len > 1) {
		line = dovecot_mechanisms_line((char *const *)others->pdata);
		list = g_strjoinv(" ", (char **)around->pdata);
		where = where_in_dovecot(doctor, "auth_mechanisms");
		finding_add(&doctor->findings, FINDING_MECHANISM_AROUND_GATE, where,
			    mend_dovecot(doctor, line),
			    "Dovecot offers %s, which asks no passdb: no rule ever refuses it",
			    list);
		g_free(where);
		g_free(list);
		g_free(line);
	}
	g_ptr_array_unref(others);
	g_ptr_array_unref(around);
}

/* A policy server is asked before the gate, and told of the gate's refusals as of wrong
   passwords. */
static void look_at_auth_policy(struct doctor *doctor)
{
	const struct dovecot *dovecot = &doctor->dovecot;
	bool refuses = strcmp(dovecot_auth_policy(dovecot, "check_before_auth"), "yes") == 0 &&
		       strcmp(dovecot_auth_policy(dovecot, "log_only"), "yes") != 0;
	bool reports = strcmp(dovecot_auth_policy(dovecot, "report_after_auth"), "yes") == 0;
	char *where;

	if (dovecot_auth_policy(dovecot, "server_url")[0] == '\0' || (!refuses && !reports))
		return;
	where = where_in_dovecot(doctor, "auth_policy_server_url");
	finding_add(&doctor->findings, FINDING_AUTH_POLICY, where,
		    mend_dovecot(doctor, "auth_policy_check_before_auth = no\\n"
					 "auth_policy_report_after_auth = no"),
		    "the server of auth_policy refuses before the gate sees a login, and takes the "
		    "gate's refusals for wrong passwords");
	g_free(where);
}

void doctor_look_at_refusals(struct doctor *doctor)
{
	char **offered = dovecot_mechanisms(&doctor->dovecot);

	look_at_cleartext(doctor);
	for (size_t i = 0; i < doctor->policy->rule_count; i++) {
		const struct rule *rule = &doctor->policy->rules[i];

		if (rule->kind == KIND_MECHANISM && concerns_dovecot(rule) &&
		    rule->schedule.enforce != SCHEDULE_NEVER)
			look_at_rule(doctor, rule, offered);
	}
	look_at_ways_around(doctor, offered);
	look_at_auth_policy(doctor);
	g_strfreev(offered);
}
