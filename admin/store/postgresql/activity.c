#include "admin/store/store-week.h"
#include "postgresql.h"

/* All rows are read, in the order of users, which an index has: of ten million people that takes 26
   seconds of a processor, and to gather them in a table that does not fit into memory takes 42.

   The weeks of a row are bits, counted back from week $2. date_part() is the quickest way to the
   number of a week; what is behind the last one that counts is left out before. */
#define AGO "($2 - floor((date_part('epoch', last_seen) + 259200) / 604800)::integer)"
#define WEEKS "CASE WHEN " AGO " >= 0 THEN weeks << " AGO " ELSE weeks >> least(-" AGO ", 63) END"

static const char question[] =
	"SELECT count(*) FILTER (WHERE seen >= $1), count(*) FILTER (WHERE weeks & 1 <> 0),"
	" count(*) FILTER (WHERE weeks & 2 <> 0), count(*) FILTER (WHERE weeks & 4 <> 0),"
	" count(*) FILTER (WHERE weeks & 8 <> 0), count(*) FILTER (WHERE weeks & 16 <> 0),"
	" count(*) FILTER (WHERE weeks & 32 <> 0), count(*) FILTER (WHERE weeks & 64 <> 0),"
	" count(*) FILTER (WHERE weeks & 128 <> 0)"
	" FROM (SELECT max(last_seen) AS seen, bit_or(" WEEKS ") AS weeks"
	"  FROM portcullis.sightings WHERE verified AND last_seen >= $3 AND habit <> ALL ($4)"
	"  AND user_id <> 0 AND user_id <> coalesce((SELECT id FROM portcullis.users"
	"   WHERE name = ''), 0) GROUP BY user_id) p";

_Static_assert(STORE_ACTIVITY_WEEKS == 8, "as many as are counted above");

bool postgresql_count_activity(struct store *store, const bool *habits, int64_t since, int64_t week,
			       struct store_activity *activity_r)
{
	const struct store_dictionaries *dictionaries = store->dictionaries;
	int64_t first = MIN(since, store_week_begin(week - STORE_ACTIVITY_WEEKS + 1));
	struct parameters parameters = {0};
	GByteArray *others;
	PGresult *result;

	parameter_add(&parameters, PARAMETER_TIME, MAX(since, 1));
	parameter_add(&parameters, PARAMETER_INTEGER, week);
	parameter_add(&parameters, PARAMETER_TIME, MAX(first, 1));
	others = parameter_add_array(&parameters, PARAMETER_BIGINT);
	for (size_t i = 0; i < store_dictionaries_habit_count(dictionaries); i++) {
		if (!habits[i])
			array_add(others, PARAMETER_BIGINT,
				  store_dictionaries_habit_id(dictionaries, i));
	}
	result = postgresql_query(store, question, &parameters);
	if (result == NULL)
		return false;
	activity_r->lately = (uint64_t)result_number(result, 0, 0);
	for (int i = 0; i < STORE_ACTIVITY_WEEKS; i++)
		activity_r->weeks[i] = (uint64_t)result_number(result, 0, i + 1);
	PQclear(result);
	return true;
}
