#include <string.h>
#include <sysexits.h>

#include "policy/fnv.h"
#include "last-look.h"

/* ---- the connection ---- */

static bool check_version(struct store *store, int64_t version)
{
	if (version > POSTGRESQL_SCHEMA_VERSION)
		return store_fail(store, EX_DATAERR,
				  "it was made by a newer version of Portcullis");
	return version == POSTGRESQL_SCHEMA_VERSION ||
	       store_fail(store, EX_DATAERR,
			  "it is of an older version of Portcullis; "
			  "'portcullis store upgrade' brings it up to date");
}

static bool read_version(struct store *store)
{
	int64_t version;

	if (postgresql_number_of_row(store, "SELECT version FROM portcullis.version", NULL,
				     &version))
		return check_version(store, version);
	return store->failure.status == EX_NOPERM
		       ? store_fail(store, EX_NOPERM,
				    "its tables are not for this role; "
				    "conf-examples/postgresql/roles.sql makes the roles")
		       : false;
}

void postgresql_disconnect(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	ahead_clear(&postgresql->ahead);
	second_view_close(&postgresql->second);
	PQfinish(postgresql->connection);
	postgresql->connection = NULL;
	postgresql->transaction = TRANSACTION_NONE;
}

bool postgresql_connect(struct store *store, bool any_version)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	bool fine;

	if (postgresql->connection != NULL && PQstatus(postgresql->connection) == CONNECTION_OK)
		return true;
	postgresql_disconnect(store);
	postgresql->is_new = true;
	postgresql->connection = postgresql_open(store);
	fine = postgresql->connection != NULL && (any_version || read_version(store));
	postgresql->is_new = false;
	if (!fine)
		postgresql_disconnect(store);
	return fine;
}

/* ---- statements ---- */

/* Outside of a transaction, a connection that was lost meanwhile is made anew. */
static bool is_ready(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	if (postgresql->transaction == TRANSACTION_NONE)
		return postgresql->connection != NULL || postgresql_connect(store, false);
	return postgresql->connection != NULL || postgresql_failed(store, NULL);
}

static void await_ahead(struct store_postgresql *postgresql)
{
	ahead_await(&postgresql->ahead, postgresql->connection,
		    second_view_at_work(&postgresql->second));
}

static PGresult *send_statement(struct store *store, const char *sql,
				const struct parameters *parameters)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	struct arguments arguments;

	await_ahead(postgresql);
	arguments_of(parameters, &arguments);
	return PQexecParams(postgresql->connection, sql, parameters->count, parameters->types,
			    arguments.values, arguments.lengths, arguments.formats, 1);
}

static bool is_fine(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Takes the result over. */
static PGresult *check_result(struct store *store, PGresult *result)
{
	if (is_fine(result)) {
		/* What failed before is over. */
		store->failure = (struct store_failure){0};
		return result;
	}
	postgresql_failed(store, result);
	PQclear(result);
	return NULL;
}

/* One that was idle may have been ended by the server, or by what lies between: that is only
   noticed when it is used. */
static bool was_ended_meanwhile(struct store *store, const PGresult *result)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	return postgresql->transaction == TRANSACTION_NONE && !postgresql->is_new &&
	       !is_fine(result) && PQstatus(postgresql->connection) == CONNECTION_BAD;
}

static PGresult *query(struct store *store, const char *sql, const struct parameters *parameters)
{
	PGresult *result;

	if (!is_ready(store))
		return NULL;
	result = send_statement(store, sql, parameters);
	if (was_ended_meanwhile(store, result)) {
		PQclear(result);
		if (!postgresql_connect(store, false))
			return NULL;
		result = send_statement(store, sql, parameters);
	}
	return check_result(store, result);
}

static const struct parameters none;

PGresult *postgresql_query(struct store *store, const char *sql, struct parameters *parameters)
{
	PGresult *result = query(store, sql, parameters == NULL ? &none : parameters);

	if (parameters != NULL)
		parameters_clear(parameters);
	return result;
}

