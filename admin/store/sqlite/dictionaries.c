#include "sqlite.h"

#include <string.h>

#include "admin/store/store-limits.h"

/* The id of a text, which is added where it is missing. */
static bool text_id(struct store *store, const char *finding, const char *adding, const char *text,
		    int64_t *id_r)
{
	sqlite3_stmt *search = store_sqlite_statement(store, finding);
	sqlite3_stmt *addition;
	int found;

	store_sqlite_bind_text(search, 1, text);
	found = store_sqlite_number(store, search, id_r);
	if (found != 0)
		return found > 0;
	addition = store_sqlite_statement(store, adding);
	store_sqlite_bind_text(addition, 1, text);
	return store_sqlite_insert(store, addition, id_r);
}

/* Counts once in a transaction. */
static bool count_once(struct store *store, const char *counting, int64_t *count)
{
	return *count >= 0 ||
	       store_sqlite_number(store, store_sqlite_statement(store, counting), count) > 0;
}

/* ---- rule sets ---- */

bool store_sqlite_rule_set_id(struct store *store, const struct store_rule_set *set, int64_t *id_r)
{
	struct id_cache *ids = store_sqlite(store)->rule_set_ids;
	char *text = store_rule_set_format(set);
	size_t length = strlen(text);
	bool fine = id_cache_find(ids, text, length, id_r);

	if (!fine) {
		fine = text_id(store, "SELECT id FROM rule_sets WHERE text = ?1",
			       "INSERT INTO rule_sets (text) VALUES (?1)", text, id_r);
		if (fine)
			id_cache_put(ids, text, length, *id_r);
	}
	g_free(text);
	return fine;
}

/* ---- habits ---- */

static const char finding_string[] = "SELECT id FROM strings WHERE text = ?1";

static bool string_id(struct store *store, const char *text, int64_t *id_r)
{
	return text_id(store, finding_string, "INSERT INTO strings (text) VALUES (?1)", text, id_r);
}

/* 1 there is such a string, 0 not, -1 failure. */
static int find_string(struct store *store, const char *text, int64_t *id_r)
{
	sqlite3_stmt *search = store_sqlite_statement(store, finding_string);

	store_sqlite_bind_text(search, 1, text);
	return store_sqlite_number(store, search, id_r);
}

static sqlite3_stmt *bind_habit(sqlite3_stmt *statement, const struct store_habit *habit,
				int64_t mechanism, int64_t client_id)
{
	sqlite3_bind_int(statement, 1, habit->source);
	sqlite3_bind_int(statement, 2, habit->service);
	sqlite3_bind_int(statement, 3, habit->port);
	sqlite3_bind_int(statement, 4, habit->tls);
	store_sqlite_bind_text(statement, 5, habit->country.code);
	sqlite3_bind_int64(statement, 6, mechanism);
	sqlite3_bind_int64(statement, 7, client_id);
	sqlite3_bind_int(statement, 8, habit->tls_version);
	sqlite3_bind_int(statement, 9, habit->of_log);
	return statement;
}

static int find_habit(struct store *store, const struct store_habit *habit, int64_t mechanism,
		      int64_t client_id, int64_t *id_r)
{
	sqlite3_stmt *search = store_sqlite_statement(
		store, "SELECT id FROM habits WHERE source = ?1 AND service = ?2 AND port = ?3"
		       " AND tls = ?4 AND country = ?5 AND mechanism = ?6 AND client_id = ?7"
		       " AND tls_version = ?8 AND of_log = ?9");

	return store_sqlite_number(store, bind_habit(search, habit, mechanism, client_id), id_r);
}

