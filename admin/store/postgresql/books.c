#include <string.h>

#include "postgresql.h"

/* What each host counts. */

/* ---- days ---- */

/* Those of a transaction wait until it is known in which order their last lines came. */
bool postgresql_add_day(struct store *store, const struct store_day *day)
{
	GArray *days = store_postgresql(store)->days;

	for (guint i = 0; i < days->len; i++) {
		struct store_day *sum = &g_array_index(days, struct store_day, i);

		if (sum->day != day->day)
			continue;
		sum->sightings += day->sightings;
		sum->unknown_country += day->unknown_country;
		sum->lines += day->lines;
		sum->lost += day->lost;
		sum->set_aside += day->set_aside;
		sum->last_line = MAX(sum->last_line, day->last_line);
		return true;
	}
	g_array_append_val(days, *day);
	return true;
}

static void add_days(struct parameters *parameters, const GArray *days)
{
	GByteArray *arrays[7];

	arrays[0] = parameter_add_array(parameters, PARAMETER_DAY);
	for (size_t i = 1; i < G_N_ELEMENTS(arrays); i++)
		arrays[i] = parameter_add_array(parameters, PARAMETER_BIGINT);
	for (guint i = 0; i < days->len; i++) {
		const struct store_day *day = &g_array_index(days, struct store_day, i);

		array_add(arrays[0], PARAMETER_DAY, day->day);
		array_add(arrays[1], PARAMETER_BIGINT, (int64_t)day->sightings);
		array_add(arrays[2], PARAMETER_BIGINT, (int64_t)day->unknown_country);
		array_add(arrays[3], PARAMETER_BIGINT, (int64_t)day->lines);
		array_add(arrays[4], PARAMETER_BIGINT, (int64_t)day->lost);
		array_add(arrays[5], PARAMETER_BIGINT, (int64_t)day->set_aside);
		array_add(arrays[6], PARAMETER_BIGINT, day->last_line);
	}
}

/* In which order days came, a sequence tells: nobody waits for that. */
static bool send_days(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct parameters parameters = {0};
	bool fine;

	if (postgresql->days->len == 0)
		return true;
	parameter_add_text(&parameters, store->host);
	add_days(&parameters, postgresql->days);
	fine = postgresql_run(
		store,
		"INSERT INTO portcullis.days AS d (host, day, sightings, unknown_country, lines,"
		" lost, set_aside, last_line)"
		" SELECT $1, day, sightings, unknown_country, lines, lost, set_aside,"
		"  nextval('portcullis.line_numbers') FROM (SELECT *"
		"  FROM unnest($2, $3, $4, $5, $6, $7, $8) AS n (day, sightings, unknown_country,"
		"  lines, lost, set_aside, last_line) ORDER BY last_line) n"
		" ON CONFLICT (day, host) DO UPDATE SET"
		" sightings = d.sightings + excluded.sightings,"
		" unknown_country = d.unknown_country + excluded.unknown_country,"
		" lines = d.lines + excluded.lines, lost = d.lost + excluded.lost,"
		" set_aside = d.set_aside + excluded.set_aside, last_line = excluded.last_line",
		&parameters);
	g_array_set_size(postgresql->days, 0);
	return fine;
}

bool postgresql_each_day(struct store *store, int64_t since_day, store_visit_day *visit,
			 void *context)
{
	struct parameters parameters = {0};
	PGresult *result;
	bool more = true;

	if (!send_days(store))
		return false;
	parameter_add(&parameters, PARAMETER_DAY, since_day);
	result = postgresql_query(store,
				  "SELECT day, sum(sightings)::bigint,"
				  " sum(unknown_country)::bigint, sum(lines)::bigint,"
				  " sum(lost)::bigint, sum(set_aside)::bigint, max(last_line),"
				  " bool_or(confirmed) FROM portcullis.days WHERE day >= $1"
				  " GROUP BY day ORDER BY day",
				  &parameters);
	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_day day = {
			.day = result_day(result, i, 0),
			.sightings = (uint64_t)result_number(result, i, 1),
			.unknown_country = (uint64_t)result_number(result, i, 2),
			.lines = (uint64_t)result_number(result, i, 3),
			.lost = (uint64_t)result_number(result, i, 4),
			.set_aside = (uint64_t)result_number(result, i, 5),
			.last_line = result_number(result, i, 6),
			.confirmed = result_number(result, i, 7) != 0,
		};

		more = visit(context, &day);
	}
	PQclear(result);
	return true;
}

