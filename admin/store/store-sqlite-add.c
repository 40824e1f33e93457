#define _GNU_SOURCE /* asprintf() */
#include "store-sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Anybody can type names, and say what his program is called; nothing that a
   stranger sends may let the store grow without end. So of what is not verified

   - only so many names are kept that were never verified; further ones are
     counted as nobody's,
   - only so many rows a name; further ones are counted without the program, and
     then as nobody's,
   - a program that nobody verified uses is told apart only while there are few
     habits.

   A verified user who calls his program something new each time gets only so
   many rows, too; further ones are counted without the program. */
#define UNVERIFIED_USERS_MAX 100000
#define UNVERIFIED_ROWS_MAX 32
#define VERIFIED_ROWS_MAX 256
#define HABITS_MAX 65536
/* Clients without login share the name "", and the operator wants to see them. */
#define NAMELESS_ROWS_MAX 4096

/* Inserts what is bound already for the search, from ?1 on. */
static bool insert(struct store *store, sqlite3_stmt *statement, int64_t *id_r)
{
	if (!store_run(store, statement))
		return false;
	*id_r = sqlite3_last_insert_rowid(store->database);
	return true;
}

/* 1 found, 0 not, -1 failure. */
static int find(struct store *store, sqlite3_stmt *statement, int64_t *id_r)
{
	int step = store_step(store, statement);

	if (step > 0) {
		*id_r = sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return step;
}

/* The id of a text, which is added where it is missing. */
static bool text_id(struct store *store, enum statement finding, enum statement adding,
		    const char *text, int64_t *id_r)
{
	sqlite3_stmt *search = store_statement(store, finding);
	sqlite3_stmt *addition = store_statement(store, adding);
	int found;

	if (search == NULL || addition == NULL)
		return false;
	store_bind_text(search, 1, text);
	found = find(store, search, id_r);
	if (found != 0)
		return found > 0;
	store_bind_text(addition, 1, text);
	return insert(store, addition, id_r);
}

/* Counts by a statement with nothing bound, once in a transaction. */
static bool count_once(struct store *store, enum statement counting, int64_t *count)
{
	sqlite3_stmt *statement;

	if (*count >= 0)
		return true;
	statement = store_statement(store, counting);
	return statement != NULL && find(store, statement, count) > 0;
}

/* ---- rule sets ---- */

/* "country=enforce,encryption=notify"; the caller frees it. */
static char *format_rule_set(const struct store_rule_set *set)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < set->rule_count; i++)
		size += strlen(set->rules[i].title) + strlen(phase_name(set->rules[i].phase)) + 2;
	text = malloc(size);
	if (text == NULL)
		return NULL;
	end = text;
	*end = '\0';
	for (size_t i = 0; i < set->rule_count; i++)
		end += sprintf(end, "%s%s=%s", i == 0 ? "" : ",", set->rules[i].title,
			       phase_name(set->rules[i].phase));
	return text;
}

static bool rule_set_id(struct store *store, const struct store_rule_set *set, int64_t *id_r)
{
	char *text = format_rule_set(set);
	bool fine;

	if (text == NULL)
		return store_out_of_memory(store);
	fine = id_cache_find(store->rule_set_ids, text, strlen(text), id_r);
	if (!fine) {
		fine = text_id(store, STATEMENT_FIND_RULE_SET, STATEMENT_ADD_RULE_SET, text, id_r);
		if (fine)
			id_cache_put(store->rule_set_ids, text, strlen(text), *id_r);
	}
	free(text);
	return fine;
}

/* ---- habits ---- */

static bool string_id(struct store *store, const char *text, int64_t *id_r)
{
	return text_id(store, STATEMENT_FIND_STRING, STATEMENT_ADD_STRING, text, id_r);
}

static void bind_habit(sqlite3_stmt *statement, const struct store_habit *habit, int64_t mechanism,
		       int64_t client_id)
{
	sqlite3_bind_int(statement, 1, habit->source);
	sqlite3_bind_int(statement, 2, habit->service);
	sqlite3_bind_int(statement, 3, habit->port);
	sqlite3_bind_int(statement, 4, habit->tls);
	store_bind_text(statement, 5, habit->country.code);
	sqlite3_bind_int64(statement, 6, mechanism);
	sqlite3_bind_int64(statement, 7, client_id);
}