bool postgresql_ask_ahead(struct store *store, const char *sql, struct parameters *parameters)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	bool fine = is_ready(store) && (ahead_ask(&postgresql->ahead, postgresql->connection, sql,
						  parameters == NULL ? &none : parameters) ||
					postgresql_failed(store, NULL));

	if (parameters != NULL)
		parameters_clear(parameters);
	return fine;
}

bool postgresql_send_ahead(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	return ahead_send(&postgresql->ahead, postgresql->connection) ||
	       postgresql_failed(store, NULL);
}

void postgresql_drain_ahead(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	ahead_drain(&postgresql->ahead, postgresql->connection);
	ahead_drain(&postgresql->second.ahead, postgresql->second.connection);
}

PGresult *postgresql_answer_ahead(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	PGresult *result = ahead_take(&postgresql->ahead, postgresql->connection,
				      second_view_at_work(&postgresql->second));

	if (result != NULL)
		return check_result(store, result);
	postgresql_failed(store, NULL);
	return NULL;
}

void postgresql_end_ahead(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	await_ahead(postgresql);
	ahead_clear(&postgresql->ahead);
}

bool postgresql_run(struct store *store, const char *sql, struct parameters *parameters)
{
	PGresult *result = postgresql_query(store, sql, parameters);

	PQclear(result);
	return result != NULL;
}

bool postgresql_change(struct store *store, const char *sql, struct parameters *parameters,
		       int64_t *changed_r)
{
	PGresult *result = postgresql_query(store, sql, parameters);

	if (result == NULL)
		return false;
	*changed_r = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return true;
}

int postgresql_number(struct store *store, const char *sql, struct parameters *parameters,
		      int64_t *number_r)
{
	PGresult *result = postgresql_query(store, sql, parameters);
	int count;

	if (result == NULL)
		return -1;
	count = PQntuples(result);
	if (count > 0)
		*number_r = result_number(result, 0, 0);
	PQclear(result);
	return count > 0;
}

bool postgresql_number_of_row(struct store *store, const char *sql, struct parameters *parameters,
			      int64_t *number_r)
{
	int found = postgresql_number(store, sql, parameters, number_r);

	if (found == 0)
		store_fail(store, EX_DATAERR, "a row is missing that it was made with");
	return found > 0;
}

static PGresult *execute(struct store *store, const char *sql)
{
	PGresult *result;

	await_ahead(store_postgresql(store));
	result = PQexec(store_postgresql(store)->connection, sql);
	if (was_ended_meanwhile(store, result)) {
		PQclear(result);
		if (!postgresql_connect(store, false))
			return NULL;
		result = PQexec(store_postgresql(store)->connection, sql);
	}
	return check_result(store, result);
}

bool postgresql_execute(struct store *store, const char *sql)
{
	PGresult *result = is_ready(store) ? execute(store, sql) : NULL;

	PQclear(result);
	return result != NULL;
}

/* ---- transactions ---- */

/* Of some seconds each, for all who record to end. */
#define FORGETTING_TRIALS 12

/* Others may remove or add what was remembered, or it is rolled back. */
static void forget_all(struct store_postgresql *postgresql)
{
	batch_clear(postgresql->batch);
	g_hash_table_remove_all(postgresql->coverage);
	g_clear_pointer(&postgresql->known_ways, g_hash_table_unref);
	g_clear_pointer(&postgresql->orders, g_hash_table_unref);
	g_array_set_size(postgresql->covers, 0);
	last_look_clear(postgresql->last_look);
	g_array_set_size(postgresql->days, 0);
	g_array_set_size(postgresql->writers, 0);
	g_hash_table_remove_all(postgresql->servers);
	parameters_clear(&postgresql->services);
	parameters_clear(&postgresql->connections);
	postgresql->connection_count = 0;
	postgresql->dictionaries_locked = false;
}

/* For this transaction only, as a connection may be shared by way of a pool; not what the URI
   sets. */
