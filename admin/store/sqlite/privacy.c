#include "sqlite.h"

#define EXPIRY_INTERVAL (INT64_C(6) * 3600 * 1000)

/* A file that was imported and removed is remembered so long, in case that it is
   copied here again. */
#define FILE_MEMORY (INT64_C(30) * MILLISECONDS_A_DAY)

/* The write-ahead log still has the pages as they were. Where somebody reads them,
   even after a wait, *wiped_r is false. */
static bool commit_erasure(struct store *store, bool *wiped_r)
{
	int code;

	*wiped_r = false;
	if (!store_sqlite_commit(store))
		return false;
	code = sqlite3_wal_checkpoint_v2(store_sqlite(store)->database, NULL,
					 SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	*wiped_r = code == SQLITE_OK;
	return *wiped_r || (code & 0xff) == SQLITE_BUSY || store_sqlite_failed(store);
}

/* Removes users, habits and texts that nothing refers to any more. */
static bool remove_unused(struct store *store)
{
	return store_sqlite_execute(
		store, "DELETE FROM users WHERE NOT EXISTS"
		       " (SELECT 1 FROM sightings WHERE sightings.user = users.id);"
		       "DELETE FROM habits WHERE id NOT IN (SELECT habit FROM sightings);"
		       "DELETE FROM rule_sets WHERE id NOT IN (SELECT rules FROM sightings);"
		       "DELETE FROM strings WHERE id NOT IN (SELECT mechanism FROM habits)"
		       " AND id NOT IN (SELECT client_id FROM habits);");
}

/* 1 expiry is due, 0 not, -1 failure. */
static int is_due(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "SELECT abs(?1 - last_expiry) >= ?2 OR kept_addresses <> ?3"
		       " OR kept_sightings <> ?4 FROM totals");
	int64_t due;
	int found;

	sqlite3_bind_int64(statement, 1, now);
	sqlite3_bind_int64(statement, 2, EXPIRY_INTERVAL);
	sqlite3_bind_int64(statement, 3, expiry->keep_addresses);
	sqlite3_bind_int64(statement, 4, expiry->keep_sightings);
	found = store_sqlite_number(store, statement, &due);
	return found > 0 ? due != 0 : found;
}

static bool note_expiry(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	return store_sqlite_run_with(store, "UPDATE totals SET last_expiry = ?1", now, 0) &&
	       store_sqlite_run_with(store,
				     "UPDATE totals SET kept_addresses = ?1, kept_sightings = ?2",
				     expiry->keep_addresses, expiry->keep_sightings);
}

/* The last ones tell what time it is. */
static bool expire_days(struct store *store, int64_t before)
{
	return store_sqlite_run_with(
		store,
		"DELETE FROM days WHERE day < ?1 AND day < coalesce((SELECT min(day) FROM"
		" (SELECT day FROM days WHERE sightings > 0 ORDER BY day DESC LIMIT ?2)),"
		" ?1)",
		before / MILLISECONDS_A_DAY, STORE_CONFIRMING_DAYS);
}

/* Of a log whose last line is too old to be kept, no line can come twice. */
static bool expire_logs(struct store *store, int64_t addresses, int64_t sightings)
{
	return store_sqlite_run_with(store, "DELETE FROM logs WHERE touched < ?1",
				     sightings - MILLISECONDS_A_DAY, 0) &&
	       store_sqlite_run_with(store, "DELETE FROM log_connections WHERE heard < ?1",
				     addresses, 0) &&
	       store_sqlite_run_with(store, "DELETE FROM coverage WHERE day < ?1",
				     sightings / MILLISECONDS_A_DAY, 0) &&
	       store_sqlite_execute(store, "DELETE FROM servers WHERE id NOT IN"
					   " (SELECT server FROM coverage) AND id NOT IN"
					   " (SELECT server FROM sightings WHERE server > 0);"
					   "DELETE FROM named_tls WHERE server NOT IN"
					   " (SELECT id FROM servers)");
}

