#include "postgresql.h"

#define EXPIRY_INTERVAL (INT64_C(6) * 3600 * 1000)

/* A file that was imported and removed is remembered so long, in case that it is copied here
   again. */
#define FILE_MEMORY (INT64_C(30) * MILLISECONDS_A_DAY)

/* Runs SQL with one or two times. */
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

/* ---- what nothing refers to any more ---- */

/* Importers that have looked up an id end first, and others wait: so what may go is found
   before that, and only looked at once more then. */
static bool find_unused(struct store *store)
{
	return postgresql_execute(
		store, "CREATE TEMPORARY TABLE unused ON COMMIT DROP AS"
		       " SELECT 'u' AS kind, id FROM portcullis.users u WHERE NOT EXISTS"
		       "  (SELECT 1 FROM portcullis.sightings WHERE user_id = u.id)"
		       " UNION ALL SELECT 'h', id FROM portcullis.habits h WHERE NOT EXISTS"
		       "  (SELECT 1 FROM portcullis.sightings WHERE habit = h.id)"
		       " UNION ALL SELECT 'r', id FROM portcullis.rule_sets r WHERE NOT EXISTS"
		       "  (SELECT 1 FROM portcullis.sightings WHERE rules = r.id);"
		       "ANALYZE unused");
}

static bool remove_unused(struct store *store)
{
	return find_unused(store) && postgresql_lock(store, LOCK_DICTIONARIES) &&
	       postgresql_execute(
		       store,
		       "DELETE FROM portcullis.users u USING unused n WHERE n.kind = 'u'"
		       " AND n.id = u.id AND NOT EXISTS"
		       " (SELECT 1 FROM portcullis.sightings WHERE user_id = u.id);"
		       "DELETE FROM portcullis.habits h USING unused n WHERE n.kind = 'h'"
		       " AND n.id = h.id AND NOT EXISTS"
		       " (SELECT 1 FROM portcullis.sightings WHERE habit = h.id);"
		       "DELETE FROM portcullis.rule_sets r USING unused n WHERE n.kind = 'r'"
		       " AND n.id = r.id AND NOT EXISTS"
		       " (SELECT 1 FROM portcullis.sightings WHERE rules = r.id);"
		       "DELETE FROM portcullis.servers s WHERE NOT EXISTS"
		       " (SELECT 1 FROM portcullis.coverage WHERE server = s.id) AND NOT EXISTS"
		       " (SELECT 1 FROM portcullis.sightings WHERE server > 0 AND server = s.id);"
		       "DELETE FROM portcullis.named_tls n WHERE NOT EXISTS"
		       " (SELECT 1 FROM portcullis.servers WHERE id = n.server)");
}

/* ---- expiry ---- */

/* 1 expiry is due, 0 not, -1 failure. */
static int is_due(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	struct parameters parameters = {0};
	int64_t due;
	int found;

	parameter_add(&parameters, PARAMETER_TIME, now);
	parameter_add(&parameters, PARAMETER_BIGINT, EXPIRY_INTERVAL / 1000);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_addresses);
	parameter_add(&parameters, PARAMETER_BIGINT, expiry->keep_sightings);
	found = postgresql_number(store,
				  "SELECT last_expiry IS NULL OR abs(extract(epoch FROM $1 -"
				  " last_expiry)) >= $2 OR kept_addresses <> $3"
				  " OR kept_sightings <> $4 FROM portcullis.upkeep",
				  &parameters, &due);
	return found > 0 ? due != 0 : -1;
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

static bool expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	int64_t addresses = now - expiry->keep_addresses;
	int64_t sightings = now - expiry->keep_sightings;

	return run(store, "DELETE FROM portcullis.sightings WHERE last_seen < $1", sightings) &&
	       run(store,
		   "UPDATE portcullis.sightings SET last_client = NULL"
		   " WHERE last_client IS NOT NULL AND last_seen < $1",
		   addresses) &&
	       /* Names that nobody ever had the password of: strangers' inventions, and
		  passwords that were typed in the wrong field. */
	       run(store,
		   "DELETE FROM portcullis.sightings s USING portcullis.users u"
		   " WHERE s.last_seen < $1 AND u.id = s.user_id AND NOT u.verified"
		   " AND u.name <> ''",
		   addresses) &&
	       expire_days(store, sightings) &&
	       run(store, "DELETE FROM portcullis.writers WHERE last_seen < $1", sightings) &&
	       run(store, "DELETE FROM portcullis.notices WHERE intended < $1", sightings) &&
	       run(store,
		   "DELETE FROM portcullis.shared_texts WHERE name = 'grace' AND changed < $1",
		   sightings) &&
	       expire_logs(store, addresses, sightings) &&
	       run(store,
		   "DELETE FROM portcullis.files WHERE dropped OR (touched < $1 AND removed)",
		   now - FILE_MEMORY) &&
	       remove_unused(store) && note_expiry(store, expiry, now);
}