static void add_setting(GString *sql, const char *uri, const char *name, const char *value)
{
	const char *options = strchr(uri, '?');

	if (options == NULL || strstr(options, name) == NULL)
		g_string_append_printf(sql, "; SET LOCAL %s = '%s'", name, value);
}

#define WORKERS "max_parallel_workers_per_gather"

PGresult *postgresql_query_with_workers(struct store *store, const char *sql,
					struct parameters *parameters)
{
	PGresult *result = NULL;
	GString *without = g_string_new(NULL);

	add_setting(without, store_postgresql(store)->uri, WORKERS, "0");
	if (postgresql_execute(store, "SET LOCAL " WORKERS " TO DEFAULT"))
		result = postgresql_query(store, sql, parameters);
	if (result != NULL && !postgresql_execute(store, without->str))
		g_clear_pointer(&result, PQclear);
	parameters_clear(parameters);
	g_string_free(without, TRUE);
	return result;
}

static void add_settings(GString *sql, const char *uri, const char *idle, const char *patience)
{
	add_setting(sql, uri, "statement_timeout", "15min");
	add_setting(sql, uri, "idle_in_transaction_session_timeout", idle);
	add_setting(sql, uri, "lock_timeout", patience);
	/* Nobody waits for what somebody asks who was ended meanwhile. */
	add_setting(sql, uri, "client_connection_check_interval", "5s");
	/* Of 50,000 rows, to be sorted; to compile for them takes longer than to go through them. */
	add_setting(sql, uri, "work_mem", "32MB");
	add_setting(sql, uri, "jit", "off");
	/* Of cursors, all rows are fetched. */
	add_setting(sql, uri, "cursor_tuple_fraction", "1");
	/* Many small statements: to start workers for each takes longer than to do it. */
	add_setting(sql, uri, WORKERS, "0");
}

/* Begins what another version of the schema would make wrong. Gives that. */
static bool begin(struct store *store, const char *kind, const char *idle, const char *patience,
		  const char *locks)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	GString *sql = g_string_new(kind);
	PGresult *result;
	int64_t version = 0;

	add_settings(sql, postgresql->uri, idle, patience);
	g_string_append_printf(sql, "; %sSELECT 1", locks);
	/* Several hosts may have rows of the same people to change, each after the other. */
	add_setting(sql, postgresql->uri, "lock_timeout", "2min");
	g_string_append(sql, "; SELECT version FROM portcullis.version");
	result = is_ready(store) ? execute(store, sql->str) : NULL;
	g_string_free(sql, TRUE);
	/* PQexec() gives text. */
	if (result != NULL && PQntuples(result) > 0)
		version = g_ascii_strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	if (result != NULL && check_version(store, version))
		return true;
	postgresql_rollback(store);
	return false;
}

/* ", lock(...)" with the numbers of a lock. */
static void add_lock(GString *sql, const char *function, const char *class, int32_t which)
{
	g_string_append_printf(sql, ", %s(%s, %d)", function, class, which);
}

/* Importers of one host follow each other; those of others do not wait. */
static void add_lock_of_host(GString *sql, const struct store *store)
{
	uint64_t host = fnv_hash(FNV_START, store->host, strlen(store->host));

	add_lock(sql, "pg_advisory_xact_lock", LOCK_CLASS " + 1", (int32_t)(host ^ host >> 32));
}

/* orders: the function that takes their lock; NULL: none does. */
static bool begin_writing(struct store *store, const char *patience, const char *orders,
			  bool of_host)
{
	GString *locks = g_string_new("SELECT true");
	bool begun;

	forget_all(store_postgresql(store));
	add_lock(locks, "pg_advisory_xact_lock_shared", LOCK_CLASS, LOCK_SCHEMA);
	if (orders != NULL)
		add_lock(locks, orders, LOCK_CLASS, LOCK_ORDERS);
	if (of_host)
		add_lock_of_host(locks, store);
	g_string_append(locks, "; ");
	begun = begin(store, "BEGIN ISOLATION LEVEL READ COMMITTED", "10min", patience, locks->str);
	g_string_free(locks, TRUE);
	if (begun)
		store_postgresql(store)->transaction = TRANSACTION_WRITING;
	return begun;
}

