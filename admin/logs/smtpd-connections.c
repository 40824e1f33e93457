#include "smtpd-connections.h"

#include <glib.h>
#include <string.h>

/* As many as there may be smtpd processes at once, and more: 100 are Postfix's default. */
#define CONNECTION_COUNT 4096
#define LOGIN_COUNT 4096
#define BUCKET_COUNT 4096

TAILQ_HEAD(connection_list, smtpd_connection);
LIST_HEAD(connection_bucket, smtpd_connection);

struct smtpd_connections {
	/* The one that was heard of last stands at the end. */
	struct connection_list open, aside, ended, unused;
	struct smtpd_login_list unused_logins;
	struct connection_bucket buckets[BUCKET_COUNT];
	/* Those in front have been in use already. */
	size_t connection_count, login_count;
	struct smtpd_connection connections[CONNECTION_COUNT];
	struct smtpd_login logins[LOGIN_COUNT];
};

struct smtpd_connections *smtpd_connections_create(void)
{
	struct smtpd_connections *connections = g_new0(struct smtpd_connections, 1);

	TAILQ_INIT(&connections->open);
	TAILQ_INIT(&connections->aside);
	TAILQ_INIT(&connections->ended);
	TAILQ_INIT(&connections->unused);
	TAILQ_INIT(&connections->unused_logins);
	return connections;
}

void smtpd_connections_free(struct smtpd_connections *connections)
{
	g_free(connections);
}

struct smtpd_connection *smtpd_connections_find(struct smtpd_connections *connections, uint64_t key)
{
	struct smtpd_connection *connection;

	for (connection = LIST_FIRST(&connections->buckets[key % BUCKET_COUNT]); connection != NULL;
	     connection = LIST_NEXT(connection, in_bucket)) {
		if (connection->key != key)
			continue;
		TAILQ_REMOVE(&connections->open, connection, by_age);
		TAILQ_INSERT_TAIL(&connections->open, connection, by_age);
		return connection;
	}
	return NULL;
}

struct smtpd_connection *smtpd_connections_add(struct smtpd_connections *connections, uint64_t key,
					       struct smtpd_service *service)
{
	struct smtpd_connection *connection = TAILQ_FIRST(&connections->unused);

	if (connection != NULL)
		TAILQ_REMOVE(&connections->unused, connection, by_age);
	else
		connection = &connections->connections[connections->connection_count++];
	*connection = (struct smtpd_connection){.key = key, .service = service};
	TAILQ_INIT(&connection->logins);
	TAILQ_INSERT_TAIL(&connections->open, connection, by_age);
	LIST_INSERT_HEAD(&connections->buckets[key % BUCKET_COUNT], connection, in_bucket);
	return connection;
}

struct smtpd_login *smtpd_connections_add_login(struct smtpd_connections *connections,
						struct smtpd_connection *connection)
{
	struct smtpd_login *login = TAILQ_FIRST(&connections->unused_logins);

	if (login != NULL)
		TAILQ_REMOVE(&connections->unused_logins, login, in_order);
	else
		login = &connections->logins[connections->login_count++];
	*login = (struct smtpd_login){0};
	TAILQ_INSERT_TAIL(&connection->logins, login, in_order);
	return login;
}

static void leave(struct smtpd_connections *connections, struct smtpd_connection *connection,
		  struct connection_list *list)
{
	LIST_REMOVE(connection, in_bucket);
	TAILQ_REMOVE(&connections->open, connection, by_age);
	if (TAILQ_EMPTY(&connection->logins))
		list = &connections->unused;
	TAILQ_INSERT_TAIL(list, connection, by_age);
}

void smtpd_connections_end(struct smtpd_connections *connections,
			   struct smtpd_connection *connection)
{
	leave(connections, connection, &connections->ended);
}

void smtpd_connections_set_aside(struct smtpd_connections *connections,
				 struct smtpd_connection *connection)
{
	leave(connections, connection, &connections->aside);
}

static bool is_room(const struct smtpd_connections *connections)
{
	return (connections->connection_count < CONNECTION_COUNT ||
		!TAILQ_EMPTY(&connections->unused)) &&
	       (connections->login_count < LOGIN_COUNT ||
		!TAILQ_EMPTY(&connections->unused_logins));
}

void smtpd_connections_make_room(struct smtpd_connections *connections)
{
	struct smtpd_connection *oldest;

	while (!is_room(connections) && TAILQ_EMPTY(&connections->ended)) {
		oldest = TAILQ_FIRST(&connections->aside);
		if (oldest != NULL) {
			TAILQ_REMOVE(&connections->aside, oldest, by_age);
			TAILQ_INSERT_TAIL(&connections->ended, oldest, by_age);
		} else {
			smtpd_connections_end(connections, TAILQ_FIRST(&connections->open));
		}
	}
}

void smtpd_connections_end_all(struct smtpd_connections *connections)
{
	while (!TAILQ_EMPTY(&connections->open))
		smtpd_connections_end(connections, TAILQ_FIRST(&connections->open));
	TAILQ_CONCAT(&connections->ended, &connections->aside, by_age);
}

void smtpd_connections_end_silent(struct smtpd_connections *connections, int64_t since)
{
	struct smtpd_connection *connection = TAILQ_FIRST(&connections->open), *next;

	for (; connection != NULL; connection = next) {
		next = TAILQ_NEXT(connection, by_age);
		if (connection->heard < since)
			smtpd_connections_end(connections, connection);
	}
}

bool smtpd_connections_each(const struct smtpd_connections *connections,
			    smtpd_visit_connection *visit, void *context)
{
	const struct smtpd_connection *connection;
	bool more = true;

	for (connection = TAILQ_FIRST(&connections->open); more && connection != NULL;
	     connection = TAILQ_NEXT(connection, by_age))
		more = visit(context, connection);
	return more;
}

bool smtpd_connections_take(struct smtpd_connections *connections, struct smtpd_login *login_r,
			    const struct smtpd_connection **connection_r)
{
	struct smtpd_connection *connection = TAILQ_FIRST(&connections->ended);
	struct smtpd_login *login;

	if (connection == NULL)
		return false;
	login = TAILQ_FIRST(&connection->logins);
	*login_r = *login;
	*connection_r = connection;
	TAILQ_REMOVE(&connection->logins, login, in_order);
	TAILQ_INSERT_HEAD(&connections->unused_logins, login, in_order);
	if (TAILQ_EMPTY(&connection->logins)) {
		TAILQ_REMOVE(&connections->ended, connection, by_age);
		TAILQ_INSERT_HEAD(&connections->unused, connection, by_age);
	}
	return true;
}
