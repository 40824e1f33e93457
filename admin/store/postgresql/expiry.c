#include "postgresql.h"

/* Erases what is old, while importers go on: in many transactions, each of which has few rows
   locked, for a short time, and locks them in the order of their keys, as importers do. What is
   cut short is gone on with by the next one.

   An index of times would be changed with every login, so all rows are looked at, once through
   the table as it lies on the disk. A row that moves meanwhile is one that was just used. */

#define EXPIRY_INTERVAL (INT64_C(6) * 3600 * 1000)

/* A file that was imported and removed is remembered so long, in case that it is copied here
   again. */
#define FILE_MEMORY (INT64_C(30) * MILLISECONDS_A_DAY)

/* Of the table, that are gone through in a transaction: some 50,000 rows. */
#define BLOCKS_AT_ONCE 1000

/* Of users, that are looked through at once; and how many are removed in a transaction, for which
   importers that know no user yet wait. */
#define IDS_AT_ONCE 200000
#define REMOVED_AT_ONCE 20000

struct expiring {
	struct store *store;
	int64_t addresses, sightings; /* what was last seen before that is to go */
};

static bool run(struct store *store, const char *sql, int64_t time)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_TIME, time);
	return postgresql_run(store, sql, &parameters);
}

int postgresql_may_delete(struct store *store)
{
	int64_t may;
	int found = postgresql_number(
		store, "SELECT has_table_privilege('portcullis.sightings', 'DELETE')", NULL, &may);

	return found > 0 ? may != 0 : -1;
}

/* ---- turns ---- */

/* 1 expiry is due, 0 not, -1 failure. */
static int is_due(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	struct parameters parameters = {0};
	int64_t due;

	parameter_add(&parameters, PARAMETER_TIME, now);
	parameter_add(&parameters, PARAMETER_BIGINT, EXPIRY_INTERVAL / 1000);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_addresses);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_sightings);
	if (!postgresql_number_of_row(store,
				      "SELECT last_expiry IS NULL OR abs(extract(epoch FROM $1 -"
				      " last_expiry)) >= $2 OR kept_addresses <> $3"
				      " OR kept_sightings <> $4 FROM portcullis.upkeep",
				      &parameters, &due))
		return -1;
	return due != 0;
}

static bool note_expiry(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_TIME, now);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_addresses);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_sightings);
	return postgresql_run(store,
			      "UPDATE portcullis.upkeep SET last_expiry = $1, kept_addresses = $2,"
			      " kept_sightings = $3",
			      &parameters);
}

/* Begins a transaction in which nobody else is at it: 1 begun, 0 somebody is, -1 failure. */
static int take_turn(struct store *store)
{
	int64_t taken = 0;
	char sql[100];

	if (!postgresql_begin_upkeep(store))
		return -1;
	g_snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_xact_lock(" LOCK_CLASS ", %d)",
		   LOCK_EXPIRY);
	if (postgresql_number(store, sql, NULL, &taken) > 0 && taken != 0)
		return 1;
	taken = PQtransactionStatus(store_postgresql(store)->connection) == PQTRANS_INTRANS;
	postgresql_rollback(store);
	return taken != 0 ? 0 : -1;
}

/* Ends it, as the work has succeeded: 1, or -1. */
static int end_turn(struct store *store, bool succeeded)
{
	if (succeeded && postgresql_commit(store))
		return 1;
	postgresql_rollback(store);
	return -1;
}

/* ---- sightings ---- */

/* Of names that nobody ever had the password of, nothing stays: strangers' inventions, and
   passwords that were typed in the wrong field. */
static bool expire_blocks(struct expiring *expiring, int64_t first)
{
	static const char sql[] =
		"WITH old AS MATERIALIZED (SELECT user_id, verified, habit, rules, server, day,"
		"  last_seen < $1 OR user_id IN (SELECT id FROM portcullis.users"
		"   WHERE NOT verified AND name <> '') AS goes"
		"  FROM portcullis.sightings WHERE ctid >= '(%" G_GINT64_FORMAT ",0)'"
		"  AND ctid < '(%" G_GINT64_FORMAT ",0)' AND (last_seen < $1 OR (last_seen < $2"
		"   AND (last_client IS NOT NULL OR user_id IN (SELECT id FROM portcullis.users"
		"   WHERE NOT verified AND name <> ''))))"
		"  ORDER BY user_id, verified, habit, rules, server, day FOR UPDATE),"
		" gone AS (DELETE FROM portcullis.sightings s USING old o WHERE o.goes AND"
		"  (s.user_id, s.verified, s.habit, s.rules, s.server, s.day)"
		"  = (o.user_id, o.verified, o.habit, o.rules, o.server, o.day))"
		" UPDATE portcullis.sightings s SET last_client = NULL FROM old o WHERE NOT o.goes "
		"AND"
		"  (s.user_id, s.verified, s.habit, s.rules, s.server, s.day)"
		"  = (o.user_id, o.verified, o.habit, o.rules, o.server, o.day)";
	char *text = g_strdup_printf(sql, first, first + BLOCKS_AT_ONCE);
	struct parameters parameters = {0};
	bool fine;

	parameter_add(&parameters, PARAMETER_TIME, expiring->sightings);
	parameter_add(&parameters, PARAMETER_TIME, expiring->addresses);
	fine = postgresql_run(expiring->store, text, &parameters);
	g_free(text);
	return fine;
}

