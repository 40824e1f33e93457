#include "sqlite.h"

#include "admin/store/store-limits.h"
#include "admin/store/store-week.h"

/* ---- sightings ---- */

struct row_key {
	int64_t user, habit, rules;
	int64_t server, day; /* of a log, while better records may come; otherwise 0 */
	bool broken;         /* the rules are any: no part of the key, as these say it */
};

/* Binds ?1 to ?13, and ?17 to ?19. */
static void bind_sighting(sqlite3_stmt *statement, const struct row_key *key,
			  const struct store_sighting *sighting)
{
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
		store_sqlite_bind_text(statement, 9, sighting->last_client);
	sqlite3_bind_int64(statement, 10, (int64_t)sighting->weeks);
	store_sqlite_bind_text(statement, 11, sighting->whereabouts);
	sqlite3_bind_int(statement, 12, sighting->tls_below);
	sqlite3_bind_int64(statement, 13, (int64_t)sighting->days);
	sqlite3_bind_int64(statement, 17, key->server);
	sqlite3_bind_int64(statement, 18, key->day);
	sqlite3_bind_int(statement, 19, key->broken);
}

#define FIRST_DAY "(first_seen / 86400000)"
#define LAST_DAY "(last_seen / 86400000)"

/* How many days a row was not seen on before: those outside of what it spans, or one of a
   week of which nothing was known. ?14: the week of ?8; ?15 and ?16: the days of ?7 and ?8. */
#define NEW_DAYS                                                                                   \
	"CASE WHEN ?15 >= " FIRST_DAY " AND ?16 <= " LAST_DAY                                      \
	" THEN (weeks >> (" STORE_SQLITE_WEEK " - ?14)) & 1 = 0"                                   \
	" ELSE min(max(0, ?16 - " LAST_DAY ") + max(0, " FIRST_DAY " - ?15),"                      \
	" max(1, ?13 - (?15 BETWEEN " FIRST_DAY " AND " LAST_DAY ")"                               \
	" - (?16 BETWEEN " FIRST_DAY " AND " LAST_DAY "))) END"

/* 1 there was such a row, 0 not, -1 failure. All expressions see the row as it was;
   bits of weeks are counted from the later one of the two last weeks. */
static int update_row(struct store *store, const struct row_key *key,
		      const struct store_sighting *sighting)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "UPDATE sightings SET count = count + ?5, rejected = rejected + ?6,"
		       " first_seen = min(first_seen, ?7), last_seen = max(last_seen, ?8),"
		       " last_client = CASE WHEN ?8 >= last_seen THEN ?9 ELSE last_client END,"
		       " whereabouts = CASE WHEN ?8 >= last_seen THEN ?11 ELSE whereabouts END,"
		       " tls_below = CASE WHEN ?8 >= last_seen THEN ?12 ELSE tls_below END,"
		       " weeks = (weeks << max(0, ?14 - " STORE_SQLITE_WEEK
		       ")) | (?10 << max(0, " STORE_SQLITE_WEEK " - ?14)),"
		       " days = days + " NEW_DAYS
		       " WHERE user = ?1 AND verified = ?2 AND habit = ?3 AND rules = ?4"
		       " AND server = ?17 AND day = ?18");

	bind_sighting(statement, key, sighting);
	sqlite3_bind_int64(statement, 14, store_week(sighting->last_seen));
	sqlite3_bind_int64(statement, 15, sighting->first_seen / MILLISECONDS_A_DAY);
	sqlite3_bind_int64(statement, 16, sighting->last_seen / MILLISECONDS_A_DAY);
	if (!store_sqlite_run(store, statement))
		return -1;
	return store_sqlite_changes(store) > 0;
}

static bool insert_row(struct store *store, const struct row_key *key,
		       const struct store_sighting *sighting)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "INSERT INTO sightings (user, verified, habit, rules, count, rejected,"
		       " first_seen, last_seen, last_client, weeks, whereabouts, tls_below, days,"
		       " server, day, broken)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?17,"
		       " ?18, ?19)");

	bind_sighting(statement, key, sighting);
	return store_sqlite_run(store, statement);
}

/* Adds to the row, which is made where it is missing. */
static bool add_to_row(struct store *store, const struct row_key *key,
		       const struct store_sighting *sighting)
{
	int updated = update_row(store, key, sighting);

	return updated != 0 ? updated > 0 : insert_row(store, key, sighting);
}

/* Those of several days, which wait, will be one. */
static bool count_rows(struct store *store, int64_t user, bool verified, int64_t *count_r)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "SELECT count(*) FROM (SELECT DISTINCT habit, rules FROM sightings"
		       " WHERE user = ?1 AND verified = ?2)");

	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_int(statement, 2, verified);
	return store_sqlite_number(store, statement, count_r) > 0;
}

