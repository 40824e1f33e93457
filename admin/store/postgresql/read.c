#include "admin/store/store-gathering.h"
#include "postgresql.h"

/* ---- dictionaries ---- */

static void add_habits_of(struct store *store, const PGresult *result)
{
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
}

/* Names of machines are programs, too: there may be as many as people. */
static bool load_habits(struct store *store)
{
	bool fine = postgresql_execute(store,
				       "DECLARE habits NO SCROLL CURSOR FOR"
				       " SELECT id, source, service, port, tls, country, mechanism,"
				       " client_id, tls_version, of_log FROM portcullis.habits"
				       " ORDER BY id");
	int count = 1;

	while (fine && count > 0) {
		PGresult *result = postgresql_query(store, "FETCH 5000 FROM habits", NULL);

		count = PQntuples(result);
		fine = result != NULL;
		add_habits_of(store, result);
		PQclear(result);
	}
	return fine && postgresql_execute(store, "CLOSE habits");
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

#define SIGHTING_COLUMNS                                                                           \
	"s.user_id, s.verified, s.habit, s.rules, s.count, s.rejected, s.first_seen, s.last_seen," \
	" s.last_client, s.weeks, s.whereabouts, s.tls_below, s.days"
#define NAME_COLUMN 13 /* behind them, where names are asked for */

/* Rows; the server can send some hundreds before anybody takes them. */
#define DRAINED_AFTER 100

/* One question. */
struct reading {
	struct store_gathering gathering;
	const bool *chosen; /* rule sets */
	char *sql;          /* for its rows; $1 rule sets, $2 since, $3 a user or people */
	const char *cursor; /* FETCH of it */
	PGresult *people;   /* whose rows are asked for ahead, */
	bool with_notices;  /* and their notices */
	/* Whose rows are visited; NULL: these have the names. */
	const PGresult *named;
	int place; /* of the last one, of them */
};

static void add_rule_sets(const struct store *store, const bool *chosen,
			  struct parameters *parameters)
{
	const struct store_dictionaries *dictionaries = store->dictionaries;
	GByteArray *array = parameter_add_array(parameters, PARAMETER_BIGINT);

	for (size_t i = 0; i < store_dictionaries_rule_set_count(dictionaries); i++) {
		if (chosen[i])
			array_add(array, PARAMETER_BIGINT,
				  store_dictionaries_rule_set_id(dictionaries, i));
	}
}

static void add_habits(const struct store *store, const bool *chosen, struct parameters *parameters)
{
	const struct store_dictionaries *dictionaries = store->dictionaries;
	GByteArray *array = parameter_add_array(parameters, PARAMETER_BIGINT);

	for (size_t i = 0; i < store_dictionaries_habit_count(dictionaries); i++) {
		if (chosen[i])
			array_add(array, PARAMETER_BIGINT,
				  store_dictionaries_habit_id(dictionaries, i));
	}
}

static struct parameters parameters_of(const struct store *store, const struct reading *reading)
{
	const struct store_filter *filter = reading->gathering.filter;
	struct parameters parameters = {0};

	add_rule_sets(store, reading->chosen, &parameters);
	/* NULL would not be later than anything. */
	parameter_add(&parameters, PARAMETER_TIME, filter->since == 0 ? 1 : filter->since);
	if (filter->user != NULL)
		parameter_add_text(&parameters, filter->user);
	return parameters;
}

static bool asks_for_people(const struct store_filter *filter)
{
	return filter->offenders && filter->user == NULL;
}

/* What is older than since is left out here where no row of logs may be gathered with it. */
static void append_conditions(GString *sql, const struct store_filter *filter, bool has_waiting)
{
	g_string_append(sql, has_waiting ? " WHERE s.rules = ANY ($1) AND $2 IS NOT NULL"
					 : " WHERE s.rules = ANY ($1) AND s.last_seen >= $2");
	if (filter->broken || filter->rule != NULL)
		g_string_append(sql, " AND s.broken");
	if (!filter->verified)
		g_string_append(sql, " AND NOT s.verified");
	if (!filter->unverified)
		g_string_append(sql, " AND s.verified");
	if (filter->user != NULL)
		g_string_append(sql, " AND s.user_id = (SELECT id FROM portcullis.users"
				     " WHERE name = $3)");
	else if (filter->offenders)
		g_string_append(sql, " AND s.user_id = ANY ($3)");
}

static char *sql_of(const struct store_filter *filter, bool has_waiting)
{
	bool names = filter->names && filter->user == NULL && !asks_for_people(filter);
	GString *sql = g_string_new("SELECT " SIGHTING_COLUMNS);

	g_string_append(sql, names ? ", u.name FROM portcullis.sightings s"
				     " LEFT JOIN portcullis.users u ON u.id = s.user_id"
				   : " FROM portcullis.sightings s");
	append_conditions(sql, filter, has_waiting);
	g_string_append(sql, " ORDER BY s.user_id, s.verified, s.habit, s.rules, s.server, s.day");
	return g_string_free(sql, FALSE);
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

/* All rows come by a cursor, so that memory does not grow with them, and something else may be
   asked meanwhile. */
static bool declare_rows(struct store *store, const struct reading *reading)
{
	struct parameters parameters = parameters_of(store, reading);
	char *sql = g_strconcat("DECLARE sightings NO SCROLL CURSOR FOR ", reading->sql, NULL);
	bool fine = postgresql_run(store, sql, &parameters);

	g_free(sql);
	return fine;
}

/* Of some people, only who they are: their rows are looked up for some thousands of them at a
   time, and need not be sorted all together. That takes less than to begin processes for it.
   Each part comes in the order of an index, that of whom was told with the names. */
static void append_people(GString *sql, struct store *store, const struct store_filter *filter,
			  struct parameters *parameters)
{
	g_string_append(sql, "(SELECT user_id, NULL::text COLLATE \"C\" AS name"
			     " FROM portcullis.sightings WHERE broken AND verified"
			     " ORDER BY user_id)");
	if (filter->habits != NULL) {
		add_habits(store, filter->habits, parameters);
		/* Few of them have such rows at all: one by one, whatever is reckoned. */
		g_string_append(sql, " UNION ALL SELECT user_id, NULL FROM unnest($1) AS k (habit),"
				     " LATERAL (SELECT user_id FROM portcullis.sightings s"
				     "  WHERE s.habit = k.habit AND NOT s.broken AND s.verified"
				     "  OFFSET 0) h");
	}
	if (filter->told)
		g_string_append(sql, " UNION ALL (SELECT id, name FROM portcullis.users"
				     " WHERE told ORDER BY id)");
}

static bool declare_people(struct store *store, const struct store_filter *filter)
{
	struct parameters parameters = {0};
	GString *sql = g_string_new("DECLARE people NO SCROLL CURSOR FOR"
				    " SELECT k.user_id, coalesce(k.name, n.name)"
				    " FROM (SELECT user_id, max(name) AS name FROM (");
	bool fine;

	append_people(sql, store, filter, &parameters);
	/* The other names one by one, too. */
	g_string_append(sql, ") p GROUP BY user_id ORDER BY user_id OFFSET 0) k"
			     " LEFT JOIN LATERAL (SELECT name FROM portcullis.users u"
			     " WHERE k.name IS NULL AND u.id = k.user_id OFFSET 0) n ON true"
			     " ORDER BY k.user_id");
	/* To merge them begins at once, and takes a third of what a table of all takes. */
	fine = postgresql_execute(store, "SET LOCAL enable_hashagg = off") &&
	       postgresql_run(store, sql->str, &parameters) &&
	       postgresql_execute(store, "SET LOCAL enable_hashagg TO DEFAULT");
	parameters_clear(&parameters);
	g_string_free(sql, TRUE);
	return fine;
}

static bool declare(struct store *store, struct reading *reading)
{
	const struct store_filter *filter = reading->gathering.filter;
	int has_waiting = has_waiting_rows(store);

	if (has_waiting < 0)
		return false;
	reading->sql = sql_of(filter, has_waiting > 0);
	reading->cursor =
		asks_for_people(filter) ? "FETCH 2000 FROM people" : "FETCH 5000 FROM sightings";
	return asks_for_people(filter) ? declare_people(store, filter)
				       : declare_rows(store, reading);
}

/* ---- rows ---- */

/* People come in the order of their rows. NULL where there is none, or is not asked for. */
static const char *name_of(struct reading *reading, const PGresult *result, int row)
{
	const struct store_filter *filter = reading->gathering.filter;
	const PGresult *named = reading->named;
	int64_t user = result_number(result, row, 0);

	if (filter->user != NULL || !filter->names)
		return filter->user;
	if (named == NULL)
		return PQgetisnull(result, row, NAME_COLUMN)
			       ? NULL
			       : result_text(result, row, NAME_COLUMN);
	while (reading->place < PQntuples(named) - 1 &&
	       result_number(named, reading->place, 0) < user)
		reading->place++;
	return PQgetisnull(named, reading->place, 1) ? NULL : result_text(named, reading->place, 1);
}

/* False when it cannot be told. */
static bool read_sighting(const struct store *store, struct reading *reading,
			  const PGresult *result, int row, struct store_sighting *sighting_r)
{
	int64_t first_seen = result_time(result, row, 6), last_seen = result_time(result, row, 7);
	const struct store_habit *habit =
		store_dictionaries_find_habit(store->dictionaries, result_number(result, row, 2));
	const struct store_rule_set *rules = store_dictionaries_find_rule_set(
		store->dictionaries, result_number(result, row, 3));

	if (habit == NULL || rules == NULL)
		return false;
	*sighting_r = (struct store_sighting){
		.user_id = result_number(result, row, 0),
		.user = name_of(reading, result, row),
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

static bool take_rows(struct store *store, const PGresult *result, struct reading *reading)
{
	struct store_sighting sighting;

	for (int i = 0; i < PQntuples(result); i++) {
		if (i % DRAINED_AFTER == 0)
			postgresql_drain_ahead(store);
		if (read_sighting(store, reading, result, i, &sighting) &&
		    !store_gathering_take(&reading->gathering, &sighting))
			return false;
	}
	return true;
}

/* Asks for the rows of the next people, and for who comes behind them. */
static bool ask_for_rows(struct store *store, struct reading *reading)
{
	struct parameters parameters;
	GByteArray *array;

	if (PQntuples(reading->people) == 0)
		return true;
	parameters = parameters_of(store, reading);
	array = parameter_add_array(&parameters, PARAMETER_BIGINT);
	for (int i = 0; i < PQntuples(reading->people); i++)
		array_add(array, PARAMETER_BIGINT, result_number(reading->people, i, 0));
	reading->with_notices = postgresql_notices_are_wanted(store);
	return postgresql_ask_ahead(store, reading->sql, &parameters) &&
	       (!reading->with_notices || postgresql_notices_ask(store, reading->people, 1)) &&
	       postgresql_ask_ahead(store, reading->cursor, NULL) && postgresql_send_ahead(store);
}

/* What was asked for. False when one of them failed; the caller clears all. */
static bool take_answers(struct store *store, const struct reading *reading, PGresult **rows_r,
			 PGresult **notices_r, PGresult **people_r)
{
	*notices_r = *people_r = NULL;
	return (*rows_r = postgresql_answer_ahead(store)) != NULL &&
	       (!reading->with_notices || (*notices_r = postgresql_answer_ahead(store)) != NULL) &&
	       (*people_r = postgresql_answer_ahead(store)) != NULL;
}

/* While rows are visited, the server looks for the next ones. As fetch(). */
static int fetch_people(struct store *store, struct reading *reading)
{
	PGresult *people = reading->people, *rows, *notices;
	int more = -1;

	if (PQntuples(people) == 0) {
		store_gathering_end(&reading->gathering);
		return 0;
	}
	reading->named = people;
	reading->place = 0;
	if (take_answers(store, reading, &rows, &notices, &reading->people)) {
		postgresql_notices_of(store, people, 1);
		if (notices != NULL)
			postgresql_notices_take(store, g_steal_pointer(&notices));
		if (ask_for_rows(store, reading))
			more = take_rows(store, rows, reading);
		postgresql_notices_of(store, NULL, 0);
	}
	PQclear(people);
	PQclear(notices);
	PQclear(rows);
	return more;
}

/* 1 there may be more, 0 no more is wanted or there, -1 failure. */
static int fetch(struct store *store, struct reading *reading)
{
	PGresult *result = postgresql_query(store, reading->cursor, NULL);
	bool is_last = PQntuples(result) == 0, more;

	if (result == NULL)
		return -1;
	postgresql_notices_of(store, result, NAME_COLUMN);
	more = take_rows(store, result, reading) && !is_last;
	if (is_last)
		store_gathering_end(&reading->gathering);
	postgresql_notices_of(store, NULL, 0);
	PQclear(result);
	return more;
}

static bool read_people(struct store *store, struct reading *reading)
{
	int more;

	reading->people = postgresql_query(store, reading->cursor, NULL);
	more = reading->people != NULL && ask_for_rows(store, reading) ? 1 : -1;
	while (more > 0)
		more = fetch_people(store, reading);
	PQclear(reading->people);
	postgresql_end_ahead(store);
	return more == 0 && postgresql_execute(store, "CLOSE people");
}

static bool read_rows(struct store *store, struct reading *reading)
{
	int more = 1;

	while (more > 0)
		more = fetch(store, reading);
	return more == 0 && postgresql_execute(store, "CLOSE sightings");
}

bool postgresql_each_sighting(struct store *store, const struct store_filter *filter,
			      store_visit_sighting *visit, void *context)
{
	bool *chosen = store_choose_rule_sets(store, filter);
	struct reading reading = {
		.gathering = {.filter = filter, .visit = visit, .context = context},
		.chosen = chosen,
	};
	bool fine =
		declare(store, &reading) && (asks_for_people(filter) ? read_people(store, &reading)
								     : read_rows(store, &reading));

	postgresql_notices_end(store);
	store_gathering_clear(&reading.gathering);
	g_free(reading.sql);
	g_free(chosen);
	return fine;
}
