#include <string.h>
#include <sysexits.h>

#include "postgresql.h"

/* How far this host's files and logs are read. A position is changed only if it still is what
   it was when it was read: what somebody else has imported meanwhile is not imported twice. */

/* What is remembered of one; ids of logs are negative. */
struct position {
	uint64_t place;
	char *cursor; /* of a log */
};

static void free_position(struct position *position)
{
	g_free(position->cursor);
	g_free(position);
}

GHashTable *postgresql_positions_create(void)
{
	return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
				     (GDestroyNotify)free_position);
}

static void remember(struct store *store, int64_t id, uint64_t place, const char *cursor)
{
	struct position *position = g_new(struct position, 1);

	*position = (struct position){place, g_strdup(cursor)};
	g_hash_table_replace(store_postgresql(store)->positions, g_memdup2(&id, sizeof(id)),
			     position);
}

static PGresult *query_host(struct store *store, const char *sql)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	return postgresql_query(store, sql, &parameters);
}

static PGresult *query_other_hosts(struct store *store, const char *sql, uint64_t inode)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_BIGINT, (int64_t)inode);
	return postgresql_query(store, sql, &parameters);
}

/* What it was when it was read; if it was not, nothing fits. */
static void add_condition(struct store *store, struct parameters *parameters, int64_t id)
{
	const struct position *position =
		g_hash_table_lookup(store_postgresql(store)->positions, &id);

	parameter_add(parameters, PARAMETER_BIGINT,
		      position == NULL ? -1 : (int64_t)position->place);
	if (id < 0)
		parameter_add_text(parameters, position == NULL ? NULL : position->cursor);
}

static bool check_changed(struct store *store, int64_t changed)
{
	if (changed == 1)
		return true;
	store_fail(store, EX_TEMPFAIL, "another import of this host's records was in the way");
	store->failure.again = true;
	return false;
}

/* Adds a row, whose id is 0, or changes it if it still is what it was. */
static bool put(struct store *store, const char *insert, const char *update,
		struct parameters *parameters, int64_t *id, bool is_log)
{
	int64_t changed;

	if (*id == 0)
		return postgresql_number(store, insert, parameters, id) > 0;
	parameter_add(parameters, PARAMETER_BIGINT, *id);
	add_condition(store, parameters, is_log ? -*id : *id);
	return postgresql_change(store, update, parameters, &changed) &&
	       check_changed(store, changed);
}

/* What was read under another host's name. */
static bool refuse(struct store *store, const char *host)
{
	char *reason = g_strdup_printf(
		"what is to be imported here was read as host '%s' before: if this host was "
		"renamed, put host = \"%s\" into its portcullis.conf; a copy of another host "
		"needs an empty journal",
		host, host);

	store_fail(store, EX_CONFIG, reason);
	g_free(reason);
	return false;
}

/* ---- journal files ---- */

#define FILE_COLUMNS "id, name, device, inode, head, head_length, position, removed, touched"

static struct store_file read_file(const PGresult *result, int row)
{
	return (struct store_file){
		.id = result_number(result, row, 0),
		.name = (char *)result_text(result, row, 1),
		.device = (uint64_t)result_number(result, row, 2),
		.inode = (uint64_t)result_number(result, row, 3),
		.head = (uint64_t)result_number(result, row, 4),
		.head_length = (uint64_t)result_number(result, row, 5),
		.position = (uint64_t)result_number(result, row, 6),
		.removed = result_number(result, row, 7) != 0,
		.touched = result_time(result, row, 8),
	};
}

bool postgresql_each_file(struct store *store, store_visit_file *visit, void *context)
{
	PGresult *result = query_host(store, "SELECT " FILE_COLUMNS " FROM portcullis.files"
					     " WHERE host = $1 AND NOT dropped ORDER BY id");
	bool more = true;

	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_file file = read_file(result, i);

		remember(store, file.id, file.position, NULL);
		more = visit(context, &file);
	}
	PQclear(result);
	return true;
}

/* $1 to $9. */
static void add_file(struct store *store, struct parameters *parameters,
		     const struct store_file *file)
{
	parameter_add_text(parameters, store->host);
	parameter_add_text(parameters, file->name);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)file->device);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)file->inode);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)file->head);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)file->head_length);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)file->position);
	parameter_add(parameters, PARAMETER_BOOLEAN, file->removed);
	parameter_add(parameters, PARAMETER_TIME, file->touched);
}

bool postgresql_put_file(struct store *store, struct store_file *file)
{
	static const char insert[] =
		"INSERT INTO portcullis.files (host, name, device, inode, head, head_length,"
		" position, removed, touched) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" RETURNING id";
	static const char update[] =
		"UPDATE portcullis.files SET name = $2, device = $3, inode = $4, head = $5,"
		" head_length = $6, position = $7, removed = $8, touched = $9"
		" WHERE host = $1 AND id = $10 AND position = $11 AND NOT dropped";
	struct parameters parameters = {0};

	add_file(store, &parameters, file);
	if (!put(store, insert, update, &parameters, &file->id, false))
		return false;
	remember(store, file->id, file->position, NULL);
	return true;
}

