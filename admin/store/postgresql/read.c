#include <string.h>

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

/* Whose rows are asked for together. */
#define PEOPLE_AT_ONCE 2000

/* Rows; the server can send some hundreds before anybody takes them. */
#define DRAINED_AFTER 100

/* People whose rows are asked for ahead, with their notices if these are wanted. */
struct page {
	PGresult *people; /* NULL: there is none */
	PGresult *rows, *notices;
	bool with_notices;
	bool by_second; /* view */
};

/* One page for each view: the server works on both at once. */
#define PAGES 2

/* One question. */
struct reading {
	struct store_gathering gathering;
	const bool *chosen; /* rule sets */
	char *sql;          /* for its rows; $1 rule sets, $2 since, $3 a user or people */
	const char *cursor; /* FETCH of it */
	struct page pages[PAGES];
	bool second_tried; /* view */
	bool with_second;  /* there is a page for it, too */
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
	reading->cursor = asks_for_people(filter)
				  ? "FETCH " G_STRINGIFY(PEOPLE_AT_ONCE) " FROM people"
				  : "FETCH 5000 FROM sightings";
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

static void clear_page(struct page *page)
{
	PQclear(page->people);
	PQclear(page->rows);
	PQclear(page->notices);
	*page = (struct page){0};
}

static bool ask(struct store *store, const struct page *page, const char *sql,
		struct parameters *parameters)
{
	return page->by_second ? postgresql_ask_second(store, sql, parameters)
			       : postgresql_ask_ahead(store, sql, parameters);
}

static struct parameters parameters_of_people(const struct store *store,
					      const struct reading *reading, const PGresult *people)
{
	struct parameters parameters = parameters_of(store, reading);
	GByteArray *array = parameter_add_array(&parameters, PARAMETER_BIGINT);

	for (int i = 0; i < PQntuples(people); i++)
		array_add(array, PARAMETER_BIGINT, result_number(people, i, 0));
	return parameters;
}

static bool ask_for_page(struct store *store, const struct reading *reading, struct page *page,
			 const PGresult *before)
{
	struct parameters parameters = parameters_of_people(store, reading, page->people);

	if (!ask(store, page, reading->sql, &parameters))
		return false;
	if (!page->with_notices)
		return true;
	parameters = postgresql_notices_parameters(before, page->people, 1);
	return ask(store, page, postgresql_notices_question, &parameters);
}

/* It takes a while to come: for few people, it is not worth it. */
static bool open_second(struct store *store, struct reading *reading)
{
	if (!reading->second_tried && PQntuples(reading->pages[0].people) == PEOPLE_AT_ONCE) {
		reading->second_tried = true;
		if (!postgresql_open_second(store))
			return false;
	}
	reading->with_second = postgresql_second_is_ready(store);
	return true;
}

/* Asks for the rows of the next people, and for who comes behind them. before: who came last. */
static bool ask_for_rows(struct store *store, struct reading *reading, const PGresult *before)
{
	struct page *first = &reading->pages[0], *second = &reading->pages[1];

	if (PQntuples(first->people) == 0)
		return true;
	if (!open_second(store, reading))
		return false;
	first->with_notices = second->with_notices = postgresql_notices_are_wanted(store);
	second->by_second = true;
	/* What it does not take is asked for when it is wanted. */
	if (PQntuples(second->people) > 0 && ask_for_page(store, reading, second, first->people))
		postgresql_send_second(store);
	return ask_for_page(store, reading, first, before) &&
	       postgresql_ask_ahead(store, reading->cursor, NULL) &&
	       (!reading->with_second || postgresql_ask_ahead(store, reading->cursor, NULL)) &&
	       postgresql_send_ahead(store);
}

/* False on failure. */
static bool take_first(struct store *store, struct page *page)
{
	return (page->rows = postgresql_answer_ahead(store)) != NULL &&
	       (!page->with_notices || (page->notices = postgresql_answer_ahead(store)) != NULL);
}

/* Likewise. Notices that are missing are asked for when they are wanted. */
static bool take_second(struct store *store, const struct reading *reading, struct page *page)
{
	struct parameters parameters;

	if (PQntuples(page->people) == 0)
		return true;
	page->rows = postgresql_answer_second(store);
	if (page->rows != NULL && page->with_notices)
		page->notices = postgresql_answer_second(store);
	if (page->rows != NULL)
		return true;
	parameters = parameters_of_people(store, reading, page->people);
	page->rows = postgresql_query(store, reading->sql, &parameters);
	return page->rows != NULL;
}

/* Takes what was asked for, and asks for what comes behind it. False on failure. */
static bool take_pages(struct store *store, struct reading *reading, struct page pages[PAGES])
{
	struct page *next = reading->pages;
	bool with_second = reading->with_second;

	memcpy(pages, reading->pages, sizeof(reading->pages));
	memset(reading->pages, 0, sizeof(reading->pages));
	return take_first(store, &pages[0]) &&
	       (next[0].people = postgresql_answer_ahead(store)) != NULL &&
	       (!with_second || (next[1].people = postgresql_answer_ahead(store)) != NULL) &&
	       take_second(store, reading, &pages[1]) &&
	       ask_for_rows(store, reading, pages[pages[1].people == NULL ? 0 : 1].people);
}

/* As fetch(). */
static int visit_page(struct store *store, struct reading *reading, struct page *page)
{
	bool more;

	if (page->rows == NULL)
		return 1;
	reading->named = page->people;
	reading->place = 0;
	postgresql_notices_of(store, page->people, 1);
	if (page->notices != NULL)
		postgresql_notices_take(store, g_steal_pointer(&page->notices));
	more = take_rows(store, page->rows, reading);
	postgresql_notices_of(store, NULL, 0);
	return more;
}

/* While rows are visited, the server looks for the next ones. As fetch(). */
static int fetch_people(struct store *store, struct reading *reading)
{
	struct page pages[PAGES];
	int more = -1;

	if (PQntuples(reading->pages[0].people) == 0) {
		store_gathering_end(&reading->gathering);
		return 0;
	}
	if (take_pages(store, reading, pages))
		more = 1;
	for (int i = 0; i < PAGES; i++) {
		if (more > 0)
			more = visit_page(store, reading, &pages[i]);
		clear_page(&pages[i]);
	}
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

	reading->pages[0].people = postgresql_query(store, reading->cursor, NULL);
	more = reading->pages[0].people != NULL && ask_for_rows(store, reading, NULL) ? 1 : -1;
	while (more > 0)
		more = fetch_people(store, reading);
	for (int i = 0; i < PAGES; i++)
		clear_page(&reading->pages[i]);
	postgresql_end_ahead(store);
	postgresql_close_second(store);
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
