#ifndef PORTCULLIS_ATTEMPT_FROM_POLICY_H
#define PORTCULLIS_ATTEMPT_FROM_POLICY_H

#include "policy-request.h"
#include "policy/policy.h"

/* Longer than any SASL mechanism's name (RFC 4422, 3.1: 20 characters). */
#define MECHANISM_SIZE 32

/* A mail transaction as the policy sees it, with the strings that are not as
   Postfix sent them. The attempt borrows from these and from the request. */
struct policy_attempt {
	struct attempt attempt;
	bool verified; /* a user has logged in, so the password was right; not by ANONYMOUS */
	char user[USER_SIZE];
	char mechanism[MECHANISM_SIZE];
};

/* False with *error_r set to a static text when an attribute has a value that
   Postfix does not send; it always sends a client_address. What Postfix does not know
   is unknown: a client_address that is "unknown", a server_port that is missing, empty
   or "unknown". */
bool attempt_from_policy(const struct policy_request *request, const struct policy *policy,
			 struct policy_attempt *attempt_r, const char **error_r);

#endif