static bool expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	int64_t addresses = now - expiry->keep_addresses;
	int64_t sightings = now - expiry->keep_sightings;

	return store_sqlite_run_with(store,
				     STORE_SQLITE_RECKON("id IN (SELECT user FROM sightings WHERE"
							 " verified AND last_seen < ?1)"),
				     sightings, sightings) &&
	       store_sqlite_run_with(store, "DELETE FROM sightings WHERE last_seen < ?1", sightings,
				     0) &&
	       store_sqlite_run_with(store,
				     "UPDATE sightings SET last_client = NULL"
				     " WHERE last_client IS NOT NULL AND last_seen < ?1",
				     addresses, 0) &&
	       /* Names that nobody ever had the password of: strangers' inventions,
		  and passwords that were typed in the wrong field. */
	       store_sqlite_run_with(store,
				     "DELETE FROM sightings WHERE last_seen < ?1 AND user IN"
				     " (SELECT id FROM users WHERE verified = 0 AND name <> '')",
				     addresses, 0) &&
	       remove_unused(store) && expire_days(store, sightings) &&
	       store_sqlite_run_with(store, "DELETE FROM writers WHERE last_seen < ?1", sightings,
				     0) &&
	       store_sqlite_run_with(store, "DELETE FROM notices WHERE intended < ?1", sightings,
				     0) &&
	       expire_logs(store, addresses, sightings) &&
	       store_sqlite_run_with(store, "DELETE FROM files WHERE touched < ?1 AND removed = 1",
				     now - FILE_MEMORY, 0) &&
	       note_expiry(store, expiry, now);
}

bool store_sqlite_expire(struct store *store, const struct store_expiry *expiry, int64_t now)
{
	int due = is_due(store, expiry, now);
	bool wiped;

	if (due <= 0)
		return due == 0;
	if (!store_sqlite_begin(store))
		return false;
	/* What cannot be wiped now is, by the next one. */
	if (expire(store, expiry, now))
		return commit_erasure(store, &wiped);
	store_sqlite_rollback(store);
	return false;
}

bool store_sqlite_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
			      bool *found_r)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "SELECT EXISTS (SELECT 1 FROM sightings WHERE last_seen < ?2"
		       " OR (last_seen < ?1 AND (last_client IS NOT NULL OR user IN"
		       " (SELECT id FROM users WHERE verified = 0 AND name <> ''))))"
		       " OR EXISTS (SELECT 1 FROM notices WHERE intended < ?2)");
	int64_t found = 0;
	int step;

	sqlite3_bind_int64(statement, 1, now - expiry->keep_addresses);
	sqlite3_bind_int64(statement, 2, now - expiry->keep_sightings);
	step = store_sqlite_number(store, statement, &found);
	*found_r = found != 0;
	return step > 0;
}

/* 1 removed, 0 unknown, -1 failure. */
static int remove_user(struct store *store, const char *user)
{
	struct store_sqlite_user known;
	int found = store_sqlite_find_user(store, user, &known);

	if (found <= 0)
		return found;
	if (!store_sqlite_run_with(store, "DELETE FROM sightings WHERE user = ?1", known.id, 0) ||
	    !store_sqlite_run_with(store, "DELETE FROM users WHERE id = ?1", known.id, 0) ||
	    !remove_unused(store))
		return -1;
	return 1;
}

/* What is not told of yet, of which importers that run take notice. As above. */
static int remove_connections(struct store *store, const char *user)
{
	sqlite3_stmt *statement =
		store_sqlite_statement(store, "DELETE FROM log_connections WHERE user = ?1");

	store_sqlite_bind_text(statement, 1, user);
	if (!store_sqlite_run(store, statement))
		return -1;
	if (store_sqlite_changes(store) == 0)
		return 0;
	return store_sqlite_execute(store, "UPDATE totals SET log_change = log_change + 1") ? 1
											    : -1;
}

/* 1 removed, 0 there were none, -1 failure. */
static int remove_notices(struct store *store, const char *user)
{
	sqlite3_stmt *statement =
		store_sqlite_statement(store, "DELETE FROM notices WHERE user = ?1");

	store_sqlite_bind_text(statement, 1, user);
	if (!store_sqlite_run(store, statement))
		return -1;
	return store_sqlite_changes(store) > 0;
}

bool store_sqlite_forget(struct store *store, const char *user, int64_t before, bool *found_r,
			 bool *wiped_r)
{
	int removed, unsaid, open;

	/* There is no other host. */
	(void)before;
	if (!store_sqlite_begin(store))
		return false;
	removed = remove_user(store, user);
	unsaid = removed < 0 ? -1 : remove_notices(store, user);
	open = unsaid < 0 ? -1 : remove_connections(store, user);
	*found_r = removed > 0 || unsaid > 0 || open > 0;
	if (open < 0) {
		store_sqlite_rollback(store);
		return false;
	}
	return commit_erasure(store, wiped_r);
}
