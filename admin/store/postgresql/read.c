#include "admin/store/store-gathering.h"
#include "postgresql.h"

/* ---- dictionaries ---- */

static bool load_habits(struct store *store)
{
	PGresult *result = postgresql_query(store,
					    "SELECT id, source, service, port, tls, country,"
					    " mechanism, client_id, tls_version, of_log"
					    " FROM portcullis.habits ORDER BY id",
					    NULL);

	for (int i = 0; i < PQntuples(result); i++) {
		struct store_habit habit = {
			.source = (enum source)result_below(result, i, 1, SOURCE_POSTFIX + 1),
			.service = (enum service)result_below(result, i, 2, SERVICE_COUNT),
			.port = (uint16_t)result_number(result, i, 3),
			.tls = (enum tls_state)result_below(result, i, 4, TLS_STATE_COUNT),
			.mechanism = result_text(result, i, 6),
			.client_id = result_text(result, i, 7),
			.tls_version = (enum tls_version)result_below(result, i, 8, TLS_V1_3 + 1),
			.of_log = result_number(result, i, 9) != 0,
		};

		g_strlcpy(habit.country.code, result_text(result, i, 5),
			  sizeof(habit.country.code));
		store_dictionaries_add_habit(store->dictionaries, result_number(result, i, 0),
					     &habit);
	}
	PQclear(result);
	return result != NULL;
}

static bool load_rule_sets(struct store *store)
{
	PGresult *result = postgresql_query(
		store, "SELECT id, text FROM portcullis.rule_sets ORDER BY id", NULL);

	for (int i = 0; i < PQntuples(result); i++)
		store_dictionaries_add_rule_set(store->dictionaries, result_number(result, i, 0),
						result_text(result, i, 1));
	PQclear(result);
	return result != NULL;
}

bool postgresql_begin_reading(struct store *store)
{
	if (!postgresql_begin_view(store))
		return false;
	store_dictionaries_clear(store->dictionaries);
	if (load_habits(store) && load_rule_sets(store))
		return true;
	postgresql_rollback(store);
	return false;
}

/* ---- what is asked ---- */

/* The ids of the rule sets that are chosen, in the order of their indexes: that of ids. */
static void add_rule_sets(const PGresult *ids, const bool *chosen, struct parameters *parameters)
{
	GByteArray *array = parameter_add_array(parameters, PARAMETER_BIGINT);

	for (int i = 0; i < PQntuples(ids); i++) {
		if (chosen[i])
			array_add(array, PARAMETER_BIGINT, result_number(ids, i, 0));
	}
}

#define SIGHTING_COLUMNS                                                                           \
	"s.user_id, s.verified, s.habit, s.rules, s.count, s.rejected, s.first_seen, s.last_seen," \
	" s.last_client, s.weeks, s.whereabouts, s.tls_below, s.days"

/* What is older than since is left out here where no row of logs may be gathered with it. */
static void append_conditions(GString *sql, const struct store_filter *filter, bool has_waiting)
{
	g_string_append(sql, has_waiting ? " WHERE s.rules = ANY ($1) AND $2 IS NOT NULL"
					 : " WHERE s.rules = ANY ($1) AND s.last_seen >= $2");
	if (!filter->verified)
		g_string_append(sql, " AND NOT s.verified");
	if (!filter->unverified)
		g_string_append(sql, " AND s.verified");
	if (filter->user != NULL)
		g_string_append(sql, " AND s.user_id = (SELECT id FROM portcullis.users"
				     " WHERE name = $3)");
	else if (filter->offenders)
		g_string_append(sql, " AND s.user_id IN (SELECT o.user_id FROM portcullis.sightings"
				     " o WHERE o.verified AND o.rules <> ALL (ARRAY(SELECT id"
				     " FROM portcullis.rule_sets WHERE text = '')))");
}

/* Whether rows of logs wait: 1 yes, 0 no, -1 failure. */
static int has_waiting_rows(struct store *store)
{
	int64_t server;

	return postgresql_number(store,
				 "SELECT server FROM portcullis.sightings WHERE server > 0"
				 " ORDER BY server, day LIMIT 1",
				 NULL, &server);
}

/* The rows come by a cursor, so that memory does not grow with them, and something else may be
   asked meanwhile. */
