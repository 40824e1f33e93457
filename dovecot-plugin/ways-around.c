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
	if (passdb->set->deny)
		return FALSE;
	switch (passdb->result_success) {
	case AUTH_DB_RULE_RETURN:
	case AUTH_DB_RULE_RETURN_OK:
		return TRUE;
	case AUTH_DB_RULE_CONTINUE:
	case AUTH_DB_RULE_CONTINUE_OK:
		/* Behind the last passdb for master users come all others. */
		return passdb->next == NULL && !passdb->set->master;
	case AUTH_DB_RULE_RETURN_FAIL:
	case AUTH_DB_RULE_CONTINUE_FAIL:
		break;
	}
	return FALSE;
}

static const char *driver(const struct auth_passdb *passdb)
{
	return passdb->passdb->iface.name;
}

/* where: "passdb", "master passdb of protocol imap". */
static void warn_of_chain(const struct auth_passdb *passdb, const char *where)
{
	for (; passdb != NULL; passdb = passdb->next) {
		if (strcmp(driver(passdb), passdb_portcullis.name) == 0)
			return;
		if (lets_in(passdb))
			i_warning("portcullis: no gate stands before %s %s: NO RULE REFUSES "
				  "whoever it lets in, and nothing is recorded. "
				  "Make a gate the first %s.",
				  driver(passdb), where, where);
	}
}

static bool chains_look_alike(const struct auth_passdb *one, const struct auth_passdb *other)
{
	while (one != NULL && other != NULL && strcmp(driver(one), driver(other)) == 0) {
		one = one->next;
		other = other->next;
	}
	return one == NULL && other == NULL;
}

/* Each protocol may have passdbs of its own, and mostly has those of all others. */
static void warn_of_protocol(const char *protocol)
{
	const struct auth *usual = find_auth(NULL), *auth = find_auth(protocol);

	if (!chains_look_alike(auth->passdbs, usual->passdbs))
		warn_of_chain(auth->passdbs, t_strdup_printf("passdb of protocol %s", protocol));
	if (!chains_look_alike(auth->masterdbs, usual->masterdbs))
		warn_of_chain(auth->masterdbs,
			      t_strdup_printf("master passdb of protocol %s", protocol));
}

void warn_of_passdbs_without_gate(void)
{
	static const char *const protocols[] = {"imap", "pop3", "sieve", "submission", "smtp"};
	static bool warned;

	if (warned)
		return;
	warned = TRUE;
	warn_of_chain(find_auth(NULL)->passdbs, "passdb");
	warn_of_chain(find_auth(NULL)->masterdbs, "master passdb");
	for (unsigned int i = 0; i < N_ELEMENTS(protocols); i++) {
		T_BEGIN
		{
			warn_of_protocol(protocols[i]);
		}
		T_END;
	}
}
