#include "sqlite.h"

#include <string.h>
#include <sysexits.h>

/* ---- failures ---- */

bool store_sqlite_failed(struct store *store)
{
	sqlite3 *database = store_sqlite(store)->database;
	int error = sqlite3_system_errno(database);

	switch (sqlite3_errcode(database) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* the -shm file is locked for longer than SQLite waits */
		return store_fail(store, EX_TEMPFAIL, "it is locked by another process");
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return store_fail(store, EX_NOPERM,
				  "it cannot be written: it, its directory or its disk "
				  "is read-only for this user");
	case SQLITE_CANTOPEN:
		return store_fail(store, EX_NOPERM,
				  error == 0 ? "it cannot be opened" : strerror(error));
	case SQLITE_FULL:
		return store_fail(store, EX_IOERR, "the disk is full");
	case SQLITE_IOERR:
		return store_fail(store, EX_IOERR,
				  error == 0 ? sqlite3_errmsg(database) : strerror(error));
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return store_fail(
			store, EX_DATAERR,
			"it is damaged; take a backup, or move it away and begin a new one");
	case SQLITE_NOMEM:
		return store_fail(store, EX_OSERR, "out of memory");
	default:
		return store_fail(store, EX_SOFTWARE, sqlite3_errmsg(database));
	}
}

/* ---- statements ---- */

sqlite3_stmt *store_sqlite_statement(struct store *store, const char *sql)
{
	struct store_sqlite *sqlite = store_sqlite(store);
	sqlite3_stmt *statement = g_hash_table_lookup(sqlite->statements, sql);

	if (statement != NULL)
		return statement;
	if (sqlite3_prepare_v3(sqlite->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
			       NULL) != SQLITE_OK) {
		store_sqlite_failed(store);
		return NULL;
	}
	g_hash_table_insert(sqlite->statements, (char *)sql, statement);
	return statement;
}

int store_sqlite_step(struct store *store, sqlite3_stmt *statement)
{
	int code;

	if (statement == NULL)
		return -1;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		store_sqlite_failed(store);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

bool store_sqlite_run(struct store *store, sqlite3_stmt *statement)
{
	return store_sqlite_step(store, statement) == 0;
}

bool store_sqlite_run_with(struct store *store, const char *sql, int64_t first, int64_t second)
{
	sqlite3_stmt *statement = store_sqlite_statement(store, sql);

	sqlite3_bind_int64(statement, 1, first);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int64(statement, 2, second);
	return store_sqlite_run(store, statement);
}

bool store_sqlite_insert(struct store *store, sqlite3_stmt *statement, int64_t *id_r)
{
	if (!store_sqlite_run(store, statement))
		return false;
	*id_r = sqlite3_last_insert_rowid(store_sqlite(store)->database);
	return true;
}

int64_t store_sqlite_changes(struct store *store)
{
	return sqlite3_changes(store_sqlite(store)->database);
}

int store_sqlite_number(struct store *store, sqlite3_stmt *statement, int64_t *number_r)
{
	int step = store_sqlite_step(store, statement);

	if (step > 0) {
		*number_r = sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return step;
}

bool store_sqlite_execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store_sqlite(store)->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       store_sqlite_failed(store);
}

void store_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

const char *store_sqlite_column_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text == NULL ? "" : text;
}

int store_sqlite_column_below(sqlite3_stmt *statement, int column, int limit)
{
	int number = sqlite3_column_int(statement, column);

	return number < 0 || number >= limit ? 0 : number;
}

/* ---- transactions ---- */

/* Others may remove or add what was remembered, or it is rolled back. */
static void forget_ids(struct store_sqlite *sqlite)
{
	id_cache_clear(sqlite->habit_ids);
	id_cache_clear(sqlite->rule_set_ids);
	sqlite->unverified_users = -1;
	sqlite->habits_stored = -1;
}

bool store_sqlite_begin(struct store *store)
{
	forget_ids(store_sqlite(store));
	return store_sqlite_run(store, store_sqlite_statement(store, "BEGIN IMMEDIATE"));
}

bool store_sqlite_begin_view(struct store *store)
{
	return store_sqlite_run(store, store_sqlite_statement(store, "BEGIN"));
}

bool store_sqlite_commit(struct store *store)
{
	if (store_sqlite_run(store, store_sqlite_statement(store, "COMMIT")))
		return true;
	store_sqlite_rollback(store);
	return false;
}

void store_sqlite_rollback(struct store *store)
{
	struct store_sqlite *sqlite = store_sqlite(store);
	struct store_failure failure = store->failure;

	/* SQLite may have rolled back by itself. */
	if (sqlite3_get_autocommit(sqlite->database) == 0)
		store_sqlite_run(store, store_sqlite_statement(store, "ROLLBACK"));
	store->failure = failure;
	forget_ids(sqlite);
}