/* 1 found or added, 0 neither, because the habit is new and may not be added. */
static int look_up_habit(struct store *store, const struct store_habit *habit,
			 const char *client_id, bool may_add, int64_t *id_r)
{
	sqlite3_stmt *search = store_statement(store, STATEMENT_FIND_HABIT);
	sqlite3_stmt *addition = store_statement(store, STATEMENT_ADD_HABIT);
	sqlite3_stmt *string = store_statement(store, STATEMENT_FIND_STRING);
	int64_t mechanism_id, client;
	int found;

	if (search == NULL || addition == NULL || string == NULL)
		return -1;
	if (!may_add) {
		/* Without leaving its text behind. */
		store_bind_text(string, 1, client_id);
		found = find(store, string, &client);
		if (found <= 0)
			return found;
	}
	if (!string_id(store, habit->mechanism, &mechanism_id) ||
	    !string_id(store, client_id, &client))
		return -1;
	bind_habit(search, habit, mechanism_id, client);
	found = find(store, search, id_r);
	if (found != 0 || !may_add)
		return found;
	bind_habit(addition, habit, mechanism_id, client);
	store->habits_stored++;
	return insert(store, addition, id_r) ? 1 : -1;
}

static bool habit_id(struct store *store, const struct store_habit *habit, const char *client_id,
		     bool verified, int64_t *id_r)
{
	char *key;
	int length =
		asprintf(&key, "%d %d %d %d %s %s\n%s", habit->source, habit->service, habit->port,
			 habit->tls, habit->country.code, habit->mechanism, client_id);
	int found;

	if (length < 0)
		return store_out_of_memory(store);
	found = id_cache_find(store->habit_ids, key, (size_t)length, id_r);
	if (found)
		goto done;
	found = -1;
	if (!count_once(store, STATEMENT_COUNT_HABITS, &store->habits_stored))
		goto done;
	found = look_up_habit(store, habit, client_id,
			      verified || client_id[0] == '\0' || store->habits_stored < HABITS_MAX,
			      id_r);
	if (found == 0)
		found = look_up_habit(store, habit, "", true, id_r);
	else if (found > 0)
		id_cache_put(store->habit_ids, key, (size_t)length, *id_r);
done:
	free(key);
	return found > 0;
}

/* ---- users ---- */

static bool add_user(struct store *store, const char *name, bool verified, int64_t *id_r)
{
	sqlite3_stmt *addition = store_statement(store, STATEMENT_ADD_USER);

	if (addition == NULL)
		return false;
	if (!verified && name[0] != '\0') {
		if (!count_once(store, STATEMENT_COUNT_UNVERIFIED, &store->unverified_users))
			return false;
		if (store->unverified_users >= UNVERIFIED_USERS_MAX) {
			*id_r = STORE_NOBODY;
			return true;
		}
		store->unverified_users++;
	}
	store_bind_text(addition, 1, name);
	sqlite3_bind_int(addition, 2, verified);
	return insert(store, addition, id_r);
}

static bool user_id(struct store *store, const char *name, bool verified, int64_t *id_r)
{
	sqlite3_stmt *search = store_statement(store, STATEMENT_FIND_USER);
	sqlite3_stmt *verification;
	bool was_verified;
	int step;

	if (search == NULL)
		return false;
	store_bind_text(search, 1, name);
	step = store_step(store, search);
	if (step == 0)
		return add_user(store, name, verified, id_r);
	if (step < 0)
		return false;
	*id_r = sqlite3_column_int64(search, 0);
	was_verified = sqlite3_column_int(search, 1) != 0;
	sqlite3_reset(search);
	if (was_verified || !verified)
		return true;
	if (store->unverified_users > 0)
		store->unverified_users--;
	verification = store_statement(store, STATEMENT_VERIFY_USER);
	if (verification == NULL)
		return false;
	sqlite3_bind_int64(verification, 1, *id_r);
	return store_run(store, verification);
}

/* ---- sightings ---- */

struct row_key {
	int64_t user, habit, rules;
};

static bool write_row(struct store *store, enum statement which, const struct row_key *key,
		      const struct store_sighting *sighting)
{
	sqlite3_stmt *statement = store_statement(store, which);

	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, key->user);
	sqlite3_bind_int(statement, 2, sighting->verified);
	sqlite3_bind_int64(statement, 3, key->habit);
	sqlite3_bind_int64(statement, 4, key->rules);
	sqlite3_bind_int64(statement, 5, (int64_t)sighting->count);
	sqlite3_bind_int64(statement, 6, (int64_t)sighting->rejected);
	sqlite3_bind_int64(statement, 7, sighting->first_seen);
	sqlite3_bind_int64(statement, 8, sighting->last_seen);
	if (sighting->last_client[0] == '\0')
		sqlite3_bind_null(statement, 9);
	else
		store_bind_text(statement, 9, sighting->last_client);
	sqlite3_bind_int64(statement, 10, (int64_t)sighting->weeks);
	return store_run(store, statement);
}

/* 1 there was such a row, 0 not, -1 failure. */
static int update_row(struct store *store, const struct row_key *key,
		      const struct store_sighting *sighting)
{
	if (!write_row(store, STATEMENT_UPDATE_SIGHTING, key, sighting))
		return -1;
	return sqlite3_changes(store->database) > 0;
}

