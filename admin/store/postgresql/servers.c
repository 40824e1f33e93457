#include <string.h>

#include "batch.h"
#include "last-look.h"

/* A stranger who can write into a log can write hosts into it. */
#define SERVERS_MAX 4096

/* ---- servers ---- */

/* 1 found, 0 there is none, -1 failure. */
static int look_up(struct store *store, struct store_server *server)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, server->host);
	parameter_add(&parameters, PARAMETER_SMALLINT, server->source);
	parameter_add(&parameters, PARAMETER_SMALLINT, server->witness);
	return postgresql_number(store,
				 "SELECT id FROM portcullis.servers"
				 " WHERE host = $1 AND source = $2 AND witness = $3",
				 &parameters, &server->id);
}

static bool read_names_tls(struct store *store, struct store_server *server)
{
	struct parameters parameters = {0};
	PGresult *result;

	for (size_t i = 0; i < SERVICE_COUNT; i++)
		server->names_tls[i] = STORE_NEVER;
	parameter_add(&parameters, PARAMETER_INTEGER, server->id);
	result = postgresql_query(
		store, "SELECT service, since FROM portcullis.named_tls WHERE server = $1",
		&parameters);
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t service = result_number(result, i, 0);

		if (service >= 0 && service < SERVICE_COUNT)
			server->names_tls[service] = result_time(result, i, 1);
	}
	PQclear(result);
	return result != NULL;
}

/* Another importer may do the same. */
static bool add_server(struct store *store, struct store_server *server)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, server->host);
	parameter_add(&parameters, PARAMETER_SMALLINT, server->source);
	parameter_add(&parameters, PARAMETER_SMALLINT, server->witness);
	return postgresql_run(store,
			      "INSERT INTO portcullis.servers (host, source, witness)"
			      " VALUES ($1, $2, $3) ON CONFLICT (host, source, witness) DO NOTHING",
			      &parameters) &&
	       look_up(store, server) > 0;
}

static bool find_or_add(struct store *store, struct store_server *server)
{
	int found = look_up(store, server);
	int64_t count;

	if (found != 0)
		return found > 0;
	if (postgresql_number(store, "SELECT count(*) FROM portcullis.servers", NULL, &count) <= 0)
		return false;
	if (server->witness != WITNESS_SERVER && count >= SERVERS_MAX && server->host[0] != '\0') {
		server->host = "";
		return find_or_add(store, server);
	}
	return add_server(store, server);
}

/* Once in a transaction for each: a journal asks for each day of each source. */
bool postgresql_find_server(struct store *store, struct store_server *server)
{
	GHashTable *servers = store_postgresql(store)->servers;
	char *key = g_strdup_printf("%d %d %s", server->witness, server->source, server->host);
	const struct store_server *known = g_hash_table_lookup(servers, key);
	bool fine = true;

	if (known != NULL) {
		server->id = known->id;
		memcpy(server->names_tls, known->names_tls, sizeof(server->names_tls));
		g_free(key);
		return true;
	}
	fine = postgresql_keep_dictionaries(store) && find_or_add(store, server) &&
	       read_names_tls(store, server);
	if (fine)
		g_hash_table_insert(servers, key, g_memdup2(server, sizeof(*server)));
	else
		g_free(key);
	return fine;
}

static gboolean has_id(gpointer key, gpointer server, gpointer id)
{
	(void)key;
	return ((const struct store_server *)server)->id == *(const int64_t *)id;
}

/* Who is not known may be any. */
static enum store_witness witness_of(struct store *store, int64_t id, enum store_witness unknown)
{
	const struct store_server *server =
		g_hash_table_find(store_postgresql(store)->servers, has_id, &id);

	return server == NULL ? unknown : server->witness;
}