/* As take_turn(). */
static int expire_sightings(struct expiring *expiring)
{
	int64_t blocks = 0;
	int turn = postgresql_number(expiring->store,
				     "SELECT pg_relation_size('portcullis.sightings')"
				     " / current_setting('block_size')::integer",
				     NULL, &blocks);

	for (int64_t first = 0; turn > 0 && first < blocks; first += BLOCKS_AT_ONCE) {
		turn = take_turn(expiring->store);
		if (turn > 0)
			turn = end_turn(expiring->store, expire_blocks(expiring, first));
	}
	return turn;
}

/* ---- what nothing refers to any more ---- */

static struct parameters parameter_of_ids(const PGresult *ids, int first, int count)
{
	struct parameters parameters = {0};
	GByteArray *array = parameter_add_array(&parameters, PARAMETER_BIGINT);

	for (int i = first; i < first + count; i++)
		array_add(array, PARAMETER_BIGINT, result_number(ids, i, 0));
	return parameters;
}

/* Importers that have looked up an id end first, and others wait: so what may go was found before,
   and is only looked at once more. Takes ids over. As take_turn(). */
static int remove_ids(struct store *store, PGresult *ids, const char *removal)
{
	int turn = ids == NULL ? -1 : 1;

	for (int first = 0; turn > 0 && first < PQntuples(ids); first += REMOVED_AT_ONCE) {
		struct parameters parameters =
			parameter_of_ids(ids, first, MIN(REMOVED_AT_ONCE, PQntuples(ids) - first));

		turn = take_turn(store);
		if (turn > 0)
			turn = end_turn(store, postgresql_lock(store, LOCK_DICTIONARIES) &&
						       postgresql_run(store, removal, &parameters));
		parameters_clear(&parameters);
	}
	PQclear(ids);
	return turn;
}

static PGresult *find_unused_users(struct store *store, int64_t first)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_BIGINT, first);
	parameter_add(&parameters, PARAMETER_BIGINT, first + IDS_AT_ONCE);
	return postgresql_query(store,
				"SELECT id FROM portcullis.users u WHERE id >= $1 AND id < $2"
				" AND NOT EXISTS (SELECT 1 FROM portcullis.sightings s WHERE"
				"  s.user_id = u.id AND s.user_id >= $1 AND s.user_id < $2)"
				" ORDER BY id",
				&parameters);
}

static int remove_users(struct store *store)
{
	int64_t last = 0;
	int turn = postgresql_number(store, "SELECT coalesce(max(id), 0) FROM portcullis.users",
				     NULL, &last);

	for (int64_t first = 0; turn > 0 && first <= last; first += IDS_AT_ONCE)
		turn = remove_ids(
			store, find_unused_users(store, first),
			"DELETE FROM portcullis.users u WHERE id = ANY ($1) AND NOT EXISTS"
			" (SELECT 1 FROM portcullis.sightings WHERE user_id = u.id)");
	return turn;
}

static int remove_habits(struct store *store)
{
	return remove_ids(
		store,
		postgresql_query(store,
				 "SELECT id FROM portcullis.habits h WHERE NOT EXISTS"
				 " (SELECT 1 FROM portcullis.sightings WHERE habit = h.id)"
				 " ORDER BY id",
				 NULL),
		"DELETE FROM portcullis.habits h WHERE id = ANY ($1) AND NOT EXISTS"
		" (SELECT 1 FROM portcullis.sightings WHERE habit = h.id)");
}

/* That of clean logins stays: there is always one. */
static int remove_rule_sets(struct store *store)
{
	return remove_ids(store,
			  postgresql_query(store,
					   "SELECT id FROM portcullis.rule_sets r WHERE text <> ''"
					   " AND NOT EXISTS (SELECT 1 FROM portcullis.sightings"
					   "  WHERE broken AND rules = r.id) ORDER BY id",
					   NULL),
			  "DELETE FROM portcullis.rule_sets r WHERE id = ANY ($1) AND NOT EXISTS"
			  " (SELECT 1 FROM portcullis.sightings WHERE broken AND rules = r.id)");
}