/* One host's is enough for all. */
bool postgresql_confirm_days(struct store *store, int64_t first, int64_t last)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_DAY, first);
	parameter_add(&parameters, PARAMETER_DAY, last);
	return postgresql_run(store,
			      "UPDATE portcullis.days SET confirmed = true WHERE host = $1"
			      " AND day BETWEEN $2 AND $3 AND NOT confirmed",
			      &parameters);
}

/* ---- writers ---- */

/* What one writer has added in this transaction. */
static struct store_writer *find_writer(GArray *writers, const struct store_writer *writer)
{
	struct store_writer added = {.host = writer->host, .source = writer->source};

	for (guint i = 0; i < writers->len; i++) {
		struct store_writer *sum = &g_array_index(writers, struct store_writer, i);

		if (sum->source == writer->source && strcmp(sum->host, writer->host) == 0)
			return sum;
	}
	added.host = g_strdup(writer->host);
	g_array_append_val(writers, added);
	return &g_array_index(writers, struct store_writer, writers->len - 1);
}

static void free_writer(void *pointer)
{
	struct store_writer *writer = pointer;

	g_free((char *)writer->host);
}

GArray *postgresql_writers_create(void)
{
	GArray *writers = g_array_new(FALSE, FALSE, sizeof(struct store_writer));

	g_array_set_clear_func(writers, free_writer);
	return writers;
}

/* Of a line that is older than what is known, the edition says nothing; neither does "". */
bool postgresql_add_writer(struct store *store, const struct store_writer *writer)
{
	struct store_writer *sum = find_writer(store_postgresql(store)->writers, writer);

	sum->lines += writer->lines;
	sum->lost += writer->lost;
	sum->last_seen = MAX(sum->last_seen, writer->last_seen);
	if (writer->edition[0] != '\0' && strcmp(writer->edition, sum->edition) != 0 &&
	    writer->edition_since >= sum->edition_since) {
		g_strlcpy(sum->edition, writer->edition, sizeof(sum->edition));
		sum->edition_since = writer->edition_since;
	}
	return true;
}

static void add_writers(struct parameters *parameters, const GArray *writers)
{
	GByteArray *names = parameter_add_text_array(parameters);
	GByteArray *sources = parameter_add_array(parameters, PARAMETER_SMALLINT);
	GByteArray *lines = parameter_add_array(parameters, PARAMETER_BIGINT);
	GByteArray *lost = parameter_add_array(parameters, PARAMETER_BIGINT);
	GByteArray *seen = parameter_add_array(parameters, PARAMETER_TIME);
	GByteArray *editions = parameter_add_text_array(parameters);
	GByteArray *since = parameter_add_array(parameters, PARAMETER_TIME);

	for (guint i = 0; i < writers->len; i++) {
		const struct store_writer *writer = &g_array_index(writers, struct store_writer, i);

		array_add_text(names, writer->host);
		array_add(sources, PARAMETER_SMALLINT, writer->source);
		array_add(lines, PARAMETER_BIGINT, (int64_t)writer->lines);
		array_add(lost, PARAMETER_BIGINT, (int64_t)writer->lost);
		array_add(seen, PARAMETER_TIME, writer->last_seen);
		array_add_text(editions, writer->edition);
		array_add(since, PARAMETER_TIME, writer->edition_since);
	}
}

#define IS_NEWER                                                                                   \
	"excluded.edition NOT IN ('', w.edition)"                                                  \
	" AND (w.edition_since IS NULL OR w.edition_since <= excluded.edition_since)"

