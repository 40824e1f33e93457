#include "smtpd-parts.h"

#include <glib.h>
#include <string.h>

#include "admin/store/store.h"
#include "policy/fnv.h"

#include "smtpd-tls.h"

/* A connection that lasts for longer is given out by and by, where nothing waits. */
#define TOLD_AFTER (INT64_C(3600) * 1000)

static uint64_t hash_service(const struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	return smtpd_service_hash(&smtpd->services, line->host, line->program);
}

struct smtpd_service *smtpd_join_service(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	return smtpd_service_of(&smtpd->services, hash_service(smtpd, line), line->host,
				line->program);
}

/* A process has one connection at a time. The client is in the key, too, because processes in
   containers may have the same id; and where XCLIENT gives another client it is another
   connection, as far as is known. */
static uint64_t connection_key(uint64_t service_hash, const struct smtpd_line *line,
			       const struct smtpd_client *client)
{
	uint64_t hash = fnv_hash_words(service_hash, line->process.text, line->process.length);

	return fnv_hash_words(hash ^ line->process.length, client->text.text, client->text.length);
}

struct smtpd_connection *smtpd_join_find(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
					 const struct smtpd_client *client)
{
	uint64_t key = connection_key(hash_service(smtpd, line), line, client);
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, key);

	if (connection != NULL)
		connection->heard = line->time;
	return connection;
}

static struct smtpd_connection *add(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				    uint64_t service_hash, uint64_t key)
{
	struct smtpd_service *service =
		smtpd_service_of(&smtpd->services, service_hash, line->host, line->program);
	struct smtpd_connection *connection =
		smtpd_connections_add(smtpd->connections, key, service);

	connection->heard = line->time;
	return connection;
}

struct smtpd_connection *smtpd_join_find_or_add(struct postfix_smtpd *smtpd,
						const struct smtpd_line *line,
						const struct smtpd_client *client)
{
	uint64_t service_hash = hash_service(smtpd, line);
	uint64_t key = connection_key(service_hash, line, client);
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, key);

	if (connection == NULL)
		return add(smtpd, line, service_hash, key);
	connection->heard = line->time;
	return connection;
}

void smtpd_join_end(struct postfix_smtpd *smtpd, struct smtpd_connection *connection)
{
	connection->service->wraps |= smtpd_shows_wrapping(connection);
	if (!smtpd->at_once && smtpd_tls_is_undecided(connection))
		smtpd_connections_set_aside(smtpd->connections, connection);
	else
		smtpd_connections_end(smtpd->connections, connection);
}

void smtpd_join_begin(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
		      const struct smtpd_client *client)
{
	uint64_t service_hash = hash_service(smtpd, line);
	uint64_t key = connection_key(service_hash, line, client);
	struct smtpd_connection *before = smtpd_connections_find(smtpd->connections, key);

	if (before != NULL)
		smtpd_join_end(smtpd, before);
	add(smtpd, line, service_hash, key)->begun = true;
}

/* A connection may last for days, of which each is to be told. */
static bool is_same(const struct smtpd_login *login, const struct smtpd_login *other)
{
	return login->verified == other->verified && login->before_tls == other->before_tls &&
	       login->time / MILLISECONDS_A_DAY == other->time / MILLISECONDS_A_DAY &&
	       strcmp(login->mechanism, other->mechanism) == 0 &&
	       strcmp(login->user, other->user) == 0;
}

/* Gives out what was told of a connection, which goes on. */
static struct smtpd_connection *begin_anew(struct postfix_smtpd *smtpd,
					   struct smtpd_connection *connection)
{
	struct smtpd_connection *next;

	smtpd_connections_end(smtpd->connections, connection);
	next = smtpd_connections_add(smtpd->connections, connection->key, connection->service);
	next->heard = connection->heard;
	next->begun = connection->begun;
	next->tls_version = connection->tls_version;
	next->tls = connection->tls;
	next->no_tls = connection->no_tls;
	next->tls_error = connection->tls_error;
	next->xclient = connection->xclient;
	return next;
}

void smtpd_join_add_login(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
			  const struct smtpd_client *client, const struct smtpd_login *login)
{
	struct smtpd_connection *connection = smtpd_join_find_or_add(smtpd, line, client);
	struct smtpd_login *first = TAILQ_FIRST(&connection->logins), *last, *added;

	if (first == NULL)
		connection->no_tls =
			connection->begun && !connection->tls && connection->service->logs_tls;
	else if (smtpd->at_once && line->time - first->time > TOLD_AFTER)
		connection = begin_anew(smtpd, connection);
	/* What a proxy calls a login that it has seen to itself. */
	connection->xclient |= strcmp(login->mechanism, "XCLIENT") == 0;
	last = TAILQ_LAST(&connection->logins, smtpd_login_list);
	if (last != NULL && is_same(last, login)) {
		last->count = (uint32_t)MIN((uint64_t)last->count + login->count, UINT32_MAX);
		return;
	}
	added = smtpd_connections_add_login(smtpd->connections, connection);
	added->time = login->time;
	added->count = MAX(login->count, 1);
	added->verified = login->verified;
	memcpy(added->mechanism, login->mechanism, sizeof(added->mechanism));
	strcpy(added->user, login->user);
	smtpd_address(client->address, &added->client);
}

void smtpd_join_make_room(struct postfix_smtpd *smtpd)
{
	smtpd_connections_make_room(smtpd->connections);
	if (smtpd->services.count == SMTPD_SERVICES_MAX)
		smtpd_connections_end_all(smtpd->connections);
}