static bool count_rows(struct store *store, int64_t user, bool verified, int64_t *count_r)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_COUNT_SIGHTINGS);

	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_int(statement, 2, verified);
	return find(store, statement, count_r) > 0;
}

static int64_t rows_max(const struct store_sighting *sighting)
{
	if (sighting->verified)
		return VERIFIED_ROWS_MAX;
	return sighting->user[0] == '\0' ? NAMELESS_ROWS_MAX : UNVERIFIED_ROWS_MAX;
}

/* Adds a row that is new; without the program, or even the name, where there are
   too many. What is then left to tell apart is the server's, not a stranger's. */
static bool add_new_row(struct store *store, struct row_key *key,
			const struct store_sighting *sighting)
{
	int64_t count = 0;
	int updated;

	if (key->user != STORE_NOBODY && !count_rows(store, key->user, sighting->verified, &count))
		return false;
	if (key->user != STORE_NOBODY && count < rows_max(sighting))
		return write_row(store, STATEMENT_ADD_SIGHTING, key, sighting);
	if (!habit_id(store, sighting->habit, "", sighting->verified, &key->habit))
		return false;
	if (!sighting->verified && count >= 2 * rows_max(sighting))
		key->user = STORE_NOBODY;
	updated = update_row(store, key, sighting);
	if (updated != 0)
		return updated > 0;
	return write_row(store, STATEMENT_ADD_SIGHTING, key, sighting);
}

bool store_add(struct store *store, const struct store_sighting *sighting)
{
	struct row_key key;
	int updated;

	if (!user_id(store, sighting->user, sighting->verified, &key.user) ||
	    !rule_set_id(store, sighting->rules, &key.rules) ||
	    !habit_id(store, sighting->habit,
		      key.user == STORE_NOBODY ? "" : sighting->habit->client_id,
		      sighting->verified, &key.habit))
		return false;
	updated = update_row(store, &key, sighting);
	if (updated != 0)
		return updated > 0;
	return add_new_row(store, &key, sighting);
}

/* ---- the rest ---- */

bool store_add_day(struct store *store, const struct store_day *day)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_ADD_DAY);

	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, day->day);
	sqlite3_bind_int64(statement, 2, (int64_t)day->sightings);
	sqlite3_bind_int64(statement, 3, (int64_t)day->unknown_country);
	sqlite3_bind_int64(statement, 4, (int64_t)day->lines);
	sqlite3_bind_int64(statement, 5, (int64_t)day->lost);
	sqlite3_bind_int64(statement, 6, (int64_t)day->set_aside);
	return store_run(store, statement);
}

bool store_add_writer(struct store *store, const struct store_writer *writer)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_ADD_WRITER);

	if (statement == NULL)
		return false;
	store_bind_text(statement, 1, writer->host);
	sqlite3_bind_int(statement, 2, writer->source);
	sqlite3_bind_int64(statement, 3, (int64_t)writer->lines);
	sqlite3_bind_int64(statement, 4, (int64_t)writer->lost);
	sqlite3_bind_int64(statement, 5, writer->last_seen);
	return store_run(store, statement);
}

bool store_add_totals(struct store *store, const struct store_totals *totals)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_ADD_TOTALS);

	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, totals->last_import);
	sqlite3_bind_int64(statement, 2, (int64_t)totals->lines);
	sqlite3_bind_int64(statement, 3, (int64_t)totals->lost);
	sqlite3_bind_int64(statement, 4, (int64_t)totals->set_aside);
	return store_run(store, statement);
}

bool store_put_file(struct store *store, struct store_file *file)
{
	sqlite3_stmt *statement =
		store_statement(store, file->id == 0 ? STATEMENT_ADD_FILE : STATEMENT_UPDATE_FILE);

	if (statement == NULL)
		return false;
	store_bind_text(statement, 1, file->name);
	sqlite3_bind_int64(statement, 2, (int64_t)file->device);
	sqlite3_bind_int64(statement, 3, (int64_t)file->inode);
	sqlite3_bind_int64(statement, 4, (int64_t)file->head);
	sqlite3_bind_int64(statement, 5, (int64_t)file->head_length);
	sqlite3_bind_int64(statement, 6, (int64_t)file->position);
	sqlite3_bind_int(statement, 7, file->removed);
	sqlite3_bind_int64(statement, 8, file->touched);
	if (file->id == 0)
		return insert(store, statement, &file->id);
	sqlite3_bind_int64(statement, 9, file->id);
	return store_run(store, statement);
}

bool store_drop_file(struct store *store, int64_t id)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_DROP_FILE);

	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, id);
	return store_run(store, statement);
}