static bool remove_servers(struct store *store)
{
	return postgresql_lock(store, LOCK_DICTIONARIES) &&
	       postgresql_execute(
		       store,
		       "DELETE FROM portcullis.servers s WHERE NOT EXISTS"
		       " (SELECT 1 FROM portcullis.coverage WHERE server = s.id) AND NOT EXISTS"
		       " (SELECT 1 FROM portcullis.sightings WHERE server > 0 AND server = s.id);"
		       "DELETE FROM portcullis.named_tls n WHERE NOT EXISTS"
		       " (SELECT 1 FROM portcullis.servers WHERE id = n.server)");
}

/* ---- the rest, of which there is little ---- */

/* The last ones tell what time it is. */
static bool expire_days(struct store *store, int64_t before)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_DAY, before / MILLISECONDS_A_DAY);
	parameter_add(&parameters, PARAMETER_INTEGER, STORE_CONFIRMING_DAYS);
	return postgresql_run(store,
			      "DELETE FROM portcullis.days WHERE day < $1 AND day < coalesce("
			      "(SELECT min(day) FROM (SELECT DISTINCT day FROM portcullis.days"
			      " WHERE sightings > 0 ORDER BY day DESC LIMIT $2) d), $1)",
			      &parameters);
}

/* Of a log whose last line is too old to be kept, no line can come twice. */
static bool expire_logs(struct store *store, int64_t addresses, int64_t sightings)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_DAY, sightings / MILLISECONDS_A_DAY);
	return postgresql_run(store, "DELETE FROM portcullis.coverage WHERE day < $1",
			      &parameters) &&
	       run(store, "DELETE FROM portcullis.logs WHERE touched < $1",
		   sightings - MILLISECONDS_A_DAY) &&
	       run(store, "DELETE FROM portcullis.log_connections WHERE heard < $1", addresses);
}

static bool expire_rest(struct expiring *expiring, int64_t now)
{
	struct store *store = expiring->store;

	return expire_days(store, expiring->sightings) &&
	       run(store, "DELETE FROM portcullis.writers WHERE last_seen < $1",
		   expiring->sightings) &&
	       run(store, "DELETE FROM portcullis.notices WHERE intended < $1",
		   expiring->sightings) &&
	       /* What was before them is too old to be recorded. */
	       run(store, "DELETE FROM portcullis.orders WHERE made < $1", expiring->sightings) &&
	       run(store,
		   "DELETE FROM portcullis.shared_texts WHERE name = 'grace' AND changed < $1",
		   expiring->sightings) &&
	       expire_logs(store, expiring->addresses, expiring->sightings) &&
	       run(store,
		   "DELETE FROM portcullis.files WHERE dropped OR (touched < $1 AND removed)",
		   now - FILE_MEMORY) &&
	       remove_servers(store);
}

/* ---- the whole ---- */

/* An account that may only write leaves it to one that may delete. */
bool postgresql_expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	struct expiring expiring = {
		.store = store,
		.addresses = now - expiry->keep_addresses,
		.sightings = now - expiry->keep_sightings,
	};
	int turn = is_due(store, expiry, now);

	if (turn > 0)
		turn = postgresql_may_delete(store);
	if (turn > 0)
		turn = expire_sightings(&expiring);
	if (turn > 0)
		turn = remove_users(store);
	if (turn > 0)
		turn = remove_habits(store);
	if (turn > 0)
		turn = remove_rule_sets(store);
	if (turn > 0)
		turn = take_turn(store);
	if (turn > 0)
		turn = end_turn(store,
				expire_rest(&expiring, now) && note_expiry(store, expiry, now));
	return turn >= 0;
}

bool postgresql_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
			    bool *found_r)
{
	struct parameters parameters = {0};
	int64_t found = 0;
	int read, may = postgresql_may_delete(store);

	/* Notices are not for everybody, who is not to tell of them then. */
	*found_r = false;
	if (may <= 0)
		return may == 0;
	parameter_add(&parameters, PARAMETER_TIME, now - expiry->keep_addresses);
	parameter_add(&parameters, PARAMETER_TIME, now - expiry->keep_sightings);
	read = postgresql_number(store,
				 "SELECT EXISTS (SELECT 1 FROM portcullis.sightings"
				 " WHERE last_seen < $2 OR (last_seen < $1 AND"
				 " (last_client IS NOT NULL OR user_id IN"
				 " (SELECT id FROM portcullis.users WHERE NOT verified"
				 " AND name <> '')))) OR EXISTS"
				 " (SELECT 1 FROM portcullis.notices WHERE intended < $2)",
				 &parameters, &found);
	*found_r = found != 0;
	return read > 0;
}
