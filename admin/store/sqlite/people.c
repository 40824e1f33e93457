#include "sqlite.h"

/* People by what they did. All rows are looked at, but of those of most people three numbers
   only. */

/* For each id up to the last one, what is chosen by index. */
static bool *by_id(size_t count, int64_t (*id_of)(const struct store_dictionaries *, size_t),
		   const struct store_dictionaries *dictionaries, const bool *chosen,
		   int64_t *last_r)
{
	bool *flags;

	*last_r = count == 0 ? 0 : id_of(dictionaries, count - 1);
	flags = g_new0(bool, (gsize)*last_r + 1);
	for (size_t i = 0; i < count; i++)
		flags[id_of(dictionaries, i)] = chosen[i];
	return flags;
}

static bool *habits_by_id(const struct store *store, const bool *chosen, int64_t *last_r)
{
	return by_id(store_dictionaries_habit_count(store->dictionaries),
		     store_dictionaries_habit_id, store->dictionaries, chosen, last_r);
}

static bool *breaking_by_id(const struct store *store, int64_t *last_r)
{
	size_t count = store_dictionaries_rule_set_count(store->dictionaries);
	bool *chosen = g_new0(bool, count + 1), *flags;

	for (size_t i = 0; i < count; i++)
		chosen[i] = store_dictionaries_rule_set(store->dictionaries, i)->rule_count > 0;
	flags = by_id(count, store_dictionaries_rule_set_id, store->dictionaries, chosen, last_r);
	g_free(chosen);
	return flags;
}

static bool is_chosen(const bool *flags, int64_t last, int64_t id)
{
	return flags != NULL && id >= 0 && id <= last && flags[id];
}

/* ---- one by one ---- */

static bool step(struct store *store, sqlite3_stmt *statement, bool *more_r)
{
	int found = store_sqlite_step(store, statement);

	*more_r = found > 0;
	return found >= 0;
}

bool store_sqlite_people_begin(struct store *store, const struct store_filter *filter,
			       struct store_sqlite_people *people_r)
{
	*people_r = (struct store_sqlite_people){.last_user = -1};
	people_r->breaking = breaking_by_id(store, &people_r->last_rule_set);
	if (filter->habits != NULL)
		people_r->suspects = habits_by_id(store, filter->habits, &people_r->last_habit);
	people_r->rows = store_sqlite_statement(
		store, "SELECT user, rules, habit FROM sightings WHERE verified ORDER BY user");
	if (filter->told)
		people_r->told = store_sqlite_statement(
			store, "SELECT DISTINCT users.id FROM notices"
			       " JOIN users ON users.name = notices.user ORDER BY users.id");
	return step(store, people_r->rows, &people_r->more_rows) &&
	       (people_r->told == NULL || step(store, people_r->told, &people_r->more_told));
}

static bool is_wanted(const struct store_sqlite_people *people)
{
	return sqlite3_column_int64(people->rows, 0) > people->last_user &&
	       (is_chosen(people->breaking, people->last_rule_set,
			  sqlite3_column_int64(people->rows, 1)) ||
		is_chosen(people->suspects, people->last_habit,
			  sqlite3_column_int64(people->rows, 2)));
}

int store_sqlite_people_next(struct store *store, struct store_sqlite_people *people,
			     int64_t *user_r)
{
	int64_t user, told;

	while (people->more_rows && !is_wanted(people)) {
		if (!step(store, people->rows, &people->more_rows))
			return -1;
	}
	while (people->more_told && sqlite3_column_int64(people->told, 0) <= people->last_user) {
		if (!step(store, people->told, &people->more_told))
			return -1;
	}
	user = people->more_rows ? sqlite3_column_int64(people->rows, 0) : INT64_MAX;
	told = people->more_told ? sqlite3_column_int64(people->told, 0) : INT64_MAX;
	people->last_user = *user_r = MIN(user, told);
	return people->last_user != INT64_MAX;
}

void store_sqlite_people_end(struct store_sqlite_people *people)
{
	sqlite3_reset(people->rows);
	sqlite3_reset(people->told);
	g_free(people->breaking);
	g_free(people->suspects);
}
