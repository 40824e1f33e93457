#include "sqlite.h"

#include <string.h>

/* ---- positions ---- */

static void read_heads(sqlite3_stmt *row, int column, struct store_log *log_r)
{
	const void *heads = sqlite3_column_blob(row, column);

	if (heads != NULL && (size_t)sqlite3_column_bytes(row, column) == sizeof(log_r->heads))
		memcpy(log_r->heads, heads, sizeof(log_r->heads));
}

bool store_sqlite_each_log(struct store *store, store_visit_log *visit, void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT id, name, heads, tail, position, cursor, year, place, device, inode,"
		       " size, changed, touched FROM logs ORDER BY id");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		struct store_log log = {
			.id = sqlite3_column_int64(row, 0),
			.name = store_sqlite_column_text(row, 1),
			.tail = (uint64_t)sqlite3_column_int64(row, 3),
			.position = (uint64_t)sqlite3_column_int64(row, 4),
			.cursor = store_sqlite_column_text(row, 5),
			.year = sqlite3_column_int(row, 6),
			.place = sqlite3_column_int64(row, 7),
			.device = (uint64_t)sqlite3_column_int64(row, 8),
			.inode = (uint64_t)sqlite3_column_int64(row, 9),
			.size = (uint64_t)sqlite3_column_int64(row, 10),
			.changed = sqlite3_column_int64(row, 11),
			.touched = sqlite3_column_int64(row, 12),
		};

		read_heads(row, 2, &log);
		if (!visit(context, &log))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

/* Binds ?1 to ?12. */
static sqlite3_stmt *bind_log(sqlite3_stmt *statement, const struct store_log *log)
{
	store_sqlite_bind_text(statement, 1, log->name);
	sqlite3_bind_blob(statement, 2, log->heads, sizeof(log->heads), SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, (int64_t)log->tail);
	sqlite3_bind_int64(statement, 4, (int64_t)log->position);
	store_sqlite_bind_text(statement, 5, log->cursor);
	sqlite3_bind_int(statement, 6, log->year);
	sqlite3_bind_int64(statement, 7, log->place);
	sqlite3_bind_int64(statement, 8, (int64_t)log->device);
	sqlite3_bind_int64(statement, 9, (int64_t)log->inode);
	sqlite3_bind_int64(statement, 10, (int64_t)log->size);
	sqlite3_bind_int64(statement, 11, log->changed);
	sqlite3_bind_int64(statement, 12, log->touched);
	return statement;
}