/* 1 nobody else is at it, 0 somebody is, -1 failure. */
static int take_turn(struct store *store)
{
	int64_t taken = 0;
	char sql[100];

	g_snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_xact_lock(" LOCK_CLASS ", %d)",
		   LOCK_EXPIRY);
	if (postgresql_number(store, sql, NULL, &taken) <= 0)
		return -1;
	return taken != 0;
}

/* An account that may only write leaves it to one that may delete. */
bool postgresql_expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	int due = is_due(store, expiry, now), turn;

	if (due > 0)
		due = postgresql_may_delete(store);
	if (due <= 0)
		return due == 0;
	if (!postgresql_begin(store))
		return false;
	turn = take_turn(store);
	/* Somebody may have been at it until just now. */
	if (turn > 0)
		turn = is_due(store, expiry, now);
	if (turn > 0 && expire(store, expiry, now))
		return postgresql_commit(store);
	postgresql_rollback(store);
	return turn == 0;
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

/* ---- forgetting ---- */

/* Runs SQL with a name. *found: set when it changed anything. */
static bool run_with_name(struct store *store, const char *sql, const char *name, bool *found)
{
	struct parameters parameters = {0};
	int64_t changed = 0;

	parameter_add_text(&parameters, name);
	if (!postgresql_change(store, sql, &parameters, &changed))
		return false;
	*found |= changed > 0;
	return true;
}

/* Habits and rule sets of others do not go with him; his alone do. */
static bool remove_user(struct store *store, const char *user, bool *found)
{
	bool ignored = false;

	return run_with_name(store,
			     "CREATE TEMPORARY TABLE forgotten ON COMMIT DROP AS SELECT DISTINCT"
			     " habit, rules FROM portcullis.sightings WHERE user_id ="
			     " (SELECT id FROM portcullis.users WHERE name = $1)",
			     user, &ignored) &&
	       run_with_name(store,
			     "DELETE FROM portcullis.sightings WHERE user_id ="
			     " (SELECT id FROM portcullis.users WHERE name = $1)",
			     user, found) &&
	       run_with_name(store, "DELETE FROM portcullis.users WHERE name = $1", user, found) &&
	       postgresql_execute(store,
				  "DELETE FROM portcullis.habits h WHERE id IN (SELECT habit"
				  " FROM forgotten) AND NOT EXISTS (SELECT 1"
				  " FROM portcullis.sightings WHERE habit = h.id);"
				  "DELETE FROM portcullis.rule_sets r WHERE id IN (SELECT rules"
				  " FROM forgotten) AND NOT EXISTS (SELECT 1"
				  " FROM portcullis.sightings WHERE rules = r.id)");
}

/* What is not told of yet, of which importers that run take notice. */
static bool remove_connections(struct store *store, const char *user, bool *found)
{
	return run_with_name(store,
			     "UPDATE portcullis.log_joins SET change = change + 1 WHERE host IN"
			     " (SELECT host FROM portcullis.log_connections WHERE user_name = $1)",
			     user, found) &&
	       run_with_name(store, "DELETE FROM portcullis.log_connections WHERE user_name = $1",
			     user, found);
}

/* His lines; importers take them out of what their servers read. */
static bool remove_grace(struct store *store, const char *user, bool *found)
{
	return run_with_name(
		store,
		"UPDATE portcullis.shared_texts SET version = version + 1, changed = now(), text ="
		" (SELECT convert_to(coalesce(string_agg(line || E'\\n', '' ORDER BY place), ''), "
		"'UTF8')"
		"  FROM regexp_split_to_table(rtrim(convert_from(text, 'UTF8'), E'\\n'), E'\\n')"
		"  WITH ORDINALITY AS l (line, place) WHERE NOT starts_with(line, $1 || ' '))"
		" WHERE name = 'grace' AND strpos(E'\\n' || convert_from(text, 'UTF8'),"
		"  E'\\n' || $1 || ' ') > 0",
		user, found);
}

bool postgresql_forget(struct store *store, const char *user, bool *found_r, bool *wiped_r)
{
	*found_r = false;
	/* What the server's files still have of it, its vacuum overwrites. */
	*wiped_r = true;
	if (!postgresql_begin(store))
		return false;
	if (postgresql_lock(store, LOCK_DICTIONARIES) && remove_user(store, user, found_r) &&
	    run_with_name(store, "DELETE FROM portcullis.notices WHERE user_name = $1", user,
			  found_r) &&
	    remove_connections(store, user, found_r) && remove_grace(store, user, found_r))
		return postgresql_commit(store);
	postgresql_rollback(store);
	return false;
}
