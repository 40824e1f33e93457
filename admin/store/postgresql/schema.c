#include "schema.h"

#include <sysexits.h>

#include "module.h"
#include "postgresql.h"

/* Everything here is within one transaction, and nobody else changes the schema then or
   begins to write. */
static bool begin(struct store *store)
{
	char sql[200];

	g_snprintf(sql, sizeof(sql),
		   "BEGIN; SELECT pg_advisory_xact_lock(" LOCK_CLASS ", %d);"
		   "SET LOCAL client_min_messages = error",
		   LOCK_SCHEMA);
	if (!postgresql_execute(store, sql))
		return false;
	store_postgresql(store)->transaction = TRANSACTION_READING;
	return true;
}

/* *version_r: 0 where there are no tables yet. */
static bool read_version(struct store *store, int64_t *version_r)
{
	int64_t has_tables = 0;

	*version_r = 0;
	if (postgresql_number(store, "SELECT to_regclass('portcullis.version') IS NOT NULL", NULL,
			      &has_tables) < 0)
		return false;
	return has_tables == 0 ||
	       postgresql_number_of_row(store, "SELECT version FROM portcullis.version", NULL,
					version_r);
}

/* Foreign keys would be asked for at each write of a row; what refers to what is kept by the
   locks. */
static bool migrate(struct store *store, int64_t version)
{
	char sql[200];

	if (!postgresql_execute(store, "SET LOCAL search_path = portcullis, pg_temp"))
		return false;
	for (; version < POSTGRESQL_SCHEMA_VERSION; version++) {
		if (!postgresql_execute(store, postgresql_migrations[version]))
			return false;
	}
	g_snprintf(sql, sizeof(sql),
		   "INSERT INTO version VALUES (true, %d)"
		   " ON CONFLICT (one) DO UPDATE SET version = excluded.version",
		   POSTGRESQL_SCHEMA_VERSION);
	return postgresql_execute(store, sql) && postgresql_grant(store);
}

static bool make_schema(struct store *store)
{
	int64_t is_there = 0;

	return postgresql_number(store, "SELECT to_regnamespace('portcullis') IS NOT NULL", NULL,
				 &is_there) > 0 &&
	       (is_there != 0 || postgresql_execute(store, "CREATE SCHEMA portcullis"));
}

/* Names are of the whole world. */
static bool check_encoding(struct store *store)
{
	const char *encoding =
		PQparameterStatus(store_postgresql(store)->connection, "server_encoding");
	char text[200];

	if (g_strcmp0(encoding, "UTF8") == 0)
		return true;
	g_snprintf(text, sizeof(text),
		   "its encoding is %s, in which not all names can be written; 'createdb -E UTF8 "
		   "-T template0' makes a database that can",
		   encoding);
	return store_fail(store, EX_CONFIG, text);
}

static bool create(struct store *store)
{
	int64_t version;

	if (!check_encoding(store) || !read_version(store, &version))
		return false;
	if (version > 0)
		return store_fail(store, EX_CANTCREAT,
				  "it has its tables already; 'portcullis store check' looks at "
				  "them");
	return make_schema(store) && migrate(store, 0);
}

static bool upgrade(struct store *store)
{
	int64_t version;

	if (!read_version(store, &version))
		return false;
	if (version == 0)
		return store_fail(store, EX_NOINPUT,
				  "it has no tables yet; 'portcullis store create' makes them");
	if (version > POSTGRESQL_SCHEMA_VERSION)
		return store_fail(store, EX_DATAERR,
				  "it was made by a newer version of Portcullis");
	return migrate(store, version);
}

static bool in_transaction(const char *uri, bool (*change)(struct store *store),
			   struct store_failure *failure_r)
{
	struct store *store = postgresql_allocate(uri, NULL, STORE_WRITE);
	bool fine = postgresql_connect(store, true) && begin(store) && change(store) &&
		    postgresql_commit(store);

	if (!fine)
		*failure_r = store->failure;
	store_close(store);
	return fine;
}

bool postgresql_create(const char *uri, struct store_failure *failure_r)
{
	return in_transaction(uri, create, failure_r);
}

bool postgresql_upgrade(const char *uri, struct store_failure *failure_r)
{
	return in_transaction(uri, upgrade, failure_r);
}
