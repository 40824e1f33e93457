#include "postgresql.h"

/* What better witnesses told is read once a transaction for each server: a log has many
   logins. */

/* One day that a better witness of a server covers. */
struct covered_day {
	bool is_gate;
	int64_t day, first, last;
	bool goes_on; /* it was there within the week before */
};

static GArray *read_days(struct store *store, int64_t server)
{
	struct parameters parameters = {0};
	PGresult *result;
	GArray *days;

	parameter_add(&parameters, PARAMETER_INTEGER, server);
	result = postgresql_query(
		store,
		"SELECT b.witness = 0, c.day, c.first, c.last, EXISTS (SELECT 1"
		"  FROM portcullis.coverage p WHERE p.server = c.server"
		"  AND p.day BETWEEN c.day - 7 AND c.day - 1)"
		" FROM portcullis.servers s JOIN portcullis.servers b ON b.source = s.source"
		"  AND b.witness < s.witness AND (b.host = s.host"
		"   OR starts_with(b.host, s.host || '.') OR starts_with(s.host, b.host || '.'))"
		"  JOIN portcullis.coverage c ON c.server = b.id WHERE s.id = $1",
		&parameters);
	if (result == NULL)
		return NULL;
	days = g_array_new(FALSE, FALSE, sizeof(struct covered_day));
	for (int i = 0; i < PQntuples(result); i++) {
		const struct covered_day day = {
			.is_gate = result_number(result, i, 0) != 0,
			.day = result_day(result, i, 1),
			.first = result_time(result, i, 2),
			.last = result_time(result, i, 3),
			.goes_on = result_number(result, i, 4) != 0,
		};

		g_array_append_val(days, day);
	}
	PQclear(result);
	return days;
}

/* NULL: the store fails. */
static const GArray *days_of(struct store *store, int64_t server)
{
	GHashTable *coverage = store_postgresql(store)->coverage;
	GArray *days = g_hash_table_lookup(coverage, &server);

	if (days != NULL)
		return days;
	days = read_days(store, server);
	if (days != NULL)
		g_hash_table_insert(coverage, g_memdup2(&server, sizeof(server)), days);
	return days;
}

/* ---- the ways that gates know ---- */

#define ANY_PORT 0
#define PORT_OF_A_CONTAINER (-1)

/* mechanism "": whichever it is. */
static char *format_way(int64_t source, int64_t service, int64_t port, const char *mechanism)
{
	return g_strdup_printf("%d %d %d %s", (int)source, (int)service, (int)port, mechanism);
}

/* A log of Postfix's names one of three ports, by what the service is called, whatever its
   number is. */
static int64_t general_port(int64_t port)
{
	return port == 25 || port == 465 || port == 587 ? ANY_PORT : PORT_OF_A_CONTAINER;
}

static void note_way(GHashTable *ways, const PGresult *result, int row, const char *mechanism)
{
	int64_t source = result_number(result, row, 0), service = result_number(result, row, 1);
	int64_t port = result_number(result, row, 2);

	g_hash_table_add(ways, format_way(source, service, port, mechanism));
	g_hash_table_add(ways, format_way(source, service, ANY_PORT, mechanism));
	g_hash_table_add(ways, format_way(source, service, general_port(port), mechanism));
}

static bool read_ways(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	PGresult *result;

	if (postgresql->known_ways != NULL)
		return true;
	result = postgresql_query(store,
				  "SELECT DISTINCT source, service, port, mechanism"
				  " FROM portcullis.habits WHERE NOT of_log",
				  NULL);
	if (result == NULL)
		return false;
	postgresql->known_ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < PQntuples(result); i++) {
		note_way(postgresql->known_ways, result, i, "");
		note_way(postgresql->known_ways, result, i, result_text(result, i, 3));
	}
	PQclear(result);
	return true;
}

static bool has_way(const GHashTable *ways, const struct store_habit *habit, int64_t port)
{
	char *way = format_way(habit->source, habit->service, port, habit->mechanism);
	bool found = g_hash_table_contains((GHashTable *)ways, way);

	g_free(way);
	return found;
}

static bool is_known_way(struct store *store, const struct store_habit *habit)
{
	const GHashTable *ways = store_postgresql(store)->known_ways;

	return has_way(ways, habit, habit->port) || has_way(ways, habit, PORT_OF_A_CONTAINER);
}

/* ---- the whole ---- */

/* As is_covered() of the database; see migrations.c. */
static bool reaches(const struct covered_day *covered, const struct store_sighting *sighting)
{
	int64_t day = sighting->last_seen / MILLISECONDS_A_DAY;
	bool is_clean = sighting->verified && sighting->rules->rule_count == 0;
	int64_t end = covered->last + (is_clean ? MILLISECONDS_A_DAY : STORE_COVER_TAIL);
	int64_t begin = covered->goes_on ? 0 : covered->first - STORE_COVER_TAIL;

	return covered->day >= day - 1 && covered->day <= day && sighting->first_seen <= end &&
	       sighting->last_seen >= begin &&
	       (sighting->first_seen >= begin || sighting->last_seen <= end);
}

int postgresql_is_covered(struct store *store, const struct store_sighting *sighting)
{
	const GArray *days = days_of(store, sighting->server);
	bool is_known;

	if (days == NULL || !read_ways(store))
		return -1;
	is_known = is_known_way(store, sighting->habit);
	for (guint i = 0; i < days->len; i++) {
		const struct covered_day *covered = &g_array_index(days, struct covered_day, i);

		if ((is_known || !covered->is_gate) && reaches(covered, sighting))
			return 1;
	}
	return 0;
}