bool store_sqlite_put_log(struct store *store, struct store_log *log)
{
	sqlite3_stmt *statement;

	if (log->id == 0) {
		statement = store_sqlite_statement(
			store, "INSERT INTO logs (name, heads, tail, position, cursor, year, place,"
			       " device, inode, size, changed, touched)"
			       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
		return store_sqlite_insert(store, bind_log(statement, log), &log->id);
	}
	statement = store_sqlite_statement(
		store, "UPDATE logs SET name = ?1, heads = ?2, tail = ?3, position = ?4,"
		       " cursor = ?5, year = ?6, place = ?7, device = ?8, inode = ?9, size = ?10,"
		       " changed = ?11, touched = ?12 WHERE id = ?13");
	bind_log(statement, log);
	sqlite3_bind_int64(statement, 13, log->id);
	return store_sqlite_run(store, statement);
}

/* ---- what is joined over lines ---- */

bool store_sqlite_log_state(struct store *store, struct store_log_state *state_r)
{
	sqlite3_stmt *row =
		store_sqlite_statement(store, "SELECT log_change, log_seed FROM totals");
	int step = store_sqlite_step(store, row);

	*state_r = (struct store_log_state){0};
	if (step > 0) {
		state_r->change = sqlite3_column_int64(row, 0);
		state_r->seed = (uint64_t)sqlite3_column_int64(row, 1);
		sqlite3_reset(row);
	}
	return step >= 0;
}

bool store_sqlite_put_log_state(struct store *store, const struct store_log_state *state)
{
	return store_sqlite_run_with(store, "UPDATE totals SET log_change = ?1, log_seed = ?2",
				     state->change, (int64_t)state->seed);
}

bool store_sqlite_each_log_service(struct store *store, store_visit_log_service *visit,
				   void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT host, program, logs_tls, wraps FROM log_services");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct store_log_service service = {
			.host = store_sqlite_column_text(row, 0),
			.program = store_sqlite_column_text(row, 1),
			.logs_tls = sqlite3_column_int(row, 2) != 0,
			.wraps = sqlite3_column_int(row, 3) != 0,
		};

		if (!visit(context, &service))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_put_log_service(struct store *store, const struct store_log_service *service)
{
	sqlite3_stmt *statement = store_sqlite_statement(
		store, "INSERT INTO log_services (host, program, logs_tls, wraps)"
		       " SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM log_services) < ?5"
		       " OR EXISTS (SELECT 1 FROM log_services WHERE host = ?1 AND program = ?2)"
		       " ON CONFLICT (host, program) DO UPDATE SET"
		       " logs_tls = max(logs_tls, excluded.logs_tls),"
		       " wraps = max(wraps, excluded.wraps)");

	store_sqlite_bind_text(statement, 1, service->host);
	store_sqlite_bind_text(statement, 2, service->program);
	sqlite3_bind_int(statement, 3, service->logs_tls);
	sqlite3_bind_int(statement, 4, service->wraps);
	sqlite3_bind_int(statement, 5, STORE_LOG_SERVICES);
	return store_sqlite_run(store, statement);
}

bool store_sqlite_each_log_connection(struct store *store, store_visit_log_connection *visit,
				      void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT key, host, program, heard, tls_version, tls, user, time, count,"
		       " verified, before_tls, client, mechanism FROM log_connections ORDER BY id");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct store_log_connection connection = {
			.key = (uint64_t)sqlite3_column_int64(row, 0),
			.host = store_sqlite_column_text(row, 1),
			.program = store_sqlite_column_text(row, 2),
			.heard = sqlite3_column_int64(row, 3),
			.tls_version =
				(enum tls_version)store_sqlite_column_below(row, 4, TLS_V1_3 + 1),
			.tls = (unsigned int)sqlite3_column_int(row, 5),
			.user = (const char *)sqlite3_column_text(row, 6),
			.time = sqlite3_column_int64(row, 7),
			.count = (uint32_t)sqlite3_column_int64(row, 8),
			.verified = sqlite3_column_int(row, 9) != 0,
			.before_tls = sqlite3_column_int(row, 10) != 0,
			.client = store_sqlite_column_text(row, 11),
			.mechanism = store_sqlite_column_text(row, 12),
		};

		if (!visit(context, &connection))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_drop_log_connections(struct store *store)
{
	return store_sqlite_run(store,
				store_sqlite_statement(store, "DELETE FROM log_connections"));
}

bool store_sqlite_add_log_connection(struct store *store,
				     const struct store_log_connection *connection)
{
	sqlite3_stmt *addition = store_sqlite_statement(
		store, "INSERT INTO log_connections (key, host, program, heard, tls_version, tls,"
		       " user, time, count, verified, before_tls, client, mechanism)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");

	sqlite3_bind_int64(addition, 1, (int64_t)connection->key);
	store_sqlite_bind_text(addition, 2, connection->host);
	store_sqlite_bind_text(addition, 3, connection->program);
	sqlite3_bind_int64(addition, 4, connection->heard);
	sqlite3_bind_int(addition, 5, connection->tls_version);
	sqlite3_bind_int64(addition, 6, connection->tls);
	store_sqlite_bind_text(addition, 7, connection->user);
	sqlite3_bind_int64(addition, 8, connection->time);
	sqlite3_bind_int64(addition, 9, connection->count);
	sqlite3_bind_int(addition, 10, connection->verified);
	sqlite3_bind_int(addition, 11, connection->before_tls);
	store_sqlite_bind_text(addition, 12, connection->client);
	store_sqlite_bind_text(addition, 13, connection->mechanism);
	return store_sqlite_run(store, addition);
}
