#include "dovecot-compat.h"
#include "attempt-from-request.h"
#include "judgement.h"
#include "observer.h"
#include "portcullis.h"

/* Whether this server has looked at the password, if the login succeeded. A
   frontend that proxies often lets every password pass and leaves it to the
   backend. */
static bool password_was_checked(const struct judged_request *judged)
{
	const struct auth_request *request = judged->request;

	if (!judged->proxied)
		return TRUE;
	/* A password of the passdb's own was compared. The static passdb claims
	   to have one even where it allows any. */
	return request->passdb_password != NULL && request->passdb != NULL &&
	       strcmp(request->passdb->passdb->iface.name, "static") != 0;
}

/* With a right password, it was the account; else it is only what somebody typed.
   request: NULL where no passdb can have changed that. */
static void record(const struct judgement *judgement, const struct auth_request *request,
		   bool verified)
{
	struct judgement recorded;
	struct sighting sighting;

	if (!verified || request == NULL || !judgement_of_account(judgement, request, &recorded))
		recorded = *judgement;
	recorded.verdict.outcome = judgement->verdict.outcome; /* as it was */
	/* It was Dovecot that saw it, on behalf of whomever. */
	recorded.attempt.source = SOURCE_DOVECOT;
	sighting = judgement_sighting(&recorded, verified);
	journal_record(judgement->portcullis->journal, &sighting);
	/* The others are in the log since they were made. */
	if (recorded.verdict.outcome != OUTCOME_REJECT_BEFORE)
		decision_log_record(judgement->portcullis->decisions, &sighting);
}

static void request_ended(struct judged_request *judged)
{
	bool verified = judged->request->fields.successful && password_was_checked(judged);
	struct judgement *judgement;

	for (judgement = judged->judgements; judgement != NULL; judgement = judgement->next) {
		if (judgement->record)
			T_BEGIN
			{
				record(judgement, judged->request, verified);
			}
		T_END;
	}
	judged_request_free(judged);
}

/* An alias of somebody who is let off is let off as well. */
static void judge_account(struct judged_request *judged)
{
	const struct rule *rule = NULL;
	struct judgement *judgement;

	for (judgement = judged->judgements; judgement != NULL; judgement = judgement->next) {
		struct judgement account;

		if (!judgement->refuses_after)
			continue;
		judgement->verdict.outcome =
			judgement_of_account(judgement, judged->request, &account) &&
					account.verdict.outcome == OUTCOME_ALLOW
				? OUTCOME_ALLOW
				: OUTCOME_REJECT_AFTER;
		if (judgement->verdict.outcome == OUTCOME_REJECT_AFTER)
			rule = judgement->verdict.rejecting;
	}
	if (rule == NULL)
		refusal_take_back(&judged->refusal, judged->request);
	else if (!judged->refusal.stands)
		refusal_make(&judged->refusal, judged->request, rule);
}

/* The login process prefers proxying and referring to refusing: a login that is
   to be refused must have no such fields when it gets there. They come from the
   passdbs behind the gate, so look when each of their lookups ends; the auth
   cache has kept what it wants by then. */
static void lookup_ended(struct judged_request *judged)
{
	static const char *const proxy_fields[] = {"proxy", "proxy_maybe", "host"};
	struct auth_fields *fields = judged->request->fields.extra_fields;

	if (auth_fields_exists(fields, "proxy") || auth_fields_exists(fields, "proxy_maybe"))
		judged->proxied = TRUE;
	if (judged->refusal.nologin != NULL)
		T_BEGIN
		{
			judge_account(judged);
		}
	T_END;
	if (!judged->refusal.stands)
		return;
	for (unsigned int i = 0; i < N_ELEMENTS(proxy_fields); i++)
		auth_fields_remove(fields, proxy_fields[i]);
}

static void event_freed(struct event *event)
{
	struct judged_request *judged = judged_request_find(event);

	if (judged != NULL) {
		request_ended(judged);
	} else if (event->parent != NULL) {
		judged = judged_request_find(event->parent);
		if (judged != NULL)
			lookup_ended(judged);
	}
}

/* A login without any passdb. Dovecot sends the event only if it logs debug
   messages or the stats process has a metric for it. */
static void login_finished(const struct event *event)
{
	const char *mechanism = event_find_field_recursive_str(event, "mechanism");
	const char *success = event_find_field_recursive_str(event, "success");
	struct portcullis *portcullis;
	bool verified;

	/* Between Dovecot's own processes. */
	if (mechanism == NULL || strcmp(mechanism, "DOVECOT-TOKEN") == 0)
		return;
	/* Whoever is anonymous has shown that he is nobody. */
	verified = success != NULL && strcmp(success, "yes") == 0 &&
		   strcmp(mechanism, "ANONYMOUS") != 0;
	for (portcullis = portcullis_list; portcullis != NULL; portcullis = portcullis->next) {
		const struct edition *edition = keeper_current(portcullis->keeper);
		struct judgement judgement = {.portcullis = portcullis};

		/* Nobody's name: Dovecot has refused what was sent for one. */
		if (!attempt_from_event(event, edition->policy, &judgement.attempt) ||
		    judgement.attempt.user[0] == '\0' || judgement.attempt.source == SOURCE_POSTFIX)
			continue;
		(void)clock_gettime(CLOCK_REALTIME, &judgement.time);
		judgement_judge(edition, &judgement);
		/* It is too late to refuse. */
		judgement.verdict.outcome = OUTCOME_ALLOW;
		record(&judgement, NULL, verified);
	}
}

static bool observe(struct event *event, enum event_callback_type type,
		    struct failure_context *ctx ATTR_UNUSED, const char *fmt ATTR_UNUSED,
		    va_list args ATTR_UNUSED)
{
	switch (type) {
	case EVENT_CALLBACK_TYPE_CREATE:
		break;
	case EVENT_CALLBACK_TYPE_SEND:
		if (event->sending_name != NULL &&
		    strcmp(event->sending_name, "auth_request_finished") == 0 &&
		    event->parent != NULL && judged_request_find(event->parent) == NULL)
			T_BEGIN
			{
				login_finished(event);
			}
		T_END;
		break;
	case EVENT_CALLBACK_TYPE_FREE:
		event_freed(event);
		break;
	}
	return TRUE;
}

void observer_init(void)
{
	event_register_callback(observe);
}

void observer_deinit(void)
{
	event_unregister_callback(observe);
}
