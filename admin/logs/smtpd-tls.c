#include "smtpd-tls.h"

#include "smtpd-service.h"

bool smtpd_tls_is_undecided(const struct smtpd_connection *connection)
{
	return connection->counted && !connection->xclient && !connection->starttls &&
	       !connection->tls && !connection->no_tls && connection->service->port != 465 &&
	       !connection->service->wraps;
}

enum log_tls smtpd_tls(const struct smtpd_connection *connection)
{
	/* What there was lay between Postfix and the proxy. */
	if (connection->xclient)
		return LOG_TLS_UNKNOWN;
	if (connection->starttls)
		return LOG_TLS_STARTTLS;
	if (connection->service->port == 465)
		return LOG_TLS_IMPLICIT;
	if (connection->tls)
		return connection->counted ? LOG_TLS_IMPLICIT : LOG_TLS_SOME;
	if (connection->no_tls || (connection->counted && !connection->service->wraps))
		return LOG_TLS_NONE;
	return LOG_TLS_UNKNOWN;
}

uint16_t smtpd_port(const struct smtpd_connection *connection)
{
	const struct smtpd_service *service = connection->service;

	if (connection->xclient || service->wraps || (connection->starttls && service->port == 465))
		return 0;
	return service->port;
}

bool smtpd_shows_wrapping(const struct smtpd_connection *connection)
{
	return connection->counted && !connection->tried_starttls && !connection->xclient &&
	       (connection->tls || connection->tls_error) && connection->service->port != 465;
}
