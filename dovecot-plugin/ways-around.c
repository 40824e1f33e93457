#include "dovecot-compat.h"
#include "passdb-portcullis.h"
#include "ways-around.h"

/* GSSAPI and the OAuth mechanisms do ask, once the ticket or token is proven; of
   Dovecot's others only these do not. */
static bool mechanism_asks_no_passdb(const char *mechanism)
{
	if (strcmp(mechanism, "ANONYMOUS") == 0)
		return TRUE;
	return global_auth_settings->use_winbind &&
	       (strcmp(mechanism, "NTLM") == 0 || strcmp(mechanism, "GSS-SPNEGO") == 0);
}

static void warn_of_mechanism(const struct policy *policy, const char *mechanism)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind != KIND_MECHANISM || rule->schedule.enforce == SCHEDULE_NEVER ||
		    rule_allows_mechanism(rule, mechanism))
			continue;
		i_warning("portcullis: auth_mechanisms includes %s, which asks no passdb: "
			  "rule %s will NEVER REFUSE it. Remove it from auth_mechanisms "
			  "by the day the rule is enforced.",
			  mechanism, rule->title);
	}
}

void warn_of_mechanisms_without_passdb(const struct policy *policy)
{
	T_BEGIN
	{
		const char *const *mechanism = enabled_mechanisms();

		for (; *mechanism != NULL; mechanism++) {
			if (mechanism_asks_no_passdb(*mechanism))
				warn_of_mechanism(policy, *mechanism);
		}
	}
	T_END;
}

/* Whether a right password for this passdb ends the chain, and lets in. */
static bool lets_in(const struct auth_passdb *passdb)
{
	return !passdb->set->deny && (passdb->result_success == AUTH_DB_RULE_RETURN ||
				      passdb->result_success == AUTH_DB_RULE_RETURN_OK);
}

static void warn_of_chain(const struct auth_passdb *passdb, const char *setting)
{
	for (; passdb != NULL; passdb = passdb->next) {
		const char *driver = passdb->passdb->iface.name;

		if (strcmp(driver, passdb_portcullis.name) == 0)
			return;
		if (!lets_in(passdb))
			continue;
		i_warning("portcullis: no gate stands before %s %s: whomever it lets in, "
			  "NO RULE REFUSES, and nothing is recorded. "
			  "Make a gate the first %s.",
			  setting, driver, setting);
	}
}

void warn_of_passdbs_without_gate(void)
{
	/* Each may have a chain of its own; the first stands for all others. */
	static const char *const services[] = {NULL, "imap", "pop3", "sieve", "submission", "smtp"};
	static bool warned;
	const struct auth *seen[N_ELEMENTS(services)];

	if (warned)
		return;
	warned = TRUE;
	for (unsigned int i = 0; i < N_ELEMENTS(services); i++) {
		bool again = FALSE;

		seen[i] = find_auth(services[i]);
		for (unsigned int before = 0; before < i; before++)
			again = again || seen[before] == seen[i];
		if (again)
			continue;
		warn_of_chain(seen[i]->passdbs, "passdb");
		warn_of_chain(seen[i]->masterdbs, "master passdb");
	}
}
