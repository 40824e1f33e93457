#include "sqlite.h"

/* A stranger who can write into a log can write hosts into it. */
#define SERVERS_MAX 4096

/* ---- servers ---- */

/* 1 found, 0 there is none, -1 failure. */
static int look_up(struct store *store, struct store_server *server)
{
	sqlite3_stmt *search =
		store_sqlite_statement(store, "SELECT id FROM servers"
					      " WHERE host = ?1 AND source = ?2 AND witness = ?3");
	int step;

	store_sqlite_bind_text(search, 1, server->host);
	sqlite3_bind_int(search, 2, server->source);
	sqlite3_bind_int(search, 3, server->witness);
	step = store_sqlite_step(store, search);
	if (step > 0) {
		server->id = sqlite3_column_int64(search, 0);
		sqlite3_reset(search);
	}
	return step;
}

static bool read_names_tls(struct store *store, struct store_server *server)
{
	sqlite3_stmt *search = store_sqlite_statement(
		store, "SELECT service, since FROM named_tls WHERE server = ?1");
	int step;

	sqlite3_bind_int64(search, 1, server->id);
	while ((step = store_sqlite_step(store, search)) > 0) {
		int service = sqlite3_column_int(search, 0);

		if (service >= 0 && service < SERVICE_COUNT)
			server->names_tls[service] = sqlite3_column_int64(search, 1);
	}
	return step == 0;
}

bool store_sqlite_find_server(struct store *store, struct store_server *server)
{
	int found = look_up(store, server);
	sqlite3_stmt *addition;
	int64_t count;

	for (size_t i = 0; i < SERVICE_COUNT; i++)
		server->names_tls[i] = STORE_NEVER;
	if (found != 0)
		return found > 0 && read_names_tls(store, server);
	if (store_sqlite_number(store,
				store_sqlite_statement(store, "SELECT count(*) FROM servers"),
				&count) < 0)
		return false;
	if (server->witness != WITNESS_SERVER && count >= SERVERS_MAX && server->host[0] != '\0') {
		server->host = "";
		return store_sqlite_find_server(store, server);
	}
	addition = store_sqlite_statement(
		store, "INSERT INTO servers (host, source, witness) VALUES (?1, ?2, ?3)");
	store_sqlite_bind_text(addition, 1, server->host);
	sqlite3_bind_int(addition, 2, server->source);
	sqlite3_bind_int(addition, 3, server->witness);
	return store_sqlite_insert(store, addition, &server->id);
}

bool store_sqlite_note_tls(struct store *store, int64_t server, enum service service, int64_t time)
{
	sqlite3_stmt *addition = store_sqlite_statement(
		store, "INSERT INTO named_tls (server, service, since) VALUES (?1, ?2, ?3)"
		       " ON CONFLICT (server, service) DO UPDATE SET"
		       " since = min(since, excluded.since)");

	sqlite3_bind_int64(addition, 1, server);
	sqlite3_bind_int(addition, 2, service);
	sqlite3_bind_int64(addition, 3, time);
	return store_sqlite_run(store, addition);
}

/* ---- what is covered ---- */

/* Of a server s of a log, the better witnesses b. */
#define BETTER                                                                                     \
	" servers s JOIN servers b ON b.source = s.source AND b.witness < s.witness"               \
	" AND (b.host = s.host OR substr(b.host, 1, length(s.host) + 1) = s.host || '.'"           \
	" OR substr(s.host, 1, length(b.host) + 1) = b.host || '.')"

/* Until when the coverage c reaches, and since when that of the day itself does. */
#define END(clean) "(c.last + CASE WHEN " clean " THEN 86400000 ELSE ?6 END)"
#define BEGIN                                                                                      \
	"CASE WHEN EXISTS (SELECT 1 FROM coverage p WHERE p.server = c.server"                     \
	" AND p.day BETWEEN c.day - 7 AND c.day - 1) THEN 0 ELSE c.first - ?6 END"

/* Whether the coverage c of the day before, or of the day itself, reaches into the time from
   FIRST to LAST, which does not surround it. */
#define REACHES(first, last, clean)                                                                \
	" " first " <= " END(clean) " AND " last " >= " BEGIN " AND (" first " >= " BEGIN          \
				    " OR " last " <= " END(clean) ")"

/* Whether b may know the source, service, port and mechanism (an id, or not told) at all. A log of
   Postfix's names one of three ports, by what the service is called, whatever its number is. */
#define KNOWS(source, service, port, mechanism, untold)                                            \
	" (b.witness > 0 OR EXISTS (SELECT 1 FROM habits g WHERE g.of_log = 0"                     \
	" AND g.source = " source " AND g.service = " service " AND (" port                        \
	" IN (0, g.port) OR g.port NOT IN (25, 465, 587))"                                         \
	" AND (" untold " OR g.mechanism = " mechanism ")))"

