#include "admin/store/store-copy.h"

#include <string.h>
#include <sysexits.h>

#include "postgresql.h"

/* How each table is read, and how rows of it are written: from arrays, $2 and so on; $1 is this
   host. What is told apart by the host that imported it is added up when it is read. */
static const struct table {
	const char *reading, *writing;
} tables[STORE_TABLE_COUNT] = {
	[TABLE_HABITS] =
		{"SELECT id, source, service, port, tls, country, mechanism, client_id,"
		 " tls_version, of_log FROM portcullis.habits ORDER BY id",
		 "INSERT INTO portcullis.habits (id, source, service, port, tls, country,"
		 " mechanism, client_id, tls_version, of_log, key) SELECT *, format("
		 "E'%s %s %s %s %s %s %s %s\\n%s', source, service, port, tls, tls_version,"
		 " of_log::integer, country, mechanism, client_id) FROM unnest"
		 "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS h (id, source, service,"
		 " port, tls, country, mechanism, client_id, tls_version, of_log)"},
	[TABLE_RULE_SETS] = {"SELECT id, text FROM portcullis.rule_sets ORDER BY id",
			     "INSERT INTO portcullis.rule_sets (id, text)"
			     " SELECT * FROM unnest($2, $3)"},
	[TABLE_USERS] = {"SELECT id, name, verified, last_day, weeks, told FROM portcullis.users"
			 " ORDER BY id",
			 "INSERT INTO portcullis.users (id, name, verified, last_day, weeks, told)"
			 " SELECT * FROM unnest($2, $3, $4, $5, $6, $7)"},
	[TABLE_SIGHTINGS] = {"SELECT user_id, verified, habit, rules, server, day, count,"
			     " rejected, first_seen, last_seen, weeks, days, last_client,"
			     " whereabouts, tls_below FROM portcullis.sightings"
			     " ORDER BY user_id, verified, habit, rules, server, day",
			     "INSERT INTO portcullis.sightings (user_id, verified, habit, rules,"
			     " server, day, count, rejected, first_seen, last_seen, weeks, days,"
			     " last_client, whereabouts, tls_below, broken) SELECT *,"
			     " " IS_BROKEN("rules") " FROM unnest"
						    "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
						    "$12, $13, $14, $15, $16)"
						    " AS n (user_id, verified, habit, rules)"},
	[TABLE_SERVERS] = {"SELECT id, host, source, witness FROM portcullis.servers ORDER BY id",
			   "INSERT INTO portcullis.servers (id, host, source, witness)"
			   " OVERRIDING SYSTEM VALUE SELECT * FROM unnest($2, $3, $4, $5)"},
	[TABLE_NAMED_TLS] = {"SELECT server, service, since FROM portcullis.named_tls"
			     " ORDER BY server, service",
			     "INSERT INTO portcullis.named_tls (server, service, since)"
			     " SELECT * FROM unnest($2, $3, $4)"},
	[TABLE_COVERAGE] = {"SELECT server, day, first, last FROM portcullis.coverage"
			    " ORDER BY server, day",
			    "INSERT INTO portcullis.coverage (server, day, first, last)"
			    " SELECT * FROM unnest($2, $3, $4, $5)"},
	/* In the same order, but numbers that do not exceed that of lines. */
	[TABLE_DAYS] = {"SELECT day, sum(sightings)::bigint, sum(unknown_country)::bigint,"
			" sum(lines)::bigint, sum(lost)::bigint, sum(set_aside)::bigint,"
			" row_number() OVER (ORDER BY max(last_line)), bool_or(confirmed)"
			" FROM portcullis.days GROUP BY day ORDER BY day",
			"INSERT INTO portcullis.days (day, sightings, unknown_country, lines, lost,"
			" set_aside, last_line, confirmed, host) SELECT *, $1"
			" FROM unnest($2, $3, $4, $5, $6, $7, $8, $9)"},
	[TABLE_WRITERS] = {"SELECT writer, source, sum(lines)::bigint, sum(lost)::bigint,"
			   " max(last_seen), (array_agg(edition ORDER BY edition_since DESC"
			   " NULLS LAST))[1], max(edition_since) FROM portcullis.writers"
			   " GROUP BY writer, source ORDER BY writer, source",
			   "INSERT INTO portcullis.writers (writer, source, lines, lost,"
			   " last_seen, edition, edition_since, host) SELECT *, $1"
			   " FROM unnest($2, $3, $4, $5, $6, $7, $8)"},
	[TABLE_TOTALS] =
		{"SELECT max(last_import), coalesce(sum(lines), 0)::bigint,"
		 " coalesce(sum(lost), 0)::bigint, coalesce(sum(set_aside), 0)::bigint"
		 " FROM portcullis.totals",
		 "INSERT INTO portcullis.totals (last_import, lines, lost, set_aside, host)"
		 " SELECT *, $1 FROM unnest($2, $3, $4, $5) ON CONFLICT (host) DO UPDATE SET"
		 " last_import = excluded.last_import, lines = excluded.lines,"
		 " lost = excluded.lost, set_aside = excluded.set_aside"},
	[TABLE_HOSTS] = {"SELECT name, portcullis, dovecot, postfix, edition, edition_since,"
			 " policy, country_database_built, backlog, backlog_since, clock_offset,"
			 " told FROM portcullis.hosts WHERE name = $1",
			 "INSERT INTO portcullis.hosts SELECT * FROM unnest($2, $3, $4, $5, $6,"
			 " $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (name) DO NOTHING"},
	[TABLE_FILES] = {"SELECT id, name, device, inode, head, head_length, position, removed,"
			 " touched FROM portcullis.files WHERE host = $1 AND NOT dropped"
			 " ORDER BY id",
			 "INSERT INTO portcullis.files (id, name, device, inode, head, head_length,"
			 " position, removed, touched, host) OVERRIDING SYSTEM VALUE SELECT *, $1"
			 " FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)"},
	[TABLE_LOGS] =
		{"SELECT id, name, heads, tail, position, cursor, year, place, device,"
		 " inode, size, changed, touched FROM portcullis.logs WHERE host = $1"
		 " ORDER BY id",
		 "INSERT INTO portcullis.logs (id, name, heads, tail, position, cursor, year,"
		 " place, device, inode, size, changed, touched, host)"
		 " OVERRIDING SYSTEM VALUE SELECT *, $1 FROM unnest($2, $3, $4, $5, $6, $7,"
		 " $8, $9, $10, $11, $12, $13, $14)"},
	/* An empty store has this row, too. */
	[TABLE_LOG_JOINS] = {"SELECT coalesce(max(change), 0), coalesce(max(seed), 0)"
			     " FROM portcullis.log_joins WHERE host = $1",
			     "INSERT INTO portcullis.log_joins (change, seed, host)"
			     " SELECT *, $1 FROM unnest($2, $3) ON CONFLICT (host) DO UPDATE"
			     " SET change = excluded.change, seed = excluded.seed"},
	[TABLE_LOG_SERVICES] = {"SELECT server, program, logs_tls, wraps"
				" FROM portcullis.log_services WHERE host = $1"
				" ORDER BY server, program",
				"INSERT INTO portcullis.log_services (server, program, logs_tls,"
				" wraps, host) SELECT *, $1 FROM unnest($2, $3, $4, $5)"},
	[TABLE_LOG_CONNECTIONS] =
		{"SELECT key, server, program, heard, tls_version, tls, user_name,"
		 " time, count, verified, before_tls, client, mechanism"
		 " FROM portcullis.log_connections"
		 " WHERE host = $1 AND key IS NOT NULL ORDER BY place",
		 "INSERT INTO portcullis.log_connections (key, server, program,"
		 " heard, tls_version, tls, user_name, time, count, verified,"
		 " before_tls, client, mechanism, place, host) SELECT *,"
		 " row_number() OVER () + (SELECT count(*)"
		 "  FROM portcullis.log_connections WHERE host = $1), $1"
		 " FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
		 " $14)"},
	[TABLE_NOTICES] = {"SELECT id, user_name, recipient, message_id, reason, rules, state,"
			   " intended, settled, attempts, error, dates FROM portcullis.notices"
			   " ORDER BY id",
			   "INSERT INTO portcullis.notices (id, user_name, recipient, message_id,"
			   " reason, rules, state, intended, settled, attempts, error, dates)"
			   " OVERRIDING SYSTEM VALUE SELECT * FROM unnest($2, $3, $4, $5, $6, $7,"
			   " $8, $9, $10, $11, $12, $13)"},
	/* Grace is written anew by each run of 'notify'. */
	[TABLE_SHARED_TEXTS] = {"SELECT name, version, text, begun, changed"
				" FROM portcullis.shared_texts WHERE name = 'exemptions'",
				"INSERT INTO portcullis.shared_texts (name, version, text, begun,"
				" changed) SELECT * FROM unnest($2, $3, $4, $5, $6)"},
	[TABLE_TAKEN_IN] = {"SELECT time FROM portcullis.taken_in WHERE host = $1",
			    "INSERT INTO portcullis.taken_in (time, host)"
			    " SELECT *, $1 FROM unnest($2)"},
};