static bool send_writers(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct parameters parameters = {0};
	bool fine;

	if (postgresql->writers->len == 0)
		return true;
	parameter_add_text(&parameters, store->host);
	add_writers(&parameters, postgresql->writers);
	fine = postgresql_run(store,
			      "INSERT INTO portcullis.writers AS w (host, writer, source, lines,"
			      " lost, last_seen, edition, edition_since)"
			      " SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8)"
			      " ON CONFLICT (writer, source, host) DO UPDATE SET"
			      " lines = w.lines + excluded.lines, lost = w.lost + excluded.lost,"
			      " last_seen = greatest(w.last_seen, excluded.last_seen),"
			      " edition = CASE WHEN " IS_NEWER
			      " THEN excluded.edition ELSE w.edition END,"
			      " edition_since = CASE WHEN " IS_NEWER
			      " THEN excluded.edition_since ELSE w.edition_since END",
			      &parameters);
	g_array_set_size(postgresql->writers, 0);
	return fine;
}

#define NEWEST "edition_since DESC NULLS LAST, last_seen DESC"

bool postgresql_each_writer(struct store *store, store_visit_writer *visit, void *context)
{
	PGresult *result =
		!send_writers(store)
			? NULL
			: postgresql_query(
				  store,
				  "SELECT writer, source, sum(lines)::bigint, sum(lost)::bigint,"
				  " max(last_seen), (array_agg(edition ORDER BY " NEWEST "))[1],"
				  " max(edition_since), (array_agg(host ORDER BY " NEWEST "))[1]"
				  " FROM portcullis.writers GROUP BY writer, source"
				  " ORDER BY writer, source",
				  NULL);
	bool more = true;

	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		struct store_writer writer = {
			.host = result_text(result, i, 0),
			.source = (enum source)result_below(result, i, 1, SOURCE_POSTFIX + 1),
			.lines = (uint64_t)result_number(result, i, 2),
			.lost = (uint64_t)result_number(result, i, 3),
			.last_seen = result_time(result, i, 4),
			.edition_since = result_time(result, i, 6),
			.importer = result_text(result, i, 7),
		};

		g_strlcpy(writer.edition, result_text(result, i, 5), sizeof(writer.edition));
		more = visit(context, &writer);
	}
	PQclear(result);
	return true;
}

/* ---- totals ---- */

bool postgresql_totals(struct store *store, struct store_totals *totals_r)
{
	struct parameters parameters = {0};
	PGresult *result;

	*totals_r = (struct store_totals){0};
	parameter_add_text(&parameters, store->host);
	result = postgresql_query(store,
				  "SELECT max(last_import), sum(lines)::bigint, sum(lost)::bigint,"
				  " sum(set_aside)::bigint, max(last_import) FILTER"
				  " (WHERE host = $1) FROM portcullis.totals",
				  &parameters);
	if (result == NULL)
		return false;
	*totals_r = (struct store_totals){
		.last_import = result_time(result, 0, 0),
		.lines = (uint64_t)result_number(result, 0, 1),
		.lost = (uint64_t)result_number(result, 0, 2),
		.set_aside = (uint64_t)result_number(result, 0, 3),
		.own_import = result_time(result, 0, 4),
	};
	PQclear(result);
	return true;
}

bool postgresql_add_totals(struct store *store, const struct store_totals *totals)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_TIME, totals->last_import);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)totals->lines);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)totals->lost);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)totals->set_aside);
	return postgresql_run(store,
			      "INSERT INTO portcullis.totals AS t (host, last_import, lines, lost,"
			      " set_aside) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (host) DO UPDATE"
			      " SET last_import = excluded.last_import,"
			      " lines = t.lines + excluded.lines, lost = t.lost + excluded.lost,"
			      " set_aside = t.set_aside + excluded.set_aside",
			      &parameters);
}

bool postgresql_send_books(struct store *store)
{
	return send_days(store) && send_writers(store);
}