int store_sqlite_is_covered(struct store *store, const struct store_sighting *sighting)
{
	const struct store_habit *habit = sighting->habit;
	sqlite3_stmt *search = store_sqlite_statement(
		store, "SELECT EXISTS (SELECT 1 FROM" BETTER
		       " JOIN coverage c ON c.server = b.id AND c.day BETWEEN ?2 - 1 AND ?2"
		       " WHERE s.id = ?1 AND" REACHES("?3", "?4", "?5") " AND" KNOWS(
			       "?7", "?8", "?10", "(SELECT id FROM strings WHERE text = ?9)",
			       "?9 = ''") ")");
	int64_t covered = 0;

	sqlite3_bind_int64(search, 1, sighting->server);
	sqlite3_bind_int64(search, 2, sighting->last_seen / MILLISECONDS_A_DAY);
	sqlite3_bind_int64(search, 3, sighting->first_seen);
	sqlite3_bind_int64(search, 4, sighting->last_seen);
	sqlite3_bind_int(search, 5, sighting->verified && sighting->rules->rule_count == 0);
	sqlite3_bind_int64(search, 6, STORE_COVER_TAIL);
	sqlite3_bind_int(search, 7, habit->source);
	sqlite3_bind_int(search, 8, habit->service);
	store_sqlite_bind_text(search, 9, habit->mechanism);
	sqlite3_bind_int(search, 10, habit->port);
	return store_sqlite_number(store, search, &covered) < 0 ? -1 : covered != 0;
}

#define IS_CLEAN "(w.verified AND w.rules IN (SELECT id FROM rule_sets WHERE text = ''))"
#define NOT_TOLD "h.mechanism IN (SELECT id FROM strings WHERE text = '')"
#define REACHES_ROW REACHES("w.first_seen", "w.last_seen", IS_CLEAN)
#define KNOWS_ROW KNOWS("h.source", "h.service", "h.port", "h.mechanism", NOT_TOLD)

/* Those of worse witnesses, which may reach into the day after it. */
#define COVERED                                                                                    \
	" FROM sightings AS w WHERE w.server > 0 AND w.tls_below = 0"                              \
	" AND w.server IN (SELECT s.id FROM" BETTER " WHERE b.id = ?1)"                            \
	" AND w.day BETWEEN ?2 AND ?2 + 1 AND EXISTS (SELECT 1 FROM servers b"                     \
	" JOIN coverage c ON c.server = b.id JOIN habits h ON h.id = w.habit"                      \
	" WHERE b.id = ?1 AND c.day = ?2 AND" REACHES_ROW " AND" KNOWS_ROW ")"

static sqlite3_stmt *covered_statement(struct store *store, const char *sql, int64_t server,
				       int64_t day)
{
	sqlite3_stmt *statement = store_sqlite_statement(store, sql);

	sqlite3_bind_int64(statement, 1, server);
	sqlite3_bind_int64(statement, 2, day);
	sqlite3_bind_int64(statement, 6, STORE_COVER_TAIL);
	return statement;
}

/* SQLite before 3.35 has no RETURNING. */
static bool remove_covered(struct store *store, int64_t server, int64_t day)
{
	GArray *users = g_array_new(FALSE, FALSE, sizeof(int64_t));
	sqlite3_stmt *row = covered_statement(store, "SELECT DISTINCT w.user" COVERED, server, day);
	int64_t user;
	bool fine;
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		user = sqlite3_column_int64(row, 0);
		g_array_append_val(users, user);
	}
	fine = step == 0 &&
	       (users->len == 0 ||
		store_sqlite_run(store, covered_statement(store, "DELETE" COVERED, server, day)));
	for (guint i = 0; fine && i < users->len; i++)
		fine = store_sqlite_reckon_user(store, g_array_index(users, int64_t, i));
	g_array_unref(users);
	return fine;
}

static bool cover_day(struct store *store, int64_t server, int64_t day, int64_t first, int64_t last)
{
	sqlite3_stmt *addition = store_sqlite_statement(
		store, "INSERT INTO coverage (server, day, first, last) VALUES (?1, ?2, ?3, ?4)"
		       " ON CONFLICT (server, day) DO UPDATE SET"
		       " first = min(first, excluded.first), last = max(last, excluded.last)");

	sqlite3_bind_int64(addition, 1, server);
	sqlite3_bind_int64(addition, 2, day);
	sqlite3_bind_int64(addition, 3, first);
	sqlite3_bind_int64(addition, 4, last);
	return store_sqlite_run(store, addition) && remove_covered(store, server, day);
}

bool store_sqlite_cover(struct store *store, int64_t server, int64_t first, int64_t last)
{
	int64_t first_day = first / MILLISECONDS_A_DAY, last_day = last / MILLISECONDS_A_DAY;

	/* What is combined spans a day at most. */
	return (first_day == last_day || cover_day(store, server, first_day, first,
						   (first_day + 1) * MILLISECONDS_A_DAY - 1)) &&
	       cover_day(store, server, last_day, MAX(first, last_day * MILLISECONDS_A_DAY), last);
}