/* ---- reading ---- */

static void read_value(const PGresult *result, int row, int column, char kind,
		       struct store_value *value_r)
{
	*value_r = (struct store_value){.length = (size_t)PQgetlength(result, row, column)};
	switch (kind) {
	case 't':
	case 'l':
	case 'x':
		value_r->text =
			PQgetisnull(result, row, column) ? NULL : result_text(result, row, column);
		break;
	case 'T':
		value_r->number = result_time(result, row, column);
		break;
	case 'd':
		value_r->number = result_day(result, row, column);
		break;
	default:
		value_r->number = result_number(result, row, column);
		break;
	}
}

static bool visit_rows(const PGresult *result, enum store_table table, store_visit_row *visit,
		       void *context)
{
	const char *columns = store_table_columns[table];
	struct store_value values[STORE_COLUMNS_MAX];

	for (int i = 0; i < PQntuples(result); i++) {
		for (int column = 0; columns[column] != '\0'; column++)
			read_value(result, i, column, columns[column], &values[column]);
		if (!visit(context, values))
			return false;
	}
	return true;
}

/* The host, where the SQL asks for it. */
static void add_host(struct store *store, const char *sql, struct parameters *parameters)
{
	if (strstr(sql, "$1") != NULL)
		parameter_add_text(parameters, store->host);
}

