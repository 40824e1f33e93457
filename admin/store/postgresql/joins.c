#include "postgresql.h"

/* What is joined over the lines of this host's logs. */

bool postgresql_log_state(struct store *store, struct store_log_state *state_r)
{
	struct parameters parameters = {0};
	PGresult *result;

	*state_r = (struct store_log_state){0};
	parameter_add_text(&parameters, store->host);
	result = postgresql_query(store,
				  "SELECT change, seed FROM portcullis.log_joins WHERE host = $1",
				  &parameters);
	if (result == NULL)
		return false;
	if (PQntuples(result) > 0)
		*state_r = (struct store_log_state){
			.change = result_number(result, 0, 0),
			.seed = (uint64_t)result_number(result, 0, 1),
		};
	PQclear(result);
	return true;
}

bool postgresql_put_log_state(struct store *store, const struct store_log_state *state)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_BIGINT, state->change);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)state->seed);
	return postgresql_send_connections(store) &&
	       postgresql_run(store,
			      "INSERT INTO portcullis.log_joins (host, change, seed)"
			      " VALUES ($1, $2, $3) ON CONFLICT (host) DO UPDATE SET"
			      " change = excluded.change, seed = excluded.seed",
			      &parameters);
}

/* ---- services ---- */

bool postgresql_put_log_service(struct store *store, const struct store_log_service *service)
{
	struct parameters *services = &store_postgresql(store)->services;
	const struct store_value values[] = {
		{.text = service->host},
		{.text = service->program},
		{.number = service->logs_tls},
		{.number = service->wraps},
	};

	if (services->count == 0) {
		parameter_add_text(services, store->host);
		parameter_add(services, PARAMETER_INTEGER, STORE_LOG_SERVICES);
		parameter_add_columns(services, store_table_columns[TABLE_LOG_SERVICES]);
	}
	array_add_row(services, 2, store_table_columns[TABLE_LOG_SERVICES], values);
	return true;
}

/* Of those that are new, the first ones, as far as there is room. */
static bool send_services(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	if (postgresql->services.count == 0)
		return true;
	return postgresql_run(
		store,
		"INSERT INTO portcullis.log_services AS s (host, server, program, logs_tls, wraps)"
		" SELECT $1, server, program, logs_tls, wraps FROM (SELECT n.*, k.host IS NULL AS"
		"  is_new, count(*) FILTER (WHERE k.host IS NULL) OVER (ORDER BY n.place) AS nth"
		"  FROM (SELECT server, program, bool_or(logs_tls) AS logs_tls, bool_or(wraps)"
		"   AS wraps, min(place) AS place FROM unnest($3, $4, $5, $6) WITH ORDINALITY"
		"   AS r (server, program, logs_tls, wraps, place) GROUP BY server, program) n"
		"  LEFT JOIN portcullis.log_services k ON (k.host, k.server, k.program)"
		"   = ($1, n.server, n.program)) a WHERE NOT is_new OR nth <= $2 - (SELECT count(*)"
		"  FROM portcullis.log_services WHERE host = $1)"
		" ON CONFLICT (host, server, program) DO UPDATE SET"
		" logs_tls = s.logs_tls OR excluded.logs_tls, wraps = s.wraps OR excluded.wraps"
		" WHERE NOT (s.logs_tls >= excluded.logs_tls AND s.wraps >= excluded.wraps)",
		&postgresql->services);
}

bool postgresql_each_log_service(struct store *store, store_visit_log_service *visit, void *context)
{
	struct parameters parameters = {0};
	PGresult *result;
	bool more = true;

	if (!send_services(store))
		return false;
	parameter_add_text(&parameters, store->host);
	result = postgresql_query(store,
				  "SELECT server, program, logs_tls, wraps"
				  " FROM portcullis.log_services WHERE host = $1"
				  " ORDER BY server, program",
				  &parameters);
	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_log_service service = {
			.host = result_text(result, i, 0),
			.program = result_text(result, i, 1),
			.logs_tls = result_number(result, i, 2) != 0,
			.wraps = result_number(result, i, 3) != 0,
		};

		more = visit(context, &service);
	}
	PQclear(result);
	return true;
}

/* ---- connections that have not ended ---- */

#define CONNECTION_COLUMNS                                                                         \
	"key, server, program, heard, tls_version, tls, user_name, time, count, verified,"         \
	" before_tls, client, mechanism"

