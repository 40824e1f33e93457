/* The gate: a passdb that knows no passwords. It judges the login and either
   refuses it, or abstains and lets the passdbs behind it decide, with or without
   a note that a right password is to be refused as well. */

#include "dovecot-compat.h"
#include "judgement.h"
#include "passdb-portcullis.h"
#include "policy/config.h"
#include "policy/monotonic-clock.h"
#include "portcullis.h"
#include "prompt-refusals.h"
#include "ways-around.h"

struct portcullis_passdb_module {
	struct passdb_module module;
	/* NULL in auth-worker processes, which judge nothing. */
	struct portcullis *portcullis;
};

/* At once, though Dovecot may be slow to answer. What else there is to say waits for
   the password. */
static void log_refusal(const struct judgement *judgement)
{
	const struct sighting sighting = judgement_sighting(judgement, FALSE);

	decision_log_record(judgement->portcullis->decisions, &sighting);
}

/* For Dovecot's metrics and exported events. */
static void add_event_fields(struct auth_request *request, const struct judgement *judgement)
{
	const struct policy *policy = judgement->policy;
	string_t *rules;

	if (judgement->verdict.broken == 0)
		return;
	rules = t_str_new(64);
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (!verdict_breaks(&judgement->verdict, i))
			continue;
		if (str_len(rules) > 0)
			str_append_c(rules, ',');
		str_append(rules, policy->rules[i].title);
	}
	event_add_str(request->event, "portcullis_rules", str_c(rules));
	event_add_str(request->event, "portcullis_action",
		      judgement->verdict.outcome == OUTCOME_ALLOW ? "allow" : "reject");
}

/* Postfix ignores a refusal after the password: the policy daemon makes it, or the gate
   before the password where there is no daemon. */
static void suit_to_postfix(struct judgement *judgement)
{
	struct verdict *verdict = &judgement->verdict;

	if (judgement->attempt.source != SOURCE_POSTFIX)
		return;
	if (judgement->policy->smtp_enforced_at_auth)
		verdict_refuse_before(judgement->policy, verdict);
	else if (verdict->outcome == OUTCOME_REJECT_AFTER)
		verdict->outcome = OUTCOME_ALLOW;
}

/* A refusal that tells nothing about the password leaves nothing to guess, and is no
   reason to slow a whole office down. Who makes many of them is slowed down by Dovecot
   as ever. */
static bool may_fail_at_once(const struct auth_request *request, const struct judgement *judgement)
{
	return judgement->verdict.rejecting->kind != KIND_COUNTRY &&
	       request_can_fail_at_once(request) &&
	       prompt_refusal_take(&judgement->attempt.client, monotonic_seconds());
}

static enum passdb_result judge_request(struct auth_request *request, struct portcullis *portcullis)
{
	struct judgement *judgement;
	const struct rule *rule;
	enum outcome outcome;

	/* A master user's login can come by twice. */
	if (judgement_find(request, portcullis) != NULL)
		return PASSDB_RESULT_NEXT;
	judgement = judgement_make(request, portcullis);
	if (judgement == NULL)
		return PASSDB_RESULT_NEXT;

	suit_to_postfix(judgement);
	outcome = judgement->verdict.outcome;
	rule = judgement->verdict.rejecting;
	/* What it lets through to Postfix is the daemon's to record. */
	judgement->record = judgement->attempt.source == SOURCE_DOVECOT || outcome != OUTCOME_ALLOW;
	if (judgement->record)
		add_event_fields(request, judgement);

	switch (outcome) {
	case OUTCOME_ALLOW:
		break;
	case OUTCOME_REJECT_BEFORE:
		log_refusal(judgement);
		auth_request_set_field(request, "reason", rule->message, NULL);
		if (may_fail_at_once(request, judgement))
			auth_request_set_field(request, "nodelay", "", NULL);
		return PASSDB_RESULT_USER_DISABLED;
	case OUTCOME_REJECT_AFTER:
		/* No nodelay here: it would go with a wrong password as well,
		   and make guessing free. A right one is not delayed anyway. */
		judgement->refuses_after = TRUE;
		refusal_make(&judged_request_find(request->event)->refusal, request, rule);
		break;
	}
	return PASSDB_RESULT_NEXT;
}

static enum passdb_result portcullis_lookup(struct auth_request *request)
{
	struct portcullis_passdb_module *module =
		container_of(request->passdb->passdb, struct portcullis_passdb_module, module);
	enum passdb_result result;

	if (module->portcullis == NULL)
		return PASSDB_RESULT_NEXT;
	T_BEGIN
	{
		result = judge_request(request, module->portcullis);
	}
	T_END;
	return result;
}

static void portcullis_verify_plain(struct auth_request *request, const char *password ATTR_UNUSED,
				    verify_plain_callback_t *callback)
{
	callback(portcullis_lookup(request), request);
}

static void portcullis_lookup_credentials(struct auth_request *request,
					  lookup_credentials_callback_t *callback)
{
	answer_without_credentials(callback, portcullis_lookup(request), request);
}

static struct passdb_module *portcullis_create(pool_t pool, const char *path, const char **error_r)
{
	struct portcullis_passdb_module *module = p_new(pool, struct portcullis_passdb_module, 1);

	if (worker)
		return &module->module;
	module->portcullis = portcullis_open(*path != '\0' ? path : CONFIG_DEFAULT_PATH, error_r);
	return module->portcullis == NULL ? NULL : &module->module;
}

DEFINE_PASSDB_PREINIT(portcullis_preinit, portcullis_create)

static void portcullis_init(struct passdb_module *passdb)
{
	struct portcullis_passdb_module *module =
		container_of(passdb, struct portcullis_passdb_module, module);

	if (passdb->blocking) {
		if (!worker)
			i_warning("passdb portcullis: ignoring use_worker=yes, "
				  "the gate judges in the auth process");
		passdb->blocking = FALSE;
	}
	if (module->portcullis != NULL) {
		warn_of_passdbs_without_gate();
		portcullis_start(module->portcullis);
	}
}

struct passdb_module_interface passdb_portcullis = {
	.name = "portcullis",

	.preinit = portcullis_preinit,
	.init = portcullis_init,

	.verify_plain = portcullis_verify_plain,
	.lookup_credentials = portcullis_lookup_credentials,
};
