#include "postgresql.h"
#include "times.h"

/* Runs SQL with now as $1, and the latest time that is believed then as $2. */
static bool run(struct store *store, const char *sql, int64_t now)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_TIME, now);
	parameter_add(&parameters, PARAMETER_TIME, now + MILLISECONDS_A_DAY);
	return postgresql_run(store, sql, &parameters);
}

#define WEEKS_AHEAD "(" WEEK_OF("last_seen") " - " WEEK_OF("$1::timestamptz") ")"

/* Weeks that are ahead fall out of the bits; what is negative is filled up with ones. */
static bool correct_sightings(struct store *store, int64_t now)
{
	return run(store,
		   "UPDATE portcullis.sightings SET first_seen = least(first_seen, $1),"
		   " last_seen = $1, weeks = 1 | CASE WHEN " WEEKS_AHEAD " > 63 THEN 0"
		   " WHEN " WEEKS_AHEAD " = 0 THEN weeks ELSE (weeks >> " WEEKS_AHEAD ")"
		   " & ~((-1)::bigint << (64 - " WEEKS_AHEAD ")) END,"
		   " days = least(days, 1 + greatest(0, " DAY_OF("$1::timestamptz") " - " DAY_OF(
			   "first_seen") ")) WHERE last_seen > $2",
		   now);
}

/* Of who came later than now. */
static bool correct_users(struct store *store, int64_t now)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_DAY, now / MILLISECONDS_A_DAY);
	return postgresql_run(store,
			      "SELECT portcullis.reckon_users(ARRAY(SELECT id FROM portcullis.users"
			      " WHERE last_day > $1))",
			      &parameters);
}

static bool correct_days(struct store *store, int64_t now)
{
	return run(store,
		   "INSERT INTO portcullis.days AS d (host, day, sightings, unknown_country, lines,"
		   " lost, set_aside, last_line) SELECT host, " DAY_OF(
			   "$1::timestamptz") ", sum(sightings), sum(unknown_country), sum(lines),"
					      " sum(lost), sum(set_aside), max(last_line)"
					      " FROM portcullis.days WHERE day > " DAY_OF(
						      "$2::timestamptz") " GROUP BY host ON "
									 "CONFLICT (day, host) DO "
									 "UPDATE SET"
									 " sightings = d.sightings "
									 "+ excluded.sightings,"
									 " unknown_country = "
									 "d.unknown_country + "
									 "excluded.unknown_country,"
									 " lines = d.lines + "
									 "excluded.lines, lost = "
									 "d.lost + excluded.lost,"
									 " set_aside = d.set_aside "
									 "+ excluded.set_aside",
		   now) &&
	       run(store,
		   "DELETE FROM portcullis.days WHERE day > " DAY_OF(
			   "$2::timestamptz") " AND $1::timestamptz IS NOT NULL",
		   now);
}

static bool correct(struct store *store, int64_t now)
{
	return correct_sightings(store, now) && correct_users(store, now) &&
	       correct_days(store, now) &&
	       run(store, "UPDATE portcullis.writers SET last_seen = $1 WHERE last_seen > $2",
		   now) &&
	       run(store,
		   "UPDATE portcullis.writers SET edition_since = $1 WHERE edition_since > $2",
		   now) &&
	       run(store, "UPDATE portcullis.notices SET intended = $1 WHERE intended > $2", now) &&
	       run(store, "UPDATE portcullis.logs SET touched = $1 WHERE touched > $2", now) &&
	       run(store,
		   "DELETE FROM portcullis.coverage WHERE day > " DAY_OF(
			   "$2::timestamptz") " AND $1::timestamptz IS NOT NULL",
		   now) &&
	       run(store, "UPDATE portcullis.files SET touched = $1 WHERE touched > $2", now);
}

bool postgresql_correct_future(struct store *store, int64_t now)
{
	int may = postgresql_may_delete(store);

	if (may <= 0)
		return may == 0;
	if (!postgresql_begin_upkeep(store))
		return false;
	if (correct(store, now))
		return postgresql_commit(store);
	postgresql_rollback(store);
	return false;
}
