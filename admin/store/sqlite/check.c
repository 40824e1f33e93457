#include <sys/stat.h>

#include "sqlite.h"

/* In the order in which they are shown. */
static const char *const tables[] = {"users",    "habits",  "rule_sets",    "sightings",
				     "days",     "writers", "files",        "servers",
				     "coverage", "logs",    "log_services", "log_connections",
				     "notices",  "hosts",   "shared_texts"};

static bool count_rows(struct store *store, struct store_check *check)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		char *sql = g_strdup_printf("SELECT count(*) FROM %s", tables[i]);
		sqlite3_stmt *statement = NULL;
		bool fine = sqlite3_prepare_v2(store_sqlite(store)->database, sql, -1, &statement,
					       NULL) == SQLITE_OK &&
			    sqlite3_step(statement) == SQLITE_ROW;

		g_free(sql);
		check->tables[i].name = tables[i];
		check->tables[i].rows = fine ? sqlite3_column_int64(statement, 0) : 0;
		sqlite3_finalize(statement);
		if (!fine)
			return store_sqlite_failed(store);
	}
	check->table_count = G_N_ELEMENTS(tables);
	return true;
}

static int64_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? -1 : (int64_t)status.st_size;
}

bool store_sqlite_check(const char *uri, struct store_check *check_r, store_find *find,
			void *context, struct store_failure *failure_r)
{
	struct store *store = store_open(uri, NULL, STORE_READ, failure_r);
	bool fine;

	/* What its tables lack, opening it has brought. */
	(void)find;
	(void)context;
	if (store == NULL)
		return false;
	check_r->bytes = size_of(store->name);
	check_r->is_encrypted = true;
	g_snprintf(check_r->server, sizeof(check_r->server), "SQLite %s", sqlite3_libversion());
	g_strlcpy(check_r->connection, "a file of this machine", sizeof(check_r->connection));
	fine = store_sqlite_number(store, store_sqlite_statement(store, "PRAGMA user_version"),
				   &check_r->version) > 0 &&
	       count_rows(store, check_r);
	check_r->newest = check_r->version;
	*failure_r = store->failure;
	store_close(store);
	return fine;
}
