#include "smtpd-parts.h"

#include <glib.h>
#include <string.h>

/* What lines told of TLS, in struct store_log_connection. */
enum { KEPT_TLS = 1, KEPT_NO_TLS = 2, KEPT_TLS_ERROR = 4, KEPT_XCLIENT = 8, KEPT_BEGUN = 16 };

void postfix_smtpd_decide_at_once(struct postfix_smtpd *smtpd, uint64_t seed)
{
	smtpd->at_once = true;
	if (seed != 0)
		smtpd->services.seed = seed;
}

uint64_t postfix_smtpd_seed(const struct postfix_smtpd *smtpd)
{
	return smtpd->services.seed;
}

bool postfix_smtpd_each_service(struct postfix_smtpd *smtpd, store_visit_log_service *visit,
				void *context)
{
	for (unsigned int i = 0; i < smtpd->services.count; i++) {
		struct smtpd_service *service = &smtpd->services.all[i];
		const struct store_log_service told = {.host = service->host,
						       .program = service->program,
						       .logs_tls = service->logs_tls,
						       .wraps = service->wraps};

		if (service->kept_logs_tls == service->logs_tls &&
		    service->kept_wraps == service->wraps)
			continue;
		if (!visit(context, &told))
			return false;
		service->kept_logs_tls = service->logs_tls;
		service->kept_wraps = service->wraps;
	}
	return true;
}

struct keeping {
	store_visit_log_connection *visit;
	void *context;
};

static bool keep_connection(void *context, const struct smtpd_connection *connection)
{
	const struct keeping *keeping = context;
	const struct smtpd_login *login = TAILQ_FIRST(&connection->logins);
	char client[ADDRESS_TEXT_SIZE] = "";
	struct store_log_connection kept = {
		.key = connection->key,
		.host = connection->service->host,
		.program = connection->service->program,
		.heard = connection->heard,
		.tls_version = connection->tls_version,
		.tls = (connection->tls ? KEPT_TLS : 0U) | (connection->no_tls ? KEPT_NO_TLS : 0U) |
		       (connection->tls_error ? KEPT_TLS_ERROR : 0U) |
		       (connection->xclient ? KEPT_XCLIENT : 0U) |
		       (connection->begun ? KEPT_BEGUN : 0U),
		.client = client,
		.mechanism = "",
	};

	if (login == NULL)
		return keeping->visit(keeping->context, &kept);
	for (; login != NULL; login = TAILQ_NEXT(login, in_order)) {
		address_format(&login->client, client);
		kept.user = login->user;
		kept.time = login->time;
		kept.count = login->count;
		kept.verified = login->verified;
		kept.before_tls = login->before_tls;
		kept.mechanism = login->mechanism;
		if (!keeping->visit(keeping->context, &kept))
			return false;
	}
	return true;
}

bool postfix_smtpd_each_connection(const struct postfix_smtpd *smtpd,
				   store_visit_log_connection *visit, void *context)
{
	struct keeping keeping = {.visit = visit, .context = context};

	return smtpd_connections_each(smtpd->connections, keep_connection, &keeping);
}

static struct smtpd_service *find_service(struct postfix_smtpd *smtpd, const char *host,
					  const char *program)
{
	const struct log_slice host_slice = {host, strlen(host)};
	const struct log_slice program_slice = {program, strlen(program)};

	return smtpd_service_of(&smtpd->services,
				smtpd_service_hash(&smtpd->services, host_slice, program_slice),
				host_slice, program_slice);
}

static struct smtpd_connection *take_up(struct postfix_smtpd *smtpd,
					const struct store_log_connection *kept)
{
	struct smtpd_connection *connection = smtpd_connections_add(
		smtpd->connections, kept->key, find_service(smtpd, kept->host, kept->program));

	connection->heard = kept->heard;
	connection->tls_version = kept->tls_version;
	connection->tls = (kept->tls & KEPT_TLS) != 0;
	connection->no_tls = (kept->tls & KEPT_NO_TLS) != 0;
	connection->tls_error = (kept->tls & KEPT_TLS_ERROR) != 0;
	connection->xclient = (kept->tls & KEPT_XCLIENT) != 0;
	connection->begun = (kept->tls & KEPT_BEGUN) != 0;
	return connection;
}

void postfix_smtpd_add_connection(struct postfix_smtpd *smtpd,
				  const struct store_log_connection *kept)
{
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, kept->key);
	struct smtpd_login *login;

	/* Whoever wrote it had room for no more; and a program is one of smtpd. */
	if (smtpd->services.count == SMTPD_SERVICES_MAX ||
	    !g_str_has_suffix(kept->program, "/smtpd"))
		return;
	if (connection == NULL)
		connection = take_up(smtpd, kept);
	if (kept->user != NULL) {
		login = smtpd_connections_add_login(smtpd->connections, connection);
		login->time = kept->time;
		login->count = kept->count;
		login->verified = kept->verified;
		login->before_tls = kept->before_tls;
		address_parse(kept->client, &login->client);
		g_strlcpy(login->mechanism, kept->mechanism, sizeof(login->mechanism));
		g_strlcpy(login->user, kept->user, sizeof(login->user));
	}
	smtpd_join_make_room(smtpd);
}

void postfix_smtpd_add_service(struct postfix_smtpd *smtpd, const struct store_log_service *kept)
{
	struct smtpd_service *service;

	/* Half of the table is left for others. */
	if (smtpd->services.count >= SMTPD_SERVICES_MAX / 2 ||
	    !g_str_has_suffix(kept->program, "/smtpd"))
		return;
	service = find_service(smtpd, kept->host, kept->program);
	service->logs_tls |= kept->logs_tls;
	service->wraps |= kept->wraps;
	service->kept_logs_tls |= kept->logs_tls;
	service->kept_wraps |= kept->wraps;
}

void postfix_smtpd_end_silent(struct postfix_smtpd *smtpd, int64_t since)
{
	smtpd_connections_end_silent(smtpd->connections, since);
}
