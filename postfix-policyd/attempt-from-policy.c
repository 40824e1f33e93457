#include "attempt-from-policy.h"

#include <stdlib.h>
#include <string.h>

static bool is_unknown(const char *value)
{
	return *value == '\0' || strcmp(value, "unknown") == 0;
}

static bool parse_port(const char *text, uint16_t *port_r)
{
	unsigned long port = 0;

	if (strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (unsigned long)(*text - '0');
	}
	*port_r = (uint16_t)port;
	return port <= UINT16_MAX;
}

static void copy_mechanism(const char *method, char mechanism_r[static MECHANISM_SIZE])
{
	size_t i;

	for (i = 0; i < MECHANISM_SIZE - 1 && method[i] != '\0'; i++) {
		bool lower = method[i] >= 'a' && method[i] <= 'z';

		mechanism_r[i] = (char)(lower ? method[i] - 'a' + 'A' : method[i]);
	}
	mechanism_r[i] = '\0';
}

/* No attribute tells STARTTLS from wrapper mode; the port does. */
static enum tls_state tls_state_of(const struct policy_request *request,
				   const struct policy *policy, uint16_t port)
{
	if (*request->encryption_protocol == '\0')
		return TLS_NONE;
	return policy_port_is_implicit_tls(policy, port) ? TLS_IMPLICIT : TLS_STARTTLS;
}

bool attempt_from_policy(const struct policy_request *request, const struct policy *policy,
			 struct policy_attempt *attempt_r, const char **error_r)
{
	struct attempt *attempt = &attempt_r->attempt;

	*attempt = (struct attempt){
		.source = SOURCE_POSTFIX,
		.service = SERVICE_SMTP,
		.user = attempt_r->user,
		.mechanism = attempt_r->mechanism,
		.client_id = request->helo_name,
		.session = request->instance,
	};
	/* Postfix always says something of the address, if only that it is unknown. */
	if (strcmp(request->client_address, "unknown") != 0 &&
	    !address_parse(request->client_address, &attempt->client)) {
		*error_r = "invalid client_address";
		return false;
	}
	if (!is_unknown(request->server_port) &&
	    !parse_port(request->server_port, &attempt->port)) {
		*error_r = "invalid server_port";
		return false;
	}
	attempt->tls = tls_state_of(request, policy, attempt->port);
	if (!tls_version_from_name(request->encryption_protocol, &attempt->tls_version))
		attempt->tls_version = TLS_VERSION_UNKNOWN;

	if (*request->sasl_username != '\0')
		attempt->service = SERVICE_SUBMISSION;
	/* A name too long is nobody's; it is judged and recorded cut short. */
	user_normalise(request->sasl_username, policy->default_domain, attempt_r->user,
		       sizeof(attempt_r->user));
	copy_mechanism(request->sasl_method, attempt_r->mechanism);
	/* Whoever is anonymous has shown that he is nobody. */
	attempt_r->verified = attempt->service == SERVICE_SUBMISSION &&
			      strcmp(attempt_r->mechanism, "ANONYMOUS") != 0;
	return true;
}
