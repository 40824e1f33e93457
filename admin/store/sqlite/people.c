#include "sqlite.h"

/* People by what they did: those who broke a rule, or came in a habit that would, or were told
   something. Each of these is found by an index. */

/* Who came in a habit stands in a table of this connection alone, which goes to the disk if it is
   large: so they come in order, each once. */
static bool find_suspects(struct store *store, const bool *habits)
{
	const struct store_dictionaries *dictionaries = store->dictionaries;
	sqlite3_stmt *addition;

	if (!store_sqlite_execute(store, "CREATE TEMPORARY TABLE IF NOT EXISTS suspects"
					 " (user INTEGER PRIMARY KEY); DELETE FROM suspects"))
		return false;
	addition = store_sqlite_statement(
		store, "INSERT OR IGNORE INTO suspects SELECT user FROM sightings"
		       " WHERE habit = ?1 AND broken = 0 AND verified = 1");
	for (size_t i = 0; i < store_dictionaries_habit_count(dictionaries); i++) {
		if (!habits[i])
			continue;
		sqlite3_bind_int64(addition, 1, store_dictionaries_habit_id(dictionaries, i));
		if (!store_sqlite_run(store, addition))
			return false;
	}
	return true;
}

/* Goes on to somebody behind the last one. */
static bool step(struct store *store, sqlite3_stmt **row, int64_t last)
{
	int found = 1;

	do {
		found = store_sqlite_step(store, *row);
	} while (found > 0 && sqlite3_column_int64(*row, 0) <= last);
	if (found == 0)
		*row = NULL;
	return found >= 0;
}

bool store_sqlite_people_begin(struct store *store, const struct store_filter *filter,
			       struct store_sqlite_people *people_r)
{
	sqlite3_stmt **rows = people_r->rows;
	bool fine = true;

	*people_r = (struct store_sqlite_people){0};
	rows[PEOPLE_BROKEN] = store_sqlite_statement(
		store, "SELECT user FROM sightings WHERE broken = 1 AND verified ORDER BY user");
	if (filter->habits != NULL) {
		if (!find_suspects(store, filter->habits))
			return false;
		rows[PEOPLE_SUSPECT] =
			store_sqlite_statement(store, "SELECT user FROM suspects ORDER BY user");
	}
	if (filter->told)
		rows[PEOPLE_TOLD] = store_sqlite_statement(
			store, "SELECT id FROM users WHERE told = 1 ORDER BY id");
	for (int i = 0; fine && i < PEOPLE_SOURCE_COUNT; i++)
		fine = rows[i] == NULL || step(store, &rows[i], -1);
	return fine;
}

int store_sqlite_people_next(struct store *store, struct store_sqlite_people *people,
			     int64_t *user_r)
{
	int64_t user = INT64_MAX;

	for (int i = 0; i < PEOPLE_SOURCE_COUNT; i++) {
		if (people->rows[i] != NULL)
			user = MIN(user, sqlite3_column_int64(people->rows[i], 0));
	}
	if (user == INT64_MAX)
		return 0;
	for (int i = 0; i < PEOPLE_SOURCE_COUNT; i++) {
		if (people->rows[i] != NULL && sqlite3_column_int64(people->rows[i], 0) == user &&
		    !step(store, &people->rows[i], user))
			return -1;
	}
	*user_r = user;
	return 1;
}

void store_sqlite_people_end(struct store_sqlite_people *people)
{
	for (int i = 0; i < PEOPLE_SOURCE_COUNT; i++)
		sqlite3_reset(people->rows[i]);
}
