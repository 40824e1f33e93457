#include "postgresql.h"

/* So many rows are changed in one transaction: no importer waits for all of them. */
#define ROWS_AT_ONCE 5000

/* Where the next rows stand. */
struct place {
	int64_t user, habit, rules, server, day;
	bool verified;
};

#define KEY "user_id, verified, habit, rules, server, day"

/* 1 they were noted for this host's definition, 0 not, -1 failure. Other hosts may have
   another one, as long as the new configuration is not everywhere. */
static int are_noted(struct store *store, int64_t definition)
{
	struct parameters parameters = {0};
	int64_t noted;
	int found;

	parameter_add_text(&parameters, store->host);
	found = postgresql_number(store,
				  "SELECT whereabouts_definition FROM portcullis.totals"
				  " WHERE host = $1",
				  &parameters, &noted);
	return found > 0 ? noted == definition : found;
}

/* The rows behind the place that have an address. */
static PGresult *select_rows(struct store *store, const struct place *place)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_BIGINT, place->user);
	parameter_add(&parameters, PARAMETER_BOOLEAN, place->verified);
	parameter_add(&parameters, PARAMETER_BIGINT, place->habit);
	parameter_add(&parameters, PARAMETER_BIGINT, place->rules);
	parameter_add(&parameters, PARAMETER_INTEGER, place->server);
	parameter_add(&parameters, PARAMETER_DAY, place->day);
	parameter_add(&parameters, PARAMETER_INTEGER, ROWS_AT_ONCE);
	return postgresql_query(store,
				"SELECT " KEY ", last_client FROM portcullis.sightings"
				" WHERE (" KEY ") > ($1, $2, $3, $4, $5, $6)"
				" AND last_client IS NOT NULL ORDER BY " KEY " LIMIT $7 FOR UPDATE",
				&parameters);
}

static bool update_rows(struct store *store, const PGresult *rows, store_find_whereabouts *find,
			void *context)
{
	static const enum parameter_type types[] = {PARAMETER_BIGINT,  PARAMETER_BOOLEAN,
						    PARAMETER_BIGINT,  PARAMETER_BIGINT,
						    PARAMETER_INTEGER, PARAMETER_DAY};
	struct parameters parameters = {0};
	GByteArray *array;

	for (int column = 0; column < (int)G_N_ELEMENTS(types); column++) {
		array = parameter_add_array(&parameters, types[column]);
		for (int i = 0; i < PQntuples(rows); i++)
			array_add(array, types[column],
				  types[column] == PARAMETER_DAY ? result_day(rows, i, column)
								 : result_number(rows, i, column));
	}
	array = parameter_add_text_array(&parameters);
	for (int i = 0; i < PQntuples(rows); i++)
		array_add_text(array, find(context, result_text(rows, i, 6)));
	return postgresql_run(store,
			      "UPDATE portcullis.sightings s SET whereabouts = n.whereabouts"
			      " FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n (" KEY ", whereabouts)"
			      " WHERE (s.user_id, s.verified, s.habit, s.rules, s.server, s.day)"
			      " = (n.user_id, n.verified, n.habit, n.rules, n.server, n.day)"
			      " AND s.whereabouts IS DISTINCT FROM n.whereabouts",
			      &parameters);
}

/* In a transaction. 1 there may be more, 0 there are none, -1 failure. */
static int note_some(struct store *store, struct place *place, store_find_whereabouts *find,
		     void *context)
{
	PGresult *rows = select_rows(store, place);
	int count = PQntuples(rows);
	bool fine = rows != NULL && (count == 0 || update_rows(store, rows, find, context));

	if (count > 0)
		*place = (struct place){
			.user = result_number(rows, count - 1, 0),
			.verified = result_number(rows, count - 1, 1) != 0,
			.habit = result_number(rows, count - 1, 2),
			.rules = result_number(rows, count - 1, 3),
			.server = result_number(rows, count - 1, 4),
			.day = result_day(rows, count - 1, 5),
		};
	PQclear(rows);
	return fine ? count == ROWS_AT_ONCE : -1;
}

static bool write_definition(struct store *store, int64_t definition)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_BIGINT, definition);
	return postgresql_run(store,
			      "INSERT INTO portcullis.totals (host, lines, lost, set_aside,"
			      " whereabouts_definition) VALUES ($1, 0, 0, 0, $2)"
			      " ON CONFLICT (host) DO UPDATE"
			      " SET whereabouts_definition = excluded.whereabouts_definition",
			      &parameters);
}

bool postgresql_note_whereabouts(struct store *store, int64_t definition,
				 store_find_whereabouts *find, void *context)
{
	struct place place = {.user = -1, .day = 0};
	int noted = are_noted(store, definition), more;

	if (noted != 0)
		return noted > 0;
	do {
		if (!postgresql_begin_upkeep(store))
			return false;
		more = note_some(store, &place, find, context);
		if (more < 0 || (more == 0 && !write_definition(store, definition))) {
			postgresql_rollback(store);
			return false;
		}
		if (!postgresql_commit(store))
			return false;
	} while (more > 0);
	return true;
}
