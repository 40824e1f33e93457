#ifndef PORTCULLIS_JUDGEMENT_H
#define PORTCULLIS_JUDGEMENT_H

#include <time.h>

#include "policy/sighting.h"
#include "refusal.h"

struct auth_request;
struct event;
struct pool;
struct portcullis;

/* What one policy said of a request, kept until it is known how the request
   ended. All of it lives in the request's pool. */
struct judgement {
	struct judgement *next;
	struct portcullis *portcullis;
	const struct policy *policy;
	char edition[EDITION_ID_SIZE];
	struct attempt attempt; /* with the name that was typed */
	struct verdict verdict;
	struct timespec time;
	/* The login is not left to somebody else to judge and record. */
	bool record;
	/* A right password is refused, unless the account is let off: its name may be
	   another than what was typed, as only the passdbs behind the gate know. */
	bool refuses_after;
};

/* Everything that was said of a request. Hangs on the request's event. */
struct judged_request {
	/* Whole until judged_request_free(), because pool is kept. */
	struct auth_request *request;
	struct pool *pool;
	struct judgement *judgements;
	struct refusal refusal;
	/* The login is handed on to another server. */
	bool proxied;
};

/* NULL when no gate judged the request that an event belongs to. */
struct judged_request *judged_request_find(const struct event *event);

/* What a policy has said of a request already, or NULL. */
struct judgement *judgement_find(const struct auth_request *request,
				 const struct portcullis *portcullis);

/* Judges a request and remembers it. NULL when the request is no login. Keeps
   the request's memory until its event is freed, even where the event outlives
   the request; judged_request_free() gives it up. */
struct judgement *judgement_make(struct auth_request *request, struct portcullis *portcullis);

/* Judges an attempt that was made out already, at the judgement's time. */
void judgement_judge(const struct edition *edition, struct judgement *judgement);

/* Judges the same attempt under the name that the account has by now, by the edition that is
   in force by now, because the one of the judgement may be gone. *account_r is then a
   judgement as this one, its name in the data stack. False when the account has the name that
   was typed. */
bool judgement_of_account(const struct judgement *judgement, const struct auth_request *request,
			  struct judgement *account_r);

/* What is to be told of it, under the name that was typed. Points into it. */
struct sighting judgement_sighting(const struct judgement *judgement, bool verified);

void judged_request_free(struct judged_request *judged);

#endif