bool postgresql_note_tls(struct store *store, int64_t server, enum service service, int64_t time)
{
	struct parameters parameters = {0};

	g_hash_table_remove_all(store_postgresql(store)->servers);
	parameter_add(&parameters, PARAMETER_INTEGER, server);
	parameter_add(&parameters, PARAMETER_SMALLINT, service);
	/* 0 is none. */
	parameter_add(&parameters, PARAMETER_TIME, MAX(time, 1));
	return postgresql_run(store,
			      "INSERT INTO portcullis.named_tls AS n (server, service, since)"
			      " VALUES ($1, $2, $3) ON CONFLICT (server, service) DO UPDATE"
			      " SET since = excluded.since WHERE n.since > excluded.since",
			      &parameters);
}

/* ---- what is covered ---- */

/* What one server told of on one day. */
struct cover {
	int64_t server, day, first, last;
	enum store_witness witness;
};

GArray *postgresql_covers_create(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct cover));
}

/* It waits until what it covers may matter: a journal has its days mixed around midnight. */
static void cover_day(struct store *store, int64_t server, int64_t day, int64_t first, int64_t last)
{
	GArray *covers = store_postgresql(store)->covers;
	const struct cover added = {server, day, first, last,
				    witness_of(store, server, WITNESS_SERVER)};

	for (guint i = 0; i < covers->len; i++) {
		struct cover *cover = &g_array_index(covers, struct cover, i);

		if (cover->server != server || cover->day != day)
			continue;
		cover->first = MIN(cover->first, first);
		cover->last = MAX(cover->last, last);
		return;
	}
	g_array_append_val(covers, added);
}

bool postgresql_cover(struct store *store, int64_t server, int64_t first, int64_t last)
{
	int64_t first_day = first / MILLISECONDS_A_DAY, last_day = last / MILLISECONDS_A_DAY;

	/* What is combined spans a day at most. */
	if (first_day != last_day)
		cover_day(store, server, first_day, first,
			  (first_day + 1) * MILLISECONDS_A_DAY - 1);
	cover_day(store, server, last_day, MAX(first, last_day * MILLISECONDS_A_DAY), last);
	return true;
}

static bool put_covers(struct store *store, const GArray *covers)
{
	struct parameters parameters = {0};
	GByteArray *servers = parameter_add_array(&parameters, PARAMETER_INTEGER);
	GByteArray *days = parameter_add_array(&parameters, PARAMETER_DAY);
	GByteArray *first = parameter_add_array(&parameters, PARAMETER_TIME);
	GByteArray *last = parameter_add_array(&parameters, PARAMETER_TIME);

	for (guint i = 0; i < covers->len; i++) {
		const struct cover *cover = &g_array_index(covers, struct cover, i);

		array_add(servers, PARAMETER_INTEGER, cover->server);
		array_add(days, PARAMETER_DAY, cover->day);
		array_add(first, PARAMETER_TIME, cover->first);
		array_add(last, PARAMETER_TIME, cover->last);
		last_look_at_witness(store_postgresql(store)->last_look, cover->server, cover->day);
	}
	return postgresql_run(store,
			      "INSERT INTO portcullis.coverage AS c (server, day, first, last)"
			      " SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2"
			      " ON CONFLICT (server, day) DO UPDATE SET"
			      " first = least(c.first, excluded.first),"
			      " last = greatest(c.last, excluded.last)",
			      &parameters);
}

/* What worse witnesses told may reach into the day after it. */
static bool remove_covered(struct store *store, const GArray *covers)
{
	struct parameters parameters = {0};
	GByteArray *servers = parameter_add_array(&parameters, PARAMETER_INTEGER);
	GByteArray *days = parameter_add_array(&parameters, PARAMETER_DAY);

	for (guint i = 0; i < covers->len; i++) {
		array_add(servers, PARAMETER_INTEGER,
			  g_array_index(covers, struct cover, i).server);
		array_add(days, PARAMETER_DAY, g_array_index(covers, struct cover, i).day);
	}
	return postgresql_run(store,
			      "SELECT portcullis.remove_covered(worse.ids, k.first, k.last + 1)"
			      " FROM (SELECT " WORSE_THAN_BEGIN "$1" WORSE_THAN_END
			      " AS ids) worse, (SELECT min(day) AS first, max(day) AS last"
			      "  FROM unnest($2) AS d (day)) k WHERE worse.ids <> '{}'",
			      &parameters);
}