static int64_t rows_max(const struct store_sighting *sighting)
{
	if (sighting->verified)
		return VERIFIED_ROWS_MAX;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): only with a name are there any */
	return sighting->user[0] == '\0' ? NAMELESS_ROWS_MAX : UNVERIFIED_ROWS_MAX;
}

static bool add_without_program(struct store *store, struct row_key *key,
				const struct store_sighting *sighting)
{
	return store_sqlite_habit_id(store, sighting->habit, "", sighting->verified, &key->habit) &&
	       add_to_row(store, key, sighting);
}

/* Adds a row that is new, and its habit if need be; without the program, or even the
   name, where there are too many: then nothing is left of the program, in no table. What
   is then left to tell apart is the server's, not a stranger's. */
static bool add_new_row(struct store *store, struct row_key *key,
			const struct store_sighting *sighting)
{
	int64_t count;

	if (!count_rows(store, key->user, sighting->verified, &count))
		return false;
	if (count >= rows_max(sighting)) {
		if (!sighting->verified && count >= 2 * rows_max(sighting))
			key->user = STORE_NOBODY;
		return add_without_program(store, key, sighting);
	}
	/* The habit may turn out to be one that has its row. */
	return store_sqlite_habit_id(store, sighting->habit, sighting->habit->client_id,
				     sighting->verified, &key->habit) &&
	       add_to_row(store, key, sighting);
}

/* 1 added to a row that is there, 0 there is none, -1 failure. */
static int add_to_known_row(struct store *store, struct row_key *key,
			    const struct store_sighting *sighting)
{
	int found = store_sqlite_find_habit(store, sighting->habit, sighting->habit->client_id,
					    &key->habit);

	return found > 0 ? update_row(store, key, sighting) : found;
}

static bool add(struct store *store, struct row_key *key, const struct store_sighting *sighting)
{
	int added;

	if (key->user == STORE_NOBODY)
		return add_without_program(store, key, sighting);
	added = add_to_known_row(store, key, sighting);
	return added != 0 ? added > 0 : add_new_row(store, key, sighting);
}

/* What a better record has. What was added of that day for the same way counts by it, too. */
static bool remove_row(struct store *store, struct row_key *key,
		       const struct store_sighting *sighting)
{
	int found = store_sqlite_find_habit(store, sighting->habit, sighting->habit->client_id,
					    &key->habit);
	sqlite3_stmt *removal;

	if (found <= 0)
		return found == 0;
	removal = store_sqlite_statement(
		store, "DELETE FROM sightings WHERE user = ?1 AND verified = ?2"
		       " AND habit = ?3 AND rules = ?4 AND server = ?5 AND day = ?6");
	sqlite3_bind_int64(removal, 1, key->user);
	sqlite3_bind_int(removal, 2, sighting->verified);
	sqlite3_bind_int64(removal, 3, key->habit);
	sqlite3_bind_int64(removal, 4, key->rules);
	sqlite3_bind_int64(removal, 5, sighting->server);
	sqlite3_bind_int64(removal, 6, sighting->last_seen / MILLISECONDS_A_DAY);
	return store_sqlite_run(store, removal) &&
	       (store_sqlite_changes(store) == 0 || store_sqlite_reckon_user(store, key->user));
}

static bool add_of_log(struct store *store, struct row_key *key, struct store_sqlite_user *user,
		       const struct store_sighting *sighting)
{
	/* A version of TLS only logs know. */
	int covered = sighting->tls_below == TLS_VERSION_UNKNOWN
			      ? store_sqlite_is_covered(store, sighting)
			      : 0;

	if (covered != 0)
		return covered > 0 && remove_row(store, key, sighting);
	if (!sighting->settled) {
		key->server = sighting->server;
		key->day = sighting->last_seen / MILLISECONDS_A_DAY;
	}
	return add(store, key, sighting) && store_sqlite_note_presence(store, user, sighting);
}

bool store_sqlite_add(struct store *store, const struct store_sighting *sighting)
{
	struct store_sqlite_user user = {.id = STORE_NOBODY};
	struct row_key key = {.broken = sighting->rules->rule_count > 0};

	if (!store_sqlite_rule_set_id(store, sighting->rules, &key.rules) ||
	    (sighting->user != NULL &&
	     !store_sqlite_user(store, sighting->user, sighting->verified, &user)))
		return false;
	key.user = user.id;
	if (sighting->server != 0)
		return add_of_log(store, &key, &user, sighting);
	return add(store, &key, sighting) && store_sqlite_note_presence(store, &user, sighting);
}

/* ---- what waits ---- */

