#include "admin/store/store-activity.h"
#include "admin/store/store-week.h"
#include "postgresql.h"
#include "times.h"

/* Of users alone; only of those who came last on the day of $1, it is asked for what they did
   since. The weeks of a user are bits, counted back from week $2. */
#define AGO "($2 - " WEEK_OF_DAY("last_day") ")"
#define WEEKS "CASE WHEN " AGO " >= 0 THEN weeks << " AGO " ELSE weeks >> least(-" AGO ", 63) END"

/* Of n people each. */
#define IN_WEEK(bit) ", coalesce(sum(n) FILTER (WHERE weeks & " #bit " <> 0), 0)::bigint"
#define IN_WEEKS                                                                                   \
	IN_WEEK(1)                                                                                 \
	IN_WEEK(2) IN_WEEK(4) IN_WEEK(8) IN_WEEK(16) IN_WEEK(32) IN_WEEK(64) IN_WEEK(128)

/* Millions of people have few different last days and, until $6, few weeks that matter: these are
   counted, and reckoned back from there. */
static const char question[] =
	"SELECT coalesce(sum(n) FILTER (WHERE lately), 0)::bigint"
	" + (SELECT count(*) FROM portcullis.users u WHERE last_day = $3 AND name <> ''"
	"  AND EXISTS (SELECT 1 FROM portcullis.sightings s WHERE s.user_id = u.id"
	"   AND s.verified AND s.last_seen >= $1 AND s.habit <> ALL ($5)))" IN_WEEKS
	" FROM (SELECT last_day > $3 AS lately, " WEEKS " AS weeks, n"
	"  FROM (SELECT last_day, count(*) AS n,"
	"    CASE WHEN last_day < $6 THEN weeks & 255 ELSE weeks END AS weeks"
	"   FROM portcullis.users WHERE last_day >= $4 AND name <> ''"
	"   GROUP BY last_day, 3) p) k";

_Static_assert(STORE_ACTIVITY_WEEKS == 8, "as many as are counted above");

static void add_anonymous(const struct store_dictionaries *dictionaries,
			  struct parameters *parameters)
{
	GByteArray *array = parameter_add_array(parameters, PARAMETER_BIGINT);

	for (size_t i = 0; i < store_dictionaries_habit_count(dictionaries); i++) {
		if (store_is_anonymous(store_dictionaries_habit(dictionaries, i)->mechanism))
			array_add(array, PARAMETER_BIGINT,
				  store_dictionaries_habit_id(dictionaries, i));
	}
}

bool postgresql_count_activity(struct store *store, int64_t since, int64_t week,
			       struct store_activity *activity_r)
{
	int64_t first = MIN(since, store_week_begin(week - STORE_ACTIVITY_WEEKS + 1));
	struct parameters parameters = {0};
	PGresult *result;

	parameter_add(&parameters, PARAMETER_TIME, MAX(since, 1));
	parameter_add(&parameters, PARAMETER_INTEGER, week);
	parameter_add(&parameters, PARAMETER_DAY, since / MILLISECONDS_A_DAY);
	parameter_add(&parameters, PARAMETER_DAY, MAX(first / MILLISECONDS_A_DAY, 1));
	add_anonymous(store->dictionaries, &parameters);
	parameter_add(&parameters, PARAMETER_DAY, store_week_begin(week + 1) / MILLISECONDS_A_DAY);
	result = postgresql_query_with_workers(store, question, &parameters);
	if (result == NULL)
		return false;
	activity_r->lately = (uint64_t)result_number(result, 0, 0);
	for (int i = 0; i < STORE_ACTIVITY_WEEKS; i++)
		activity_r->weeks[i] = (uint64_t)result_number(result, 0, i + 1);
	PQclear(result);
	return true;
}
