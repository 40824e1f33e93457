#include <time.h>

#include "sqlite.h"

/* A file is of one host: its name replaces the one that it had before. */

bool store_sqlite_clock(struct store *store, int64_t *now_r)
{
	struct timespec now;

	(void)store;
	clock_gettime(CLOCK_REALTIME, &now);
	*now_r = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return true;
}

static bool remove_others(struct store *store)
{
	sqlite3_stmt *removal = store_sqlite_statement(store, "DELETE FROM hosts WHERE name <> ?1");

	store_sqlite_bind_text(removal, 1, store->host);
	return store_sqlite_run(store, removal);
}

bool store_sqlite_put_host(struct store *store, const struct store_host *host)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store,
		"INSERT INTO hosts VALUES (?1, ?2, ?3, ?4, ?5, ?11, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT (name) DO UPDATE SET portcullis = ?2, dovecot = ?3,"
		" postfix = ?4, edition = ?5, edition_since = CASE WHEN edition = ?5"
		"  THEN edition_since ELSE ?11 END, policy = ?6,"
		" country_database_built = ?7, backlog = ?8, backlog_since = ?9,"
		" clock_offset = ?10, told = ?11");
	int64_t now;

	if (!store_sqlite_clock(store, &now) || !remove_others(store))
		return false;
	store_sqlite_bind_text(row, 1, store->host);
	store_sqlite_bind_text(row, 2, host->portcullis);
	store_sqlite_bind_text(row, 3, host->dovecot);
	store_sqlite_bind_text(row, 4, host->postfix);
	store_sqlite_bind_text(row, 5, host->edition);
	store_sqlite_bind_text(row, 6, host->policy);
	sqlite3_bind_int64(row, 7, host->country_database_built);
	sqlite3_bind_int64(row, 8, (int64_t)host->backlog);
	sqlite3_bind_int64(row, 9, host->backlog_since);
	sqlite3_bind_int64(row, 10, host->clock_offset);
	sqlite3_bind_int64(row, 11, now);
	return store_sqlite_run(store, row);
}

static struct store_host read_host(sqlite3_stmt *row)
{
	struct store_host host = {
		.name = store_sqlite_column_text(row, 0),
		.portcullis = store_sqlite_column_text(row, 1),
		.dovecot = (const char *)sqlite3_column_text(row, 2),
		.postfix = (const char *)sqlite3_column_text(row, 3),
		.edition_since = sqlite3_column_int64(row, 5),
		.country_database_built = sqlite3_column_int64(row, 7),
		.backlog = (uint64_t)sqlite3_column_int64(row, 8),
		.backlog_since = sqlite3_column_int64(row, 9),
		.clock_offset = sqlite3_column_int64(row, 10),
		.told = sqlite3_column_int64(row, 11),
	};

	g_strlcpy(host.edition, store_sqlite_column_text(row, 4), sizeof(host.edition));
	g_strlcpy(host.policy, store_sqlite_column_text(row, 6), sizeof(host.policy));
	return host;
}

bool store_sqlite_each_host(struct store *store, store_visit_host *visit, void *context)
{
	sqlite3_stmt *row = store_sqlite_statement(
		store, "SELECT name, portcullis, dovecot, postfix, edition, edition_since, policy,"
		       " country_database_built, backlog, backlog_since, clock_offset, told"
		       " FROM hosts ORDER BY name");
	int step;

	while ((step = store_sqlite_step(store, row)) > 0) {
		const struct store_host host = read_host(row);

		if (!visit(context, &host))
			break;
	}
	sqlite3_reset(row);
	return step >= 0;
}

bool store_sqlite_forget_host(struct store *store, const char *name, bool *found_r)
{
	sqlite3_stmt *removal;

	if (!store_sqlite_begin(store))
		return false;
	removal = store_sqlite_statement(store, "DELETE FROM hosts WHERE name = ?1");
	store_sqlite_bind_text(removal, 1, name);
	if (store_sqlite_run(store, removal)) {
		*found_r = store_sqlite_changes(store) > 0;
		if (store_sqlite_commit(store))
			return true;
	}
	store_sqlite_rollback(store);
	return false;
}