/* Of a transaction: others wait for it to end. */
#define SETTLED_AT_ONCE 10000

struct waiting_row {
	struct row_key key;
	struct store_sighting sighting;
	char *client, *whereabouts;
};

static struct waiting_row read_waiting(sqlite3_stmt *row)
{
	struct waiting_row waiting = {
		.key = {.user = sqlite3_column_int64(row, 0),
			.habit = sqlite3_column_int64(row, 2),
			.rules = sqlite3_column_int64(row, 3),
			.server = sqlite3_column_int64(row, 4),
			.day = sqlite3_column_int64(row, 5),
			.broken = sqlite3_column_int(row, 15) != 0},
		.sighting = {.verified = sqlite3_column_int(row, 1) != 0,
			     .count = (uint64_t)sqlite3_column_int64(row, 6),
			     .rejected = (uint64_t)sqlite3_column_int64(row, 7),
			     .first_seen = sqlite3_column_int64(row, 8),
			     .last_seen = sqlite3_column_int64(row, 9),
			     .weeks = (uint64_t)sqlite3_column_int64(row, 11),
			     .tls_below = (enum tls_version)store_sqlite_column_below(row, 13,
										      TLS_V1_3 + 1),
			     .days = (uint64_t)sqlite3_column_int64(row, 14)},
		.client = g_strdup(store_sqlite_column_text(row, 10)),
		.whereabouts = g_strdup(store_sqlite_column_text(row, 12)),
	};

	waiting.sighting.last_client = waiting.client;
	waiting.sighting.whereabouts = waiting.whereabouts;
	return waiting;
}

static void clear_waiting(void *pointer)
{
	struct waiting_row *row = pointer;

	g_free(row->client);
	g_free(row->whereabouts);
}

/* NULL when the store fails. */
static GArray *find_waiting(struct store *store, int64_t before)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT user, verified, habit, rules, server, day, count, rejected,"
		       " first_seen, last_seen, last_client, weeks, whereabouts, tls_below, days,"
		       " broken FROM sightings WHERE server > 0 AND day < ?1 LIMIT ?2");
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct waiting_row));
	int step;

	g_array_set_clear_func(rows, clear_waiting);
	sqlite3_bind_int64(row, 1, before);
	sqlite3_bind_int(row, 2, SETTLED_AT_ONCE);
	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct waiting_row waiting = read_waiting(row);

		g_array_append_val(rows, waiting);
	}
	if (step == 0)
		return rows;
	g_array_unref(rows);
	return NULL;
}

static bool settle_row(struct store *store, const struct waiting_row *row)
{
	sqlite3_stmt *removal = store_sqlite_statement(
		store, "DELETE FROM sightings WHERE user = ?1 AND verified = ?2 AND habit = ?3"
		       " AND rules = ?4 AND server = ?17 AND day = ?18");
	struct row_key key = row->key;

	sqlite3_bind_int64(removal, 1, key.user);
	sqlite3_bind_int(removal, 2, row->sighting.verified);
	sqlite3_bind_int64(removal, 3, key.habit);
	sqlite3_bind_int64(removal, 4, key.rules);
	sqlite3_bind_int64(removal, 17, key.server);
	sqlite3_bind_int64(removal, 18, key.day);
	key.server = key.day = 0;
	return store_sqlite_run(store, removal) && add_to_row(store, &key, &row->sighting);
}

bool store_sqlite_settle(struct store *store, int64_t before, bool *more_r)
{
	GArray *rows = find_waiting(store, before);
	bool fine = true;

	if (rows == NULL)
		return false;
	*more_r = rows->len == SETTLED_AT_ONCE;
	for (guint i = 0; fine && i < rows->len; i++)
		fine = settle_row(store, &g_array_index(rows, struct waiting_row, i));
	g_array_unref(rows);
	return fine;
}

/* ---- the rest ---- */

bool store_sqlite_add_day(struct store *store, const struct store_day *day)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "INSERT INTO days"
		       " (day, sightings, unknown_country, lines, lost, set_aside, last_line)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + (SELECT lines FROM totals))"
		       " ON CONFLICT (day) DO UPDATE SET"
		       " sightings = sightings + excluded.sightings,"
		       " unknown_country = unknown_country + excluded.unknown_country,"
		       " lines = lines + excluded.lines, lost = lost + excluded.lost,"
		       " set_aside = set_aside + excluded.set_aside,"
		       " last_line = max(last_line, excluded.last_line)");

	sqlite3_bind_int64(statement, 1, day->day);
	sqlite3_bind_int64(statement, 2, (int64_t)day->sightings);
	sqlite3_bind_int64(statement, 3, (int64_t)day->unknown_country);
	sqlite3_bind_int64(statement, 4, (int64_t)day->lines);
	sqlite3_bind_int64(statement, 5, (int64_t)day->lost);
	sqlite3_bind_int64(statement, 6, (int64_t)day->set_aside);
	sqlite3_bind_int64(statement, 7, day->last_line);
	return store_sqlite_run(store, statement);
}

