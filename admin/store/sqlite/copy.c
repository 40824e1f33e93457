#include "sqlite.h"

#include "admin/store/store-copy.h"

/* How each table is read, and a row of it written. */
static const struct table {
	const char *reading, *writing;
} tables[STORE_TABLE_COUNT] = {
	[TABLE_HABITS] = {"SELECT habits.id, source, service, port, tls, country, m.text, c.text,"
			  " tls_version, of_log FROM habits JOIN strings m ON m.id = mechanism"
			  " JOIN strings c ON c.id = client_id ORDER BY habits.id",
			  "INSERT INTO habits VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
			  " (SELECT id FROM strings WHERE text = ?7),"
			  " (SELECT id FROM strings WHERE text = ?8), ?9, ?10)"},
	[TABLE_RULE_SETS] = {"SELECT id, text FROM rule_sets ORDER BY id",
			     "INSERT INTO rule_sets VALUES (?1, ?2)"},
	[TABLE_USERS] = {"SELECT id, name, verified, last_day, weeks, told FROM users ORDER BY id",
			 "INSERT INTO users (id, name, verified, last_day, weeks, told)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
	[TABLE_SIGHTINGS] = {"SELECT user, verified, habit, rules, server, day, count, rejected,"
			     " first_seen, last_seen, weeks, days, last_client, whereabouts,"
			     " tls_below FROM sightings"
			     " ORDER BY user, verified, habit, rules, server, day",
			     "INSERT INTO sightings (user, verified, habit, rules, server, day,"
			     " count, rejected, first_seen, last_seen, weeks, days, last_client,"
			     " whereabouts, tls_below, broken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
			     " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?4 <> coalesce("
			     "(SELECT id FROM rule_sets WHERE text = ''), 0))"},
	[TABLE_SERVERS] = {"SELECT id, host, source, witness FROM servers ORDER BY id",
			   "INSERT INTO servers VALUES (?1, ?2, ?3, ?4)"},
	[TABLE_NAMED_TLS] = {"SELECT server, service, since FROM named_tls"
			     " ORDER BY server, service",
			     "INSERT INTO named_tls VALUES (?1, ?2, ?3)"},
	[TABLE_COVERAGE] = {"SELECT server, day, first, last FROM coverage ORDER BY server, day",
			    "INSERT INTO coverage VALUES (?1, ?2, ?3, ?4)"},
	[TABLE_DAYS] = {"SELECT day, sightings, unknown_country, lines, lost, set_aside,"
			" last_line, confirmed FROM days ORDER BY day",
			"INSERT INTO days (day, sightings, unknown_country, lines, lost, set_aside,"
			" last_line, confirmed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
	[TABLE_WRITERS] = {"SELECT host, source, lines, lost, last_seen, edition, edition_since"
			   " FROM writers ORDER BY host, source",
			   "INSERT INTO writers (host, source, lines, lost, last_seen, edition,"
			   " edition_since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
	[TABLE_TOTALS] = {"SELECT last_import, lines, lost, set_aside FROM totals",
			  "UPDATE totals SET last_import = ?1, lines = ?2, lost = ?3,"
			  " set_aside = ?4"},
	[TABLE_HOSTS] =
		{"SELECT name, portcullis, dovecot, postfix, edition, edition_since,"
		 " policy, country_database_built, backlog, backlog_since, clock_offset,"
		 " told FROM hosts ORDER BY name",
		 "INSERT OR IGNORE INTO hosts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		 " ?12)"},
	[TABLE_FILES] = {"SELECT id, name, device, inode, head, head_length, position, removed,"
			 " touched FROM files ORDER BY id",
			 "INSERT INTO files (id, name, device, inode, head, head_length, position,"
			 " removed, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
	[TABLE_LOGS] = {"SELECT id, name, heads, tail, position, cursor, year, place, device,"
			" inode, size, changed, touched FROM logs ORDER BY id",
			"INSERT INTO logs (id, name, heads, tail, position, cursor, year, place,"
			" device, inode, size, changed, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
			" ?7, ?8, ?9, ?10, ?11, ?12, ?13)"},
	[TABLE_LOG_JOINS] = {"SELECT log_change, log_seed FROM totals",
			     "UPDATE totals SET log_change = ?1, log_seed = ?2"},
	[TABLE_LOG_SERVICES] = {"SELECT host, program, logs_tls, wraps FROM log_services"
				" ORDER BY host, program",
				"INSERT INTO log_services (host, program, logs_tls, wraps)"
				" VALUES (?1, ?2, ?3, ?4)"},
	[TABLE_LOG_CONNECTIONS] = {"SELECT key, host, program, heard, tls_version, tls, user, time,"
				   " count, verified, before_tls, client, mechanism"
				   " FROM log_connections ORDER BY id",
				   "INSERT INTO log_connections (key, host, program, heard,"
				   " tls_version, tls, user, time, count, verified, before_tls,"
				   " client, mechanism) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
				   " ?10, ?11, ?12, ?13)"},
	[TABLE_NOTICES] = {"SELECT id, user, recipient, message_id, reason, rules, state,"
			   " intended, settled, attempts, error, dates FROM notices ORDER BY id",
			   "INSERT INTO notices (id, user, recipient, message_id, reason, rules,"
			   " state, intended, settled, attempts, error, dates) VALUES (?1, ?2, ?3,"
			   " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
	[TABLE_SHARED_TEXTS] = {"SELECT name, version, text, begun, changed FROM shared_texts"
				" WHERE name = 'exemptions'",
				"INSERT INTO shared_texts (name, version, text, begun, changed)"
				" VALUES (?1, ?2, ?3, ?4, ?5)"},
	[TABLE_TAKEN_IN] = {"SELECT time FROM taken_in",
			    "INSERT INTO taken_in (one, time) VALUES (1, ?1)"},
};

static bool is_text(char kind)
{
	return kind == 't' || kind == 'l' || kind == 'x';
}

/* ---- reading ---- */

static void read_value(sqlite3_stmt *row, int column, char kind, struct store_value *value_r)
{
	*value_r = (struct store_value){0};
	if (kind == 'x') {
		value_r->text = sqlite3_column_blob(row, column);
		value_r->length = (size_t)sqlite3_column_bytes(row, column);
	} else if (is_text(kind)) {
		value_r->text = (const char *)sqlite3_column_text(row, column);
	} else {
		value_r->number = sqlite3_column_int64(row, column);
	}
}

bool store_sqlite_read_table(struct store *store, enum store_table table, store_visit_row *visit,
			     void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(store, tables[table].reading);
	const char *columns = store_table_columns[table];
	struct store_value values[STORE_COLUMNS_MAX];
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		for (int i = 0; columns[i] != '\0'; i++)
			read_value(row, i, columns[i], &values[i]);
		if (!visit(context, values))
			break;
	}
	sqlite3_reset(row);
	return step == 0;
}

bool store_sqlite_count_table(struct store *store, enum store_table table, int64_t *count_r)
{
	char *sql = g_strdup_printf("SELECT count(*) FROM (%s)", tables[table].reading);
	sqlite3 *database = store_sqlite(store)->database;
	sqlite3_stmt *statement = NULL;
	bool fine = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW;

	*count_r = fine ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	g_free(sql);
	return fine || store_sqlite_failed(store);
}

/* ---- writing ---- */

static bool add_string(struct store *store, const char *text)
{
	sqlite3_stmt *addition =
		store_sqlite_statement(store, "INSERT OR IGNORE INTO strings (text) VALUES (?1)");

	store_sqlite_bind_text(addition, 1, text);
	return store_sqlite_run(store, addition);
}

static void bind_value(sqlite3_stmt *statement, int place, char kind,
		       const struct store_value *value)
{
	if (kind == 'x')
		sqlite3_bind_blob(statement, place, value->text, (int)value->length, SQLITE_STATIC);
	else if (is_text(kind))
		store_sqlite_bind_text(statement, place, value->text);
	else
		sqlite3_bind_int64(statement, place, value->number);
}

bool store_sqlite_write_row(struct store *store, enum store_table table,
			    const struct store_value values[])
{
	sqlite3_stmt *statement = store_sqlite_statement(store, tables[table].writing);
	const char *columns = store_table_columns[table];

	/* The mechanism and the program. */
	if (table == TABLE_HABITS &&
	    (!add_string(store, values[6].text) || !add_string(store, values[7].text)))
		return false;
	for (int i = 0; columns[i] != '\0'; i++)
		bind_value(statement, i + 1, columns[i], &values[i]);
	return store_sqlite_run(store, statement);
}

/* Ids go on behind the greatest by themselves. */
bool store_sqlite_end_copy(struct store *store)
{
	(void)store;
	return true;
}
