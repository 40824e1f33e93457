#ifndef PORTCULLIS_REFUSAL_H
#define PORTCULLIS_REFUSAL_H

#include <stdbool.h>

struct auth_request;
struct rule;

/* A refusal after the password: a note on the request that a right one is refused as
   well. It holds whatever the passdbs behind the gate say, until it is taken back. */
struct refusal {
	bool stands;
	/* Its fields, by where they lie: a passdb may have some of its own. */
	const char *nologin, *reason;
};

void refusal_make(struct refusal *refusal, struct auth_request *request, const struct rule *rule);
/* What a passdb has said of the kind stays. */
void refusal_take_back(struct refusal *refusal, struct auth_request *request);

#endif
