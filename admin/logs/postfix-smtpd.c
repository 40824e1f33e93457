#include "smtpd-parts.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "smtpd-tls.h"

struct postfix_smtpd *postfix_smtpd_create(const char *port_25_name)
{
	struct postfix_smtpd *smtpd = g_new0(struct postfix_smtpd, 1);

	smtpd->port_25_name = g_strdup(port_25_name != NULL ? port_25_name : "postfix");
	smtpd->services.port_25_name = smtpd->port_25_name;
	/* Without entropy the hash is only easier to guess. */
	if (getrandom(&smtpd->services.seed, sizeof(smtpd->services.seed), GRND_NONBLOCK) < 0)
		smtpd->services.seed = (uint64_t)(uintptr_t)smtpd;
	smtpd->connections = smtpd_connections_create();
	return smtpd;
}

void postfix_smtpd_free(struct postfix_smtpd *smtpd)
{
	if (smtpd == NULL)
		return;
	smtpd_services_forget(&smtpd->services);
	smtpd_connections_free(smtpd->connections);
	g_free(smtpd->port_25_name);
	g_free(smtpd);
}

bool postfix_smtpd_is(struct log_slice program)
{
	return log_slice_ends(program, "/smtpd");
}

enum smtpd_answer postfix_smtpd_read(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	enum smtpd_answer answer;
	struct log_login lost;

	/* All is taken already, if the caller does as he shall. */
	while (postfix_smtpd_next(smtpd, &lost))
		;
	if (smtpd->services.count == SMTPD_SERVICES_MAX)
		smtpd_services_forget(&smtpd->services);
	answer = smtpd_message_read(smtpd, line);
	smtpd_join_make_room(smtpd);
	return answer;
}

void postfix_smtpd_end(struct postfix_smtpd *smtpd)
{
	smtpd_connections_end_all(smtpd->connections);
}

bool postfix_smtpd_next(struct postfix_smtpd *smtpd, struct log_login *login_r)
{
	const struct smtpd_connection *connection;
	struct smtpd_login *given = &smtpd->given;

	if (!smtpd_connections_take(smtpd->connections, given, &connection))
		return false;
	*login_r = (struct log_login){
		.time = given->time,
		.host = connection->service->host,
		.source = SOURCE_POSTFIX,
		.service = SERVICE_SUBMISSION,
		.tls = given->before_tls ? LOG_TLS_NONE : smtpd_tls(connection),
		.tls_version = given->before_tls || connection->xclient ? TLS_VERSION_UNKNOWN
									: connection->tls_version,
		.port = smtpd_port(connection),
		.client = given->client,
		.user = given->user,
		.mechanism = strcmp(given->mechanism, "XCLIENT") == 0 ? "" : given->mechanism,
		.client_id = "",
		.verified = given->verified,
		.count = given->count,
	};
	return true;
}