static bool declare(struct store *store, const struct store_filter *filter, const bool *chosen)
{
	PGresult *ids =
		postgresql_query(store, "SELECT id FROM portcullis.rule_sets ORDER BY id", NULL);
	bool names = filter->names && filter->user == NULL;
	struct parameters parameters = {0};
	int has_waiting = has_waiting_rows(store);
	GString *sql;
	bool fine;

	if (ids == NULL || has_waiting < 0) {
		PQclear(ids);
		return false;
	}
	add_rule_sets(ids, chosen, &parameters);
	PQclear(ids);
	/* NULL would not be later than anything. */
	parameter_add(&parameters, PARAMETER_TIME, filter->since == 0 ? 1 : filter->since);
	sql = g_string_new("DECLARE sightings NO SCROLL CURSOR FOR SELECT " SIGHTING_COLUMNS);
	g_string_append(sql, names ? ", u.name" : ", NULL");
	g_string_append(sql, " FROM portcullis.sightings s");
	if (names)
		g_string_append(sql, " LEFT JOIN portcullis.users u ON u.id = s.user_id");
	append_conditions(sql, filter, has_waiting > 0);
	if (filter->user != NULL)
		parameter_add_text(&parameters, filter->user);
	g_string_append(sql, " ORDER BY s.user_id, s.verified, s.habit, s.rules, s.server, s.day");
	fine = postgresql_run(store, sql->str, &parameters);
	g_string_free(sql, TRUE);
	return fine;
}

/* ---- rows ---- */

/* False when it cannot be told. */
static bool read_sighting(const struct store *store, const PGresult *result, int row,
			  const struct store_filter *filter, struct store_sighting *sighting_r)
{
	int64_t first_seen = result_time(result, row, 6), last_seen = result_time(result, row, 7);
	const struct store_habit *habit =
		store_dictionaries_find_habit(store->dictionaries, result_number(result, row, 2));
	const struct store_rule_set *rules = store_dictionaries_find_rule_set(
		store->dictionaries, result_number(result, row, 3));
	const char *name = PQgetisnull(result, row, 13) ? NULL : result_text(result, row, 13);

	if (habit == NULL || rules == NULL)
		return false;
	*sighting_r = (struct store_sighting){
		.user_id = result_number(result, row, 0),
		.user = filter->user != NULL ? filter->user : name,
		.verified = result_number(result, row, 1) != 0,
		.habit = habit,
		.rules = rules,
		.count = (uint64_t)result_number(result, row, 4),
		.rejected = (uint64_t)result_number(result, row, 5),
		.first_seen = first_seen,
		.last_seen = last_seen,
		.last_client = result_text(result, row, 8),
		.weeks = (uint64_t)result_number(result, row, 9),
		.days = store_possible_days(result_number(result, row, 12), first_seen, last_seen),
		.whereabouts = result_text(result, row, 10),
		.tls_below = (enum tls_version)result_below(result, row, 11, TLS_V1_3 + 1),
	};
	return true;
}

static bool take_rows(struct store *store, const PGresult *result,
		      struct store_gathering *gathering)
{
	struct store_sighting sighting;

	for (int i = 0; i < PQntuples(result); i++) {
		if (read_sighting(store, result, i, gathering->filter, &sighting) &&
		    !store_gathering_take(gathering, &sighting))
			return false;
	}
	return true;
}

/* 1 there may be more, 0 no more is wanted or there, -1 failure. */
static int fetch(struct store *store, struct store_gathering *gathering)
{
	PGresult *result = postgresql_query(store, "FETCH 5000 FROM sightings", NULL);
	bool more;

	if (result == NULL)
		return -1;
	more = take_rows(store, result, gathering) && PQntuples(result) > 0;
	if (PQntuples(result) == 0)
		store_gathering_end(gathering);
	PQclear(result);
	return more;
}

bool postgresql_each_sighting(struct store *store, const struct store_filter *filter,
			      store_visit_sighting *visit, void *context)
{
	struct store_gathering gathering = {.filter = filter, .visit = visit, .context = context};
	bool *chosen = store_choose_rule_sets(store, filter);
	int more = declare(store, filter, chosen) ? 1 : -1;

	while (more > 0)
		more = fetch(store, &gathering);
	store_gathering_clear(&gathering);
	g_free(chosen);
	return more == 0 && postgresql_execute(store, "CLOSE sightings");
}
