#include "sqlite.h"

#include "admin/store/store-week.h"

/* Runs SQL with now in ?1, and the latest time that is believed then in ?2. */
static bool run(struct store *store, const char *sql, int64_t now)
{
	return store_sqlite_run_with(store, sql, now, now + MILLISECONDS_A_DAY);
}

#define WEEKS_AHEAD "(" STORE_SQLITE_WEEK " - ?2)"

/* Weeks that are ahead fall out of the bits; what is negative is filled up with ones. */
static bool correct_sightings(struct store *store, int64_t now)
{
	return store_sqlite_run_with(
		store,
		"UPDATE sightings SET first_seen = min(first_seen, ?1), last_seen = ?1,"
		" weeks = 1 | ((weeks >> " WEEKS_AHEAD ") & ~(-1 << (64 - " WEEKS_AHEAD "))),"
		" days = min(days, 1 + max(0, ?1 / 86400000 - first_seen / 86400000))"
		" WHERE last_seen > ?1 + 86400000",
		now, store_week(now));
}

/* Of who came later than now. */
static bool correct_users(struct store *store, int64_t now)
{
	return store_sqlite_run_with(store, STORE_SQLITE_RECKON("last_day > ?1"),
				     now / MILLISECONDS_A_DAY, INT64_MIN);
}

static bool correct_days(struct store *store, int64_t now)
{
	return run(store,
		   "INSERT INTO days (day, sightings, unknown_country, lines, lost, set_aside,"
		   " last_line) SELECT ?1 / 86400000 AS today, sum(sightings),"
		   " sum(unknown_country), sum(lines), sum(lost), sum(set_aside), max(last_line)"
		   " FROM days WHERE day > ?2 / 86400000 GROUP BY today"
		   " ON CONFLICT (day) DO UPDATE SET sightings = sightings + excluded.sightings,"
		   " unknown_country = unknown_country + excluded.unknown_country,"
		   " lines = lines + excluded.lines, lost = lost + excluded.lost,"
		   " set_aside = set_aside + excluded.set_aside",
		   now) &&
	       run(store, "DELETE FROM days WHERE day > ?2 / 86400000", now);
}

static bool correct(struct store *store, int64_t now)
{
	return correct_sightings(store, now) && correct_users(store, now) &&
	       correct_days(store, now) &&
	       run(store, "UPDATE writers SET last_seen = ?1 WHERE last_seen > ?2", now) &&
	       run(store, "UPDATE writers SET edition_since = ?1 WHERE edition_since > ?2", now) &&
	       run(store, "UPDATE notices SET intended = ?1 WHERE intended > ?2", now) &&
	       run(store, "UPDATE logs SET touched = ?1 WHERE touched > ?2", now) &&
	       run(store, "DELETE FROM coverage WHERE day > ?2 / 86400000", now) &&
	       run(store, "UPDATE files SET touched = ?1 WHERE touched > ?2", now);
}

bool store_sqlite_correct_future(struct store *store, int64_t now)
{
	if (!store_sqlite_begin(store))
		return false;
	if (correct(store, now))
		return store_sqlite_commit(store);
	store_sqlite_rollback(store);
	return false;
}