bool store_sqlite_confirm_days(struct store *store, int64_t first, int64_t last)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "UPDATE days SET confirmed = 1 WHERE day BETWEEN ?1 AND ?2");

	sqlite3_bind_int64(statement, 1, first);
	sqlite3_bind_int64(statement, 2, last);
	return store_sqlite_run(store, statement);
}

/* Of a line that is older than what is known it says nothing. */
static bool set_edition(struct store *store, const struct store_writer *writer)
{
	sqlite3_stmt *statement =
		store_sqlite_statement(store, "UPDATE writers SET edition = ?3, edition_since = ?4"
					      " WHERE host = ?1 AND source = ?2 AND edition <> ?3"
					      " AND edition_since <= ?4");

	store_sqlite_bind_text(statement, 1, writer->host);
	sqlite3_bind_int(statement, 2, writer->source);
	store_sqlite_bind_text(statement, 3, writer->edition);
	sqlite3_bind_int64(statement, 4, writer->edition_since);
	return store_sqlite_run(store, statement);
}

bool store_sqlite_add_writer(struct store *store, const struct store_writer *writer)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "INSERT INTO writers (host, source, lines, lost, last_seen)"
		       " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (host, source) DO UPDATE SET"
		       " lines = lines + excluded.lines, lost = lost + excluded.lost,"
		       " last_seen = max(last_seen, excluded.last_seen)");

	store_sqlite_bind_text(statement, 1, writer->host);
	sqlite3_bind_int(statement, 2, writer->source);
	sqlite3_bind_int64(statement, 3, (int64_t)writer->lines);
	sqlite3_bind_int64(statement, 4, (int64_t)writer->lost);
	sqlite3_bind_int64(statement, 5, writer->last_seen);
	return store_sqlite_run(store, statement) &&
	       (writer->edition[0] == '\0' || set_edition(store, writer));
}

bool store_sqlite_add_totals(struct store *store, const struct store_totals *totals)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "UPDATE totals SET last_import = ?1, lines = lines + ?2,"
		       " lost = lost + ?3, set_aside = set_aside + ?4");

	sqlite3_bind_int64(statement, 1, totals->last_import);
	sqlite3_bind_int64(statement, 2, (int64_t)totals->lines);
	sqlite3_bind_int64(statement, 3, (int64_t)totals->lost);
	sqlite3_bind_int64(statement, 4, (int64_t)totals->set_aside);
	return store_sqlite_run(store, statement);
}

/* Binds ?1 to ?8. */
static sqlite3_stmt *bind_file(sqlite3_stmt *statement, const struct store_file *file)
{
	store_sqlite_bind_text(statement, 1, file->name);
	sqlite3_bind_int64(statement, 2, (int64_t)file->device);
	sqlite3_bind_int64(statement, 3, (int64_t)file->inode);
	sqlite3_bind_int64(statement, 4, (int64_t)file->head);
	sqlite3_bind_int64(statement, 5, (int64_t)file->head_length);
	sqlite3_bind_int64(statement, 6, (int64_t)file->position);
	sqlite3_bind_int(statement, 7, file->removed);
	sqlite3_bind_int64(statement, 8, file->touched);
	return statement;
}

static bool add_file(struct store *store, struct store_file *file)
{
	sqlite3_stmt *addition = store_sqlite_statement(
		store, "INSERT INTO files (name, device, inode, head, head_length, position,"
		       " removed, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

	return store_sqlite_insert(store, bind_file(addition, file), &file->id);
}

bool store_sqlite_put_file(struct store *store, struct store_file *file)
{
	sqlite3_stmt *update;

	if (file->id == 0)
		return add_file(store, file);
	update = store_sqlite_statement(
		store, "UPDATE files SET name = ?1, device = ?2, inode = ?3, head = ?4,"
		       " head_length = ?5, position = ?6, removed = ?7, touched = ?8"
		       " WHERE id = ?9");
	bind_file(update, file);
	sqlite3_bind_int64(update, 9, file->id);
	return store_sqlite_run(store, update);
}

bool store_sqlite_drop_file(struct store *store, int64_t id)
{
	sqlite3_stmt *statement = store_sqlite_statement(store, "DELETE FROM files WHERE id = ?1");

	sqlite3_bind_int64(statement, 1, id);
	return store_sqlite_run(store, statement);
}