bool postgresql_send_covers_of(struct store *store, int64_t server)
{
	const GArray *covers = store_postgresql(store)->covers;
	enum store_witness worse = witness_of(store, server, WITNESS_JOURNAL);

	for (guint i = 0; i < covers->len; i++) {
		if (g_array_index(covers, struct cover, i).witness < worse)
			return postgresql_send_covers(store);
	}
	return true;
}

bool postgresql_send_covers(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	GArray *covers = postgresql->covers;
	bool fine;

	if (covers->len == 0)
		return true;
	fine = postgresql_flush(store) && postgresql_keep_dictionaries(store) &&
	       put_covers(store, covers) && remove_covered(store, covers);
	g_array_set_size(covers, 0);
	g_hash_table_remove_all(postgresql->coverage);
	return fine;
}

/* ---- what waits ---- */

/* Of a transaction: others wait for it to end. */
#define SETTLED_AT_ONCE 10000

/* Those that a witness covers whom the importer of the log did not see yet. */
static bool remove_covered_before(struct store *store, int64_t before)
{
	struct parameters parameters = {0};

	parameter_add(&parameters, PARAMETER_DAY, before);
	return postgresql_run(store,
			      "SELECT portcullis.remove_covered(ARRAY(SELECT DISTINCT server"
			      " FROM portcullis.sightings WHERE server > 0 AND day < $1),"
			      " DATE '1970-01-01', $1 - 1)",
			      &parameters);
}

static void take_row(struct batch *batch, const PGresult *result, int row)
{
	const struct batch_key key = batch_key_of_ids(
		batch, result_number(result, row, 0), result_number(result, row, 1) != 0,
		result_number(result, row, 2), result_number(result, row, 3));
	const struct store_sighting sighting = {
		.count = (uint64_t)result_number(result, row, 4),
		.rejected = (uint64_t)result_number(result, row, 5),
		.first_seen = result_time(result, row, 6),
		.last_seen = result_time(result, row, 7),
		.weeks = (uint64_t)result_number(result, row, 8),
		.days = (uint64_t)result_number(result, row, 9),
		.last_client = result_text(result, row, 10),
		.whereabouts = result_text(result, row, 11),
		.tls_below = (enum tls_version)result_below(result, row, 12, TLS_V1_3 + 1),
	};

	batch_add(batch, &key, &sighting);
}

static bool settle(struct store *store, int64_t before, bool *more_r)
{
	struct parameters parameters = {0};
	PGresult *result;

	parameter_add(&parameters, PARAMETER_DAY, before);
	parameter_add(&parameters, PARAMETER_INTEGER, SETTLED_AT_ONCE);
	result = postgresql_query(store,
				  "SELECT user_id, verified, habit, rules, count, rejected,"
				  " first_seen, last_seen, weeks, days, last_client, whereabouts,"
				  " tls_below FROM portcullis.take_waiting($1, $2) ORDER BY"
				  " user_id, verified, habit, rules, server, day",
				  &parameters);
	if (result == NULL)
		return false;
	*more_r = PQntuples(result) == SETTLED_AT_ONCE;
	for (int i = 0; i < PQntuples(result); i++)
		take_row(store_postgresql(store)->batch, result, i);
	PQclear(result);
	return postgresql_flush(store);
}

bool postgresql_settle(struct store *store, int64_t before, bool *more_r)
{
	return postgresql_send_covers(store) && postgresql_flush(store) &&
	       postgresql_keep_dictionaries(store) && remove_covered_before(store, before) &&
	       settle(store, before, more_r);
}
