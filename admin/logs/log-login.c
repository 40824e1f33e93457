#include "log-login.h"

/* As the gate has it of an encrypted connection. */
static enum tls_state tls_by_port(const struct policy *policy, uint16_t port)
{
	if (port == 0)
		return TLS_SOME;
	return policy_port_is_implicit_tls(policy, port) ? TLS_IMPLICIT : TLS_STARTTLS;
}

enum tls_state log_login_tls(enum log_tls tls, uint16_t port, bool names_tls,
			     const struct policy *policy)
{
	switch (tls) {
	case LOG_TLS_NONE:
		return TLS_NONE;
	case LOG_TLS_SOME:
		return tls_by_port(policy, port);
	case LOG_TLS_STARTTLS:
		return TLS_STARTTLS;
	case LOG_TLS_IMPLICIT:
		return TLS_IMPLICIT;
	case LOG_TLS_UNMENTIONED:
		return names_tls ? TLS_NONE : TLS_UNTOLD;
	case LOG_TLS_UNKNOWN:
		break;
	}
	return TLS_UNTOLD;
}