static struct store_log_connection read_connection(const PGresult *result, int row)
{
	return (struct store_log_connection){
		.key = (uint64_t)result_number(result, row, 0),
		.host = result_text(result, row, 1),
		.program = result_text(result, row, 2),
		.heard = result_time(result, row, 3),
		.tls_version = (enum tls_version)result_below(result, row, 4, TLS_V1_3 + 1),
		.tls = (unsigned int)result_number(result, row, 5),
		.user = PQgetisnull(result, row, 6) ? NULL : result_text(result, row, 6),
		.time = result_time(result, row, 7),
		.count = (uint32_t)result_number(result, row, 8),
		.verified = result_number(result, row, 9) != 0,
		.before_tls = result_number(result, row, 10) != 0,
		.client = result_text(result, row, 11),
		.mechanism = result_text(result, row, 12),
	};
}

static void begin_connections(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct parameters *parameters = &postgresql->connections;

	parameters_clear(parameters);
	parameter_add_text(parameters, store->host);
	parameter_add(parameters, PARAMETER_INTEGER, postgresql->connection_count);
	parameter_add_columns(parameters, store_table_columns[TABLE_LOG_CONNECTIONS]);
}

/* Those that wait for it, into the places behind the others. */
bool postgresql_send_connections(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	if (!send_services(store))
		return false;
	if (postgresql->connections.count == 0)
		return true;
	return postgresql_run(store,
			      "INSERT INTO portcullis.log_connections"
			      " (host, place, " CONNECTION_COLUMNS ") SELECT $1, $2 + place,"
			      " " CONNECTION_COLUMNS " FROM unnest($3, $4, $5, $6, $7, $8, $9, $10,"
			      "  $11, $12, $13, $14, $15) WITH ORDINALITY"
			      "  AS n (" CONNECTION_COLUMNS ", place)"
			      " ON CONFLICT (host, place) DO UPDATE SET (" CONNECTION_COLUMNS ") ="
			      " (excluded.key, excluded.server, excluded.program, excluded.heard,"
			      " excluded.tls_version, excluded.tls, excluded.user_name,"
			      " excluded.time, excluded.count, excluded.verified,"
			      " excluded.before_tls, excluded.client, excluded.mechanism)",
			      &postgresql->connections);
}

bool postgresql_each_log_connection(struct store *store, store_visit_log_connection *visit,
				    void *context)
{
	struct parameters parameters = {0};
	PGresult *result;
	bool more = true;

	if (!postgresql_send_connections(store))
		return false;
	parameter_add_text(&parameters, store->host);
	result = postgresql_query(store,
				  "SELECT " CONNECTION_COLUMNS " FROM portcullis.log_connections"
				  " WHERE host = $1 AND key IS NOT NULL ORDER BY place",
				  &parameters);
	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_log_connection connection = read_connection(result, i);

		more = visit(context, &connection);
	}
	PQclear(result);
	return true;
}

/* Rows stay, for other connections: an importer may not delete them. */
bool postgresql_drop_log_connections(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct parameters parameters = {0};

	postgresql->connection_count = 0;
	parameters_clear(&postgresql->connections);
	parameter_add_text(&parameters, store->host);
	return postgresql_run(store,
			      "UPDATE portcullis.log_connections SET (" CONNECTION_COLUMNS ") ="
			      " (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
			      " NULL, NULL) WHERE host = $1 AND key IS NOT NULL",
			      &parameters);
}

bool postgresql_add_log_connection(struct store *store,
				   const struct store_log_connection *connection)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	const struct store_value values[] = {
		{.number = (int64_t)connection->key}, {.text = connection->host},
		{.text = connection->program},        {.number = connection->heard},
		{.number = connection->tls_version},  {.number = connection->tls},
		{.text = connection->user},           {.number = connection->time},
		{.number = connection->count},        {.number = connection->verified},
		{.number = connection->before_tls},   {.text = connection->client},
		{.text = connection->mechanism},
	};
	int64_t before = 0;
	int ordered = postgresql_find_order(store, connection->user, &before);

	if (ordered != 0 && (ordered < 0 || connection->time < before))
		return ordered > 0;
	if (postgresql->connections.count == 0)
		begin_connections(store);
	postgresql->connection_count++;
	array_add_row(&postgresql->connections, 2, store_table_columns[TABLE_LOG_CONNECTIONS],
		      values);
	return true;
}
