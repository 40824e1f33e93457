#ifndef PORTCULLIS_STORE_SQLITE_H
#define PORTCULLIS_STORE_SQLITE_H

#include <sqlite3.h>

#include "id-cache.h"
#include "store.h"

/* What the parts of the SQLite store share. */

/* Prepared once, at first use. The texts stand in store-sqlite.c. */
enum statement {
	STATEMENT_BEGIN,
	STATEMENT_BEGIN_IMMEDIATE,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_FIND_STRING,
	STATEMENT_ADD_STRING,
	STATEMENT_FIND_HABIT,
	STATEMENT_ADD_HABIT,
	STATEMENT_COUNT_HABITS,
	STATEMENT_FIND_RULE_SET,
	STATEMENT_ADD_RULE_SET,
	STATEMENT_FIND_USER,
	STATEMENT_ADD_USER,
	STATEMENT_VERIFY_USER,
	STATEMENT_COUNT_UNVERIFIED,
	STATEMENT_UPDATE_SIGHTING,
	STATEMENT_COUNT_SIGHTINGS,
	STATEMENT_ADD_SIGHTING,
	STATEMENT_ADD_DAY,
	STATEMENT_ADD_WRITER,
	STATEMENT_ADD_TOTALS,
	STATEMENT_ADD_FILE,
	STATEMENT_UPDATE_FILE,
	STATEMENT_DROP_FILE,
	STATEMENT_ALL_HABITS,
	STATEMENT_ALL_RULE_SETS,
	STATEMENT_ALL_USERS,
	STATEMENT_ALL_SIGHTINGS,
	STATEMENT_SIGHTINGS_OF_USER,
	STATEMENT_DAYS,
	STATEMENT_WRITERS,
	STATEMENT_TOTALS,
	STATEMENT_FILES,
	STATEMENT_ADD_NOTICE,
	STATEMENT_UPDATE_NOTICE,
	STATEMENT_ALL_NOTICES,
	STATEMENT_NOTICES_OF_USER,
	STATEMENT_COUNT_NOTICES,
	STATEMENT_DROP_NOTICES,
	STATEMENT_COUNT
};

struct store {
	sqlite3 *database;
	char *path;
	struct store_failure failure;
	sqlite3_stmt *statements[STATEMENT_COUNT];

	/* Of the transaction that writes. */
	struct id_cache *habit_ids, *rule_set_ids;
	int64_t unverified_users; /* -1: not counted yet */
	int64_t habits_stored;    /* -1: not counted yet */

	/* Of the one that reads; sorted by id. */
	struct store_habit *habits;
	int64_t *habit_row_ids;
	size_t habit_count;
	struct store_rule_set *rule_sets;
	int64_t *rule_set_row_ids;
	size_t rule_set_count;
};

/* The statement, ready to be bound; NULL when it cannot be prepared. */
sqlite3_stmt *store_statement(struct store *store, enum statement statement);

/* Runs a statement that gives no rows, and resets it. */
bool store_run(struct store *store, sqlite3_stmt *statement);

/* Steps: 1 there is a row, 0 there is none (then it is reset), -1 failure. */
int store_step(struct store *store, sqlite3_stmt *statement);

/* Runs SQL that needs nothing bound. */
bool store_execute(struct store *store, const char *sql);

/* Notes what SQLite says. Returns false. */
bool store_failed(struct store *store);
bool store_out_of_memory(struct store *store);

/* Text that is not NULL, and stays until the statement is reset. */
void store_bind_text(sqlite3_stmt *statement, int index, const char *text);

void store_unload_dictionaries(struct store *store);

#endif
