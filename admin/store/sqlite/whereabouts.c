#include "sqlite.h"

struct finding_whereabouts {
	store_find_whereabouts *find;
	void *context;
};

/* whereabouts_of(CLIENT), in SQL. */
static void whereabouts_of(sqlite3_context *call, int count, sqlite3_value **values)
{
	struct finding_whereabouts *finding = sqlite3_user_data(call);
	const char *client = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	if (client != NULL)
		sqlite3_result_text(call, finding->find(finding->context, client), -1,
				    SQLITE_TRANSIENT);
}

static bool write_whereabouts(struct store *store, int64_t definition)
{
	sqlite3_stmt *statement =
		store_sqlite_statement(store, "UPDATE totals SET whereabouts_definition = ?1");

	sqlite3_bind_int64(statement, 1, definition);
	return store_sqlite_run(store, statement) &&
	       store_sqlite_execute(store, "UPDATE sightings SET whereabouts ="
					   " whereabouts_of(last_client)"
					   " WHERE last_client IS NOT NULL");
}

/* 1 they were noted for this definition, 0 not, -1 failure. */
static int are_noted(struct store *store, int64_t definition)
{
	int64_t noted;
	int found = store_sqlite_number(
		store, store_sqlite_statement(store, "SELECT whereabouts_definition FROM totals"),
		&noted);

	return found > 0 ? noted == definition : -1;
}

bool store_sqlite_note_whereabouts(struct store *store, int64_t definition,
				   store_find_whereabouts *find, void *context)
{
	struct finding_whereabouts finding = {.find = find, .context = context};
	sqlite3 *database = store_sqlite(store)->database;
	int noted = are_noted(store, definition);
	bool fine;

	if (noted != 0)
		return noted > 0;
	if (!store_sqlite_begin(store))
		return false;
	fine = sqlite3_create_function(database, "whereabouts_of", 1,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
				       &finding, whereabouts_of, NULL, NULL) == SQLITE_OK
		       ? write_whereabouts(store, definition)
		       : store_sqlite_failed(store);
	/* It knows what ends with this call. */
	sqlite3_create_function(database, "whereabouts_of", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
	if (fine)
		return store_sqlite_commit(store);
	store_sqlite_rollback(store);
	return false;
}