static bool add_habit(struct store *store, const struct store_habit *habit, const char *client_id,
		      int64_t *id_r)
{
	sqlite3_stmt *addition;
	int64_t mechanism, client;

	if (!string_id(store, habit->mechanism, &mechanism) ||
	    !string_id(store, client_id, &client))
		return false;
	addition = store_sqlite_statement(
		store, "INSERT INTO habits"
		       " (source, service, port, tls, country, mechanism, client_id, tls_version,"
		       " of_log) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	store_sqlite(store)->habits_stored++;
	return store_sqlite_insert(store, bind_habit(addition, habit, mechanism, client), id_r);
}

static int look_up_habit(struct store *store, const struct store_habit *habit,
			 const char *client_id, int64_t *id_r)
{
	int64_t mechanism, client;
	int found = find_string(store, client_id, &client);

	if (found > 0)
		found = find_string(store, habit->mechanism, &mechanism);
	return found > 0 ? find_habit(store, habit, mechanism, client, id_r) : found;
}

int store_sqlite_find_habit(struct store *store, const struct store_habit *habit,
			    const char *client_id, int64_t *id_r)
{
	struct id_cache *ids = store_sqlite(store)->habit_ids;
	char *key = g_strdup_printf("%d %d %d %d %d %d %s %s\n%s", habit->source, habit->service,
				    habit->port, habit->tls, habit->tls_version, habit->of_log,
				    habit->country.code, habit->mechanism, client_id);
	size_t length = strlen(key);
	int found = id_cache_find(ids, key, length, id_r);

	if (found == 0) {
		found = look_up_habit(store, habit, client_id, id_r);
		if (found > 0)
			id_cache_put(ids, key, length, *id_r);
	}
	g_free(key);
	return found;
}

bool store_sqlite_habit_id(struct store *store, const struct store_habit *habit,
			   const char *client_id, bool verified, int64_t *id_r)
{
	int64_t *stored = &store_sqlite(store)->habits_stored;
	int found = store_sqlite_find_habit(store, habit, client_id, id_r);

	if (found != 0)
		return found > 0;
	if (!count_once(store, "SELECT count(*) FROM habits", stored))
		return false;
	if (!verified && client_id[0] != '\0' && *stored >= HABITS_MAX)
		return store_sqlite_habit_id(store, habit, "", verified, id_r);
	return add_habit(store, habit, client_id, id_r);
}

/* ---- users ---- */

int store_sqlite_find_user(struct store *store, const char *name, struct store_sqlite_user *user_r)
{
	sqlite3_stmt *search = store_sqlite_statement(
		store, "SELECT id, verified, last_day, weeks FROM users WHERE name = ?1");
	int step;

	store_sqlite_bind_text(search, 1, name);
	step = store_sqlite_step(store, search);
	if (step > 0) {
		*user_r = (struct store_sqlite_user){
			.id = sqlite3_column_int64(search, 0),
			.verified = sqlite3_column_int(search, 1) != 0,
			.presence = {.day = sqlite3_column_int64(search, 2),
				     .weeks = (uint64_t)sqlite3_column_int64(search, 3)},
		};
		sqlite3_reset(search);
	}
	return step;
}

static bool add_user(struct store *store, const char *name, bool verified, int64_t *id_r)
{
	int64_t *unverified = &store_sqlite(store)->unverified_users;
	sqlite3_stmt *addition;

	if (!verified && name[0] != '\0') {
		if (!count_once(store, "SELECT count(*) FROM users WHERE verified = 0", unverified))
			return false;
		if (*unverified >= UNVERIFIED_USERS_MAX) {
			*id_r = STORE_NOBODY;
			return true;
		}
		++*unverified;
	}
	addition = store_sqlite_statement(store,
					  "INSERT INTO users (name, verified, told) VALUES (?1, ?2,"
					  " EXISTS (SELECT 1 FROM notices WHERE user = ?1))");
	store_sqlite_bind_text(addition, 1, name);
	sqlite3_bind_int(addition, 2, verified);
	return store_sqlite_insert(store, addition, id_r);
}

static bool verify_user(struct store *store, int64_t id)
{
	int64_t *unverified = &store_sqlite(store)->unverified_users;
	sqlite3_stmt *update =
		store_sqlite_statement(store, "UPDATE users SET verified = 1 WHERE id = ?1");

	if (*unverified > 0)
		--*unverified;
	sqlite3_bind_int64(update, 1, id);
	return store_sqlite_run(store, update);
}

bool store_sqlite_user(struct store *store, const char *name, bool verified,
		       struct store_sqlite_user *user_r)
{
	int found = store_sqlite_find_user(store, name, user_r);

	if (found == 0) {
		*user_r = (struct store_sqlite_user){.verified = verified};
		return add_user(store, name, verified, &user_r->id);
	}
	if (found < 0)
		return false;
	return user_r->verified || !verified || verify_user(store, user_r->id);
}

/* ---- reading ---- */

static bool load_habits(struct store *store)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT habits.id, source, service, port, tls, country, mechanisms.text,"
		       " client_ids.text, tls_version, of_log FROM habits"
		       " JOIN strings mechanisms ON mechanisms.id = mechanism"
		       " JOIN strings client_ids ON client_ids.id = client_id"
		       " ORDER BY habits.id");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		struct store_habit habit = {
			.source =
				(enum source)store_sqlite_column_below(row, 1, SOURCE_POSTFIX + 1),
			.service = (enum service)store_sqlite_column_below(row, 2, SERVICE_COUNT),
			.port = (uint16_t)sqlite3_column_int(row, 3),
			.tls = (enum tls_state)store_sqlite_column_below(row, 4, TLS_STATE_COUNT),
			.mechanism = store_sqlite_column_text(row, 6),
			.client_id = store_sqlite_column_text(row, 7),
			.tls_version =
				(enum tls_version)store_sqlite_column_below(row, 8, TLS_V1_3 + 1),
			.of_log = sqlite3_column_int(row, 9) != 0,
		};

		g_strlcpy(habit.country.code, store_sqlite_column_text(row, 5),
			  sizeof(habit.country.code));
		store_dictionaries_add_habit(store->dictionaries, sqlite3_column_int64(row, 0),
					     &habit);
	}
	return step == 0;
}

static bool load_rule_sets(struct store *store)
{
	sqlite3_stmt *row =
		store_sqlite_statement(store, "SELECT id, text FROM rule_sets ORDER BY id");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0)
		store_dictionaries_add_rule_set(store->dictionaries, sqlite3_column_int64(row, 0),
						store_sqlite_column_text(row, 1));
	return step == 0;
}

bool store_sqlite_load_dictionaries(struct store *store)
{
	store_dictionaries_clear(store->dictionaries);
	return load_habits(store) && load_rule_sets(store);
}
