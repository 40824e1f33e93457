#include "sqlite.h"

/* ---- what users have of it ---- */

static void join_weeks(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct store_presence *joined = sqlite3_aggregate_context(context, sizeof(*joined));
	const struct store_sighting row = {.last_seen = sqlite3_value_int64(values[0]),
					   .weeks = (uint64_t)sqlite3_value_int64(values[1])};

	(void)count;
	if (joined != NULL)
		store_presence_add(joined, &row);
}

static void give_weeks(sqlite3_context *context)
{
	const struct store_presence *joined = sqlite3_aggregate_context(context, 0);

	if (joined == NULL)
		sqlite3_result_null(context);
	else
		sqlite3_result_int64(context, (int64_t)joined->weeks);
}

bool store_sqlite_add_functions(struct store *store)
{
	return sqlite3_create_function_v2(store_sqlite(store)->database, "joined_weeks", 2,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL,
					  join_weeks, give_weeks, NULL) == SQLITE_OK ||
	       store_sqlite_failed(store);
}

bool store_sqlite_reckon_user(struct store *store, int64_t user)
{
	return store_sqlite_run_with(store, STORE_SQLITE_RECKON("id = ?1"), user, INT64_MIN);
}

bool store_sqlite_note_presence(struct store *store, struct store_sqlite_user *user,
				const struct store_sighting *sighting)
{
	sqlite3_stmt *update;

	if (user->id == STORE_NOBODY || !store_is_presence(sighting) ||
	    !store_presence_add(&user->presence, sighting))
		return true;
	update = store_sqlite_statement(store,
					"UPDATE users SET last_day = ?2, weeks = ?3 WHERE id = ?1");
	sqlite3_bind_int64(update, 1, user->id);
	sqlite3_bind_int64(update, 2, user->presence.day);
	sqlite3_bind_int64(update, 3, (int64_t)user->presence.weeks);
	return store_sqlite_run(store, update);
}

/* ---- questions ---- */

/* Of somebody whose last day is that of the time that is asked for: 1 he came since, 0 not, -1
   failure. */
static int came_since(struct store *store, int64_t user, int64_t since)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store,
		"SELECT EXISTS (SELECT 1 FROM sightings WHERE user = ?1 AND " STORE_SQLITE_CAME
		")");
	int64_t came = 0;

	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_int64(statement, 2, since);
	return store_sqlite_number(store, statement, &came) < 0 ? -1 : came != 0;
}

bool store_sqlite_count_activity(struct store *store, int64_t since, int64_t week,
				 struct store_activity *activity_r)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT id, last_day, weeks FROM users WHERE last_day > 0 AND name <> ''");
	int64_t day = since / MILLISECONDS_A_DAY;
	int found, lately = 0;

	while (lately >= 0 && (found = store_sqlite_step(store, row)) > 0) {
		const struct store_presence presence = {
			.day = sqlite3_column_int64(row, 1),
			.weeks = (uint64_t)sqlite3_column_int64(row, 2),
		};

		lately = presence.day != day
				 ? presence.day > day
				 : came_since(store, sqlite3_column_int64(row, 0), since);
		if (lately >= 0)
			store_presence_count(&presence, lately > 0, week, activity_r);
	}
	sqlite3_reset(row);
	return lately >= 0 && found >= 0;
}
