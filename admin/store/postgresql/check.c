#include "check.h"

#include "findings.h"
#include "module.h"
#include "review.h"

/* In the order in which they are shown. */
static const char *const tables[] = {"users",    "habits",  "rule_sets",    "sightings",
				     "days",     "writers", "files",        "servers",
				     "coverage", "logs",    "log_services", "log_connections",
				     "notices",  "hosts",   "shared_texts"};

static bool read_version(struct store *store, struct store_check *check)
{
	check->newest = POSTGRESQL_SCHEMA_VERSION;
	return postgresql_number_of_row(store, "SELECT version FROM portcullis.version", NULL,
					&check->version);
}

/* What this role may not read is not counted. */
static bool count_rows(struct store *store, struct store_check *check)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		char sql[200];
		int64_t may = 0;

		g_snprintf(sql, sizeof(sql),
			   "SELECT has_table_privilege('portcullis.%s', 'SELECT')", tables[i]);
		if (postgresql_number(store, sql, NULL, &may) <= 0)
			return false;
		if (may == 0)
			continue;
		g_snprintf(sql, sizeof(sql), "SELECT count(*) FROM portcullis.%s", tables[i]);
		if (postgresql_number(store, sql, NULL, &check->tables[check->table_count].rows) <=
		    0)
			return false;
		check->tables[check->table_count++].name = tables[i];
	}
	return true;
}

static bool measure(struct store *store, struct store_check *check)
{
	return postgresql_number(store,
				 "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint"
				 " FROM pg_class c WHERE relnamespace = 'portcullis'::regnamespace"
				 " AND relkind IN ('r', 'p')",
				 NULL, &check->bytes) > 0;
}

static void describe(struct store *store, struct store_check *check)
{
	PGconn *connection = store_postgresql(store)->connection;
	bool is_here = postgresql_is_here(PQhost(connection)) ||
		       postgresql_is_here(PQhostaddr(connection));

	g_snprintf(check->server, sizeof(check->server), "PostgreSQL %s",
		   PQparameterStatus(connection, "server_version"));
	check->is_encrypted = PQsslInUse(connection) || is_here;
	if (PQsslInUse(connection))
		g_snprintf(check->connection, sizeof(check->connection), "%s, %s",
			   PQsslAttribute(connection, "protocol"),
			   PQsslAttribute(connection, "cipher"));
	else
		g_strlcpy(check->connection,
			  is_here ? "a socket of this machine" : "the network, without TLS",
			  sizeof(check->connection));
}

bool postgresql_check(const char *uri, struct store_check *check_r, store_find *find, void *context,
		      struct store_failure *failure_r)
{
	struct store *store = postgresql_allocate(uri, NULL, STORE_READ);
	bool fine = postgresql_connect(store, true) && read_version(store, check_r) &&
		    count_rows(store, check_r) && measure(store, check_r) &&
		    postgresql_find(store, check_r->version, find, context);

	if (fine)
		describe(store, check_r);
	else
		*failure_r = store->failure;
	store_close(store);
	return fine;
}