bool postgresql_drop_file(struct store *store, int64_t id)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_BIGINT, id);
	return postgresql_run(store,
			      "UPDATE portcullis.files SET dropped = true"
			      " WHERE host = $1 AND id = $2",
			      &parameters);
}

/* Also of what is removed: a copy of the host may still have it. */
bool postgresql_refuse_foreign_file(struct store *store, uint64_t inode,
				    store_is_same_file *is_same, void *context)
{
	PGresult *result = query_other_hosts(store,
					     "SELECT " FILE_COLUMNS ", host FROM portcullis.files"
					     " WHERE host <> $1 AND inode = $2 ORDER BY id DESC",
					     inode);
	bool fine = true;

	if (result == NULL)
		return false;
	for (int i = 0; fine && i < PQntuples(result); i++) {
		const struct store_file file = read_file(result, i);

		if (is_same(context, &file))
			fine = refuse(store, result_text(result, i, 9));
	}
	PQclear(result);
	return fine;
}

/* ---- logs ---- */

#define LOG_COLUMNS                                                                                \
	"name, heads, tail, position, cursor, year, place, device, inode, size, changed, touched"

static void read_heads(const PGresult *result, int row, int column, struct store_log *log_r)
{
	if ((size_t)PQgetlength(result, row, column) == sizeof(log_r->heads))
		memcpy(log_r->heads, PQgetvalue(result, row, column), sizeof(log_r->heads));
}

static struct store_log read_log(const PGresult *result, int row)
{
	struct store_log log = {
		.id = result_number(result, row, 0),
		.name = result_text(result, row, 1),
		.tail = (uint64_t)result_number(result, row, 3),
		.position = (uint64_t)result_number(result, row, 4),
		.cursor = result_text(result, row, 5),
		.year = (int)result_number(result, row, 6),
		.place = result_number(result, row, 7),
		.device = (uint64_t)result_number(result, row, 8),
		.inode = (uint64_t)result_number(result, row, 9),
		.size = (uint64_t)result_number(result, row, 10),
		.changed = result_number(result, row, 11),
		.touched = result_time(result, row, 12),
	};

	read_heads(result, row, 2, &log);
	return log;
}

bool postgresql_each_log(struct store *store, store_visit_log *visit, void *context)
{
	PGresult *result = query_host(store, "SELECT id, " LOG_COLUMNS " FROM portcullis.logs"
					     " WHERE host = $1 ORDER BY id");
	bool more = true;

	if (result == NULL)
		return false;
	for (int i = 0; more && i < PQntuples(result); i++) {
		const struct store_log log = read_log(result, i);

		remember(store, -log.id, log.position, log.cursor);
		more = visit(context, &log);
	}
	PQclear(result);
	return true;
}

/* $1 to $13. */
static void add_log(struct store *store, struct parameters *parameters, const struct store_log *log)
{
	parameter_add_text(parameters, store->host);
	parameter_add_text(parameters, log->name);
	parameter_add_bytes(parameters, log->heads, sizeof(log->heads));
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)log->tail);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)log->position);
	parameter_add_text(parameters, log->cursor == NULL ? "" : log->cursor);
	parameter_add(parameters, PARAMETER_INTEGER, log->year);
	parameter_add(parameters, PARAMETER_BIGINT, log->place);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)log->device);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)log->inode);
	parameter_add(parameters, PARAMETER_BIGINT, (int64_t)log->size);
	parameter_add(parameters, PARAMETER_BIGINT, log->changed);
	parameter_add(parameters, PARAMETER_TIME, log->touched);
}

bool postgresql_put_log(struct store *store, struct store_log *log)
{
	static const char insert[] =
		"INSERT INTO portcullis.logs (host, " LOG_COLUMNS
		") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id";
	static const char update[] =
		"UPDATE portcullis.logs SET (" LOG_COLUMNS
		") = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
		" WHERE host = $1 AND id = $14 AND position = $15 AND cursor = $16";
	struct parameters parameters = {0};

	add_log(store, &parameters, log);
	if (!put(store, insert, update, &parameters, &log->id, true))
		return false;
	remember(store, -log->id, log->position, log->cursor == NULL ? "" : log->cursor);
	return true;
}

bool postgresql_refuse_foreign_log(struct store *store, uint64_t inode, store_is_same_log *is_same,
				   void *context)
{
	PGresult *result = query_other_hosts(
		store,
		"SELECT id, " LOG_COLUMNS ", host FROM portcullis.logs"
		" WHERE host <> $1 AND inode = $2 AND ($2 <> 0 OR name = 'journal')"
		" ORDER BY id DESC",
		inode);
	bool fine = true;

	if (result == NULL)
		return false;
	for (int i = 0; fine && i < PQntuples(result); i++) {
		const struct store_log log = read_log(result, i);

		if (is_same(context, &log))
			fine = refuse(store, result_text(result, i, 13));
	}
	PQclear(result);
	return fine;
}
