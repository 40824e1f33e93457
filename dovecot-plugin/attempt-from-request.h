#ifndef PORTCULLIS_ATTEMPT_FROM_REQUEST_H
#define PORTCULLIS_ATTEMPT_FROM_REQUEST_H

#include "policy/policy.h"

struct auth_request;
struct event;

/* Who types the password: of a master user's login, the master user. A passdb can
   change what was typed to the name of the account. NULL before there is a name. */
const char *request_user(const struct auth_request *request);

/* Describes the login that a request asks for, with the user who types the
   password. Strings live as long as
   the request's pool. A login by Postfix has SOURCE_POSTFIX. False when it is
   no login by a mail protocol, as with lookups by LMTP or doveadm; such are not
   judged. */
bool attempt_from_request(const struct auth_request *request, const struct policy *policy,
			  struct attempt *attempt_r);

/* The same from the fields of Dovecot's event auth_request_finished, for a
   request that asked no passdb. Strings live in the data stack and in the event. */
bool attempt_from_event(const struct event *event, const struct policy *policy,
			struct attempt *attempt_r);

#endif
