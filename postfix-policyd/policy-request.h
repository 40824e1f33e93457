#ifndef PORTCULLIS_POLICY_REQUEST_H
#define PORTCULLIS_POLICY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* A request of the Postfix SMTP access policy delegation protocol, as
   SMTPD_POLICY_README describes it: lines of name=value, ended by an empty
   line. Of its attributes only those that the policy asks for are kept. */

/* A request is no longer than this, its empty line included. Postfix's own stay
   below 20 KiB even when a client makes every string as long as Postfix lets it. */
#define POLICY_REQUEST_SIZE_MAX ((size_t)64 * 1024)

/* Values as they came, not necessarily UTF-8, without NUL and newline; "" for
   an attribute that was not sent. They point into the text that was parsed. */
struct policy_request {
	const char *request;
	const char *instance;
	const char *client_address;
	const char *server_port;
	const char *helo_name;
	const char *sasl_method;
	const char *sasl_username;
	const char *encryption_protocol;
};

/* Parses the first request among length bytes, in place: newlines become NULs.
   Returns its length, its empty line included. 0 with *error_r NULL: it has not
   all arrived, nothing is changed. 0 with *error_r set to a static text: it
   breaks the protocol, is no smtpd_access_policy request, or sends twice what
   must be unambiguous. The first searched bytes are known not to hold its end. */
size_t policy_request_parse(char *bytes, size_t length, size_t searched,
			    struct policy_request *request_r, const char **error_r);

#endif