bool postgresql_read_table(struct store *store, enum store_table table, store_visit_row *visit,
			   void *context)
{
	char *sql = g_strconcat("DECLARE copy NO SCROLL CURSOR FOR ", tables[table].reading, NULL);
	struct parameters parameters = {0};
	bool fine;
	int count = 1;

	add_host(store, sql, &parameters);
	fine = postgresql_run(store, sql, &parameters);
	g_free(sql);
	while (fine && count > 0) {
		PGresult *result = postgresql_query(store, "FETCH 5000 FROM copy", NULL);

		count = PQntuples(result);
		fine = result != NULL && visit_rows(result, table, visit, context);
		PQclear(result);
	}
	return fine && postgresql_execute(store, "CLOSE copy");
}

bool postgresql_count_table(struct store *store, enum store_table table, int64_t *count_r)
{
	char *sql = g_strdup_printf("SELECT count(*) FROM (%s) t", tables[table].reading);
	struct parameters parameters = {0};
	bool fine;

	add_host(store, sql, &parameters);
	fine = postgresql_number(store, sql, &parameters, count_r) > 0;
	g_free(sql);
	return fine;
}

/* ---- writing ---- */

/* So many rows are sent at once. */
#define ROWS_AT_ONCE 10000

/* Rows of one table that are to be sent. */
struct copy_rows {
	enum store_table table;
	int count;
	struct parameters parameters;
};

static void begin_rows(struct store *store, struct copy_rows *rows, enum store_table table)
{
	rows->table = table;
	rows->count = 0;
	parameter_add_text(&rows->parameters, store->host);
	parameter_add_columns(&rows->parameters, store_table_columns[table]);
}

static bool send_rows(struct store *store)
{
	struct copy_rows *rows = store_postgresql(store)->copy;
	char *sql;
	bool fine;

	if (rows == NULL || rows->count == 0)
		return true;
	/* A statement that has no $1 cannot be given one. */
	sql = g_strconcat("WITH host AS (SELECT $1::text) ", tables[rows->table].writing, NULL);
	fine = postgresql_run(store, sql, &rows->parameters);
	rows->count = 0;
	g_free(sql);
	return fine;
}

/* It would only turn out in the end. */
static bool check_role(struct store *store)
{
	int64_t may = 0;

	return postgresql_number(store,
				 "SELECT has_sequence_privilege('portcullis.user_ids', 'UPDATE')",
				 NULL, &may) > 0 &&
	       (may != 0 ||
		store_fail(store, EX_NOPERM, "a copy is for the role that its tables belong to"));
}

/* Importers wait, who would be given the ids of what is copied. */
static bool begin_copy(struct store *store)
{
	if (!check_role(store) || !postgresql_lock(store, LOCK_SCHEMA))
		return false;
	store_postgresql(store)->copy = g_new0(struct copy_rows, 1);
	return true;
}

bool postgresql_write_row(struct store *store, enum store_table table,
			  const struct store_value values[])
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct copy_rows *rows;

	if (postgresql->copy == NULL && !begin_copy(store))
		return false;
	rows = postgresql->copy;
	if ((rows->table != table || rows->count == ROWS_AT_ONCE) && !send_rows(store))
		return false;
	if (rows->count++ == 0) {
		begin_rows(store, rows, table);
		rows->count = 1;
	}
	array_add_row(&rows->parameters, 1, store_table_columns[table], values);
	return true;
}

void postgresql_copy_free(struct copy_rows *rows)
{
	if (rows != NULL)
		parameters_clear(&rows->parameters);
	g_free(rows);
}

bool postgresql_end_copy(struct store *store)
{
	static const char sql[] =
		"SELECT setval('portcullis.habit_ids', max(id)) FROM portcullis.habits;"
		"SELECT setval('portcullis.rule_set_ids', max(id)) FROM portcullis.rule_sets;"
		"SELECT setval('portcullis.user_ids', max(id)) FROM portcullis.users;"
		"SELECT setval('portcullis.line_numbers', greatest(1, max(last_line)))"
		" FROM portcullis.days;"
		"SELECT setval('portcullis.servers_id_seq', max(id)) FROM portcullis.servers;"
		"SELECT setval('portcullis.files_id_seq', max(id)) FROM portcullis.files;"
		"SELECT setval('portcullis.logs_id_seq', max(id)) FROM portcullis.logs;"
		"SELECT setval('portcullis.notices_id_seq', max(id)) FROM portcullis.notices;"
		/* Questions may come before the server looks by itself. */
		"ANALYZE portcullis.sightings, portcullis.users, portcullis.notices";

	return send_rows(store) && postgresql_execute(store, sql);
}
