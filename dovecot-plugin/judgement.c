#include "dovecot-compat.h"
#include "attempt-from-request.h"
#include "judgement.h"
#include "portcullis.h"

static const char event_key[] = "portcullis";

struct judged_request *judged_request_find(const struct event *event)
{
	return event_get_ptr(event, event_key);
}

struct judgement *judgement_find(const struct auth_request *request,
				 const struct portcullis *portcullis)
{
	struct judged_request *judged = judged_request_find(request->event);
	struct judgement *judgement;

	if (judged == NULL)
		return NULL;
	for (judgement = judged->judgements; judgement != NULL; judgement = judgement->next) {
		if (judgement->portcullis == portcullis)
			return judgement;
	}
	return NULL;
}

static struct judged_request *judged_request_get(struct auth_request *request)
{
	struct judged_request *judged = judged_request_find(request->event);

	if (judged != NULL)
		return judged;
	judged = p_new(request->pool, struct judged_request, 1);
	judged->request = request;
	/* Since 2.4.2 the request's event can be freed after the request: a
	   mechanism has an event of its own below it. */
	judged->pool = request->pool;
	pool_ref(judged->pool);
	event_set_ptr(request->event, event_key, judged);
	return judged;
}

void judgement_judge(const struct edition *edition, struct judgement *judgement)
{
	judgement->policy = edition->policy;
	memcpy(judgement->edition, edition->id, sizeof(judgement->edition));
	judge(edition, &judgement->attempt, judgement->time.tv_sec, &judgement->verdict);
}

struct judgement *judgement_make(struct auth_request *request, struct portcullis *portcullis)
{
	const struct edition *edition = keeper_current(portcullis->keeper);
	struct judged_request *judged;
	struct judgement *judgement;
	struct attempt attempt;

	if (!attempt_from_request(request, edition->policy, &attempt))
		return NULL;

	judgement = p_new(request->pool, struct judgement, 1);
	judgement->portcullis = portcullis;
	judgement->attempt = attempt;
	(void)clock_gettime(CLOCK_REALTIME, &judgement->time);
	judgement_judge(edition, judgement);

	judged = judged_request_get(request);
	judgement->next = judged->judgements;
	judged->judgements = judgement;
	return judgement;
}

bool judgement_of_account(const struct judgement *judgement, const struct auth_request *request,
			  struct judgement *account_r)
{
	const struct edition *edition = keeper_current(judgement->portcullis->keeper);
	char user[USER_SIZE];

	if (request_user(request) == NULL)
		return FALSE;
	(void)user_normalise(request_user(request), edition->policy->default_domain, user,
			     sizeof(user));
	if (strcmp(user, judgement->attempt.user) == 0)
		return FALSE;
	*account_r = *judgement;
	account_r->attempt.user = t_strdup(user);
	judgement_judge(edition, account_r);
	return TRUE;
}

struct sighting judgement_sighting(const struct judgement *judgement, bool verified)
{
	return (struct sighting){
		.attempt = &judgement->attempt,
		.policy = judgement->policy,
		.edition = judgement->edition,
		.verdict = &judgement->verdict,
		.verified = verified,
		.time = judgement->time,
	};
}

void judged_request_free(struct judged_request *judged)
{
	/* It lies in this pool itself; the request has none any more. */
	pool_t pool = judged->pool;

	pool_unref(&pool);
}