bool postgresql_begin(struct store *store)
{
	return begin_writing(store, "10s", "pg_advisory_xact_lock_shared", true);
}

bool postgresql_begin_upkeep(struct store *store)
{
	return begin_writing(store, "10s", NULL, true);
}

/* Who records has his host's lock last, so this one may not wait for it. */
bool postgresql_begin_forgetting(struct store *store)
{
	bool begun;
	int trials = 0;

	/* Whoever comes later waits behind it, so it does not wait for long at a time. */
	do
		begun = begin_writing(store, "5s", "pg_advisory_xact_lock", false);
	while (!begun && store->failure.status == EX_TEMPFAIL && !store->failure.away &&
	       ++trials < FORGETTING_TRIALS);
	return begun;
}

#define BEGIN_VIEW "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define VIEW_IDLE "1h"
#define VIEW_PATIENCE "10s"

bool postgresql_begin_view(struct store *store)
{
	if (!begin(store, BEGIN_VIEW, VIEW_IDLE, VIEW_PATIENCE, ""))
		return false;
	store_postgresql(store)->transaction = TRANSACTION_READING;
	return true;
}

char *postgresql_begin_same_view(struct store *store)
{
	PGresult *result = postgresql_query(store, "SELECT pg_export_snapshot()", NULL);
	GString *sql;

	if (result == NULL)
		return NULL;
	sql = g_string_new(BEGIN_VIEW);
	g_string_append_printf(sql, "; SET TRANSACTION SNAPSHOT '%s'", result_text(result, 0, 0));
	add_settings(sql, store_postgresql(store)->uri, VIEW_IDLE, VIEW_PATIENCE);
	PQclear(result);
	return g_string_free(sql, FALSE);
}

/* Of one that has failed, COMMIT rolls back and says so. */
static bool commit(struct store *store)
{
	PGresult *result = postgresql_query(store, "COMMIT", NULL);
	bool committed = result != NULL && strcmp(PQcmdStatus(result), "COMMIT") == 0;

	if (result != NULL && !committed)
		store_fail(store, EX_SOFTWARE, "it was rolled back");
	PQclear(result);
	return committed;
}

bool postgresql_commit(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	if (postgresql_flush(store) && postgresql_send_covers(store) &&
	    postgresql_send_books(store) && postgresql_send_connections(store) &&
	    postgresql_look_last(store) && commit(store)) {
		postgresql->transaction = TRANSACTION_NONE;
		forget_all(postgresql);
		return true;
	}
	postgresql_rollback(store);
	return false;
}

void postgresql_rollback(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	postgresql_end_ahead(store);
	if (postgresql->connection != NULL &&
	    PQtransactionStatus(postgresql->connection) != PQTRANS_IDLE)
		PQclear(PQexec(postgresql->connection, "ROLLBACK"));
	if (PQstatus(postgresql->connection) != CONNECTION_OK)
		postgresql_disconnect(store);
	postgresql->transaction = TRANSACTION_NONE;
	forget_all(postgresql);
	/* Some may be as they would have become. */
	g_hash_table_remove_all(postgresql->positions);
}

static bool lock(struct store *store, const char *function, enum lock lock)
{
	char sql[100];

	g_snprintf(sql, sizeof(sql), "SELECT %s(" LOCK_CLASS ", %d)", function, lock);
	return postgresql_run(store, sql, NULL);
}

bool postgresql_lock(struct store *store, enum lock which)
{
	return lock(store, "pg_advisory_xact_lock", which);
}

bool postgresql_keep_dictionaries(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);

	postgresql->dictionaries_locked =
		postgresql->dictionaries_locked ||
		lock(store, "pg_advisory_xact_lock_shared", LOCK_DICTIONARIES);
	return postgresql->dictionaries_locked;
}
