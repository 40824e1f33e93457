#include <string.h>

#include "sqlite.h"

static int64_t now_milliseconds(void)
{
	return g_get_real_time() / 1000;
}

/* Binds ?1, the name. */
static sqlite3_stmt *statement_of(struct store *store, const char *sql, enum store_text which)
{
	sqlite3_stmt *statement = store_sqlite_statement(store, sql);

	store_sqlite_bind_text(statement, 1, store_text_name(which));
	return statement;
}

bool store_sqlite_shared_version(struct store *store, enum store_text which, int64_t *version_r)
{
	*version_r = 0;
	return store_sqlite_number(store,
				   statement_of(store,
						"SELECT version FROM shared_texts WHERE name = ?1",
						which),
				   version_r) >= 0;
}

bool store_sqlite_read_shared(struct store *store, enum store_text which,
			      struct store_shared *shared_r)
{
	sqlite3_stmt *row = statement_of(
		store, "SELECT version, changed, text FROM shared_texts WHERE name = ?1", which);
	int step = store_sqlite_step(store, row);

	if (step < 0)
		return false;
	*shared_r = (struct store_shared){0};
	if (step > 0) {
		shared_r->version = sqlite3_column_int64(row, 0);
		shared_r->changed = sqlite3_column_int64(row, 1);
		shared_r->length = (size_t)sqlite3_column_bytes(row, 2);
	}
	shared_r->text = g_malloc0(shared_r->length + 1);
	if (shared_r->length > 0)
		memcpy(shared_r->text, sqlite3_column_blob(row, 2), shared_r->length);
	if (step > 0)
		sqlite3_reset(row);
	return true;
}

bool store_sqlite_put_shared(struct store *store, enum store_text which,
			     const struct store_shared *shared, bool *put_r)
{
	sqlite3_stmt *change =
		statement_of(store,
			     "INSERT INTO shared_texts (name, version, text, begun, changed)"
			     " SELECT ?1, 1, ?3, ?4, ?4 WHERE ?2 = 0 OR EXISTS"
			     " (SELECT 1 FROM shared_texts WHERE name = ?1)"
			     " ON CONFLICT (name) DO UPDATE SET version = version + 1,"
			     " text = excluded.text, changed = excluded.changed WHERE version = ?2",
			     which);

	sqlite3_bind_int64(change, 2, shared->version);
	sqlite3_bind_blob64(change, 3, shared->text, shared->length, SQLITE_STATIC);
	sqlite3_bind_int64(change, 4, now_milliseconds());
	if (!store_sqlite_run(store, change))
		return false;
	*put_r = store_sqlite_changes(store) > 0;
	return true;
}

/* Rows of these: 1 there is one, 0 there is none, -1 failure. */
static int is_taken(struct store *store)
{
	int64_t one;

	return store_sqlite_number(store, store_sqlite_statement(store, "SELECT one FROM taken_in"),
				   &one);
}

/* Others who share the store may have begun so long ago, before it was moved here. */
static int is_too_late(struct store *store)
{
	sqlite3_stmt *begun = store_sqlite_statement(
		store, "SELECT 1 FROM shared_texts WHERE name = 'exemptions' AND begun < ?1");
	int64_t one;

	sqlite3_bind_int64(begun, 1, now_milliseconds() - STORE_TAKING_DAYS * MILLISECONDS_A_DAY);
	return store_sqlite_number(store, begun, &one);
}

/* Between begin and commit. */
static bool take(struct store *store, const struct store_shared *shared,
		 enum store_taking *taking_r)
{
	int before = is_taken(store), late = before == 0 ? is_too_late(store) : 0;
	bool put = false;

	if (before != 0 || late != 0) {
		*taking_r = before != 0 ? STORE_TAKEN_BEFORE : STORE_TAKEN_TOO_LATE;
		return before >= 0 && late >= 0;
	}
	if (!store_sqlite_put_shared(store, STORE_EXEMPTIONS, shared, &put))
		return false;
	*taking_r = put ? STORE_TAKEN : STORE_TAKEN_BY_OTHERS;
	return !put || store_sqlite_run_with(store, "INSERT INTO taken_in VALUES (1, ?1)",
					     now_milliseconds(), 0);
}

bool store_sqlite_take_in(struct store *store, const struct store_shared *shared,
			  enum store_taking *taking_r)
{
	if (!store_sqlite_begin(store))
		return false;
	if (take(store, shared, taking_r))
		return store_sqlite_commit(store);
	store_sqlite_rollback(store);
	return false;
}
