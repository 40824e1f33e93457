#include <string.h>
#include <sysexits.h>

#include "postgresql.h"

/* One run of notices at a time, whichever host it is on.

   The lock is a transaction's, of a connection that does nothing else: so it ends with the
   process, wherever that dies, and holds where a pool shares connections. It sees and changes
   nothing, so nobody is kept from cleaning up. Who has it stands in a row of its own, together
   with the process of the server that keeps it: a row that a run has left behind names
   another. */

/* Whoever has it says so at once. */
#define PATIENCE_MICROSECONDS (3 * G_TIME_SPAN_SECOND)
#define STEP_MICROSECONDS (50 * G_TIME_SPAN_MILLISECOND)

/* A run may take hours. */
static const char begin[] =
	"BEGIN ISOLATION LEVEL READ COMMITTED;"
	"SET LOCAL statement_timeout = '1min';"
	"SET LOCAL idle_in_transaction_session_timeout = 0;"
	/* PostgreSQL 17 has it. */
	"SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'";

/* NULL, with the failure noted. */
static PGresult *ask(struct store *store, const char *sql)
{
	PGconn *lock = store_postgresql(store)->lock;
	PGresult *result = PQexecParams(lock, sql, 0, NULL, NULL, NULL, NULL, 1);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	postgresql_connection_failed(store, lock, result);
	PQclear(result);
	return NULL;
}

static bool begin_locking(struct store *store)
{
	struct store_postgresql *postgresql = store_postgresql(store);
	PGresult *result;
	bool begun;

	postgresql->lock = postgresql_open(store);
	if (postgresql->lock == NULL)
		return false;
	result = PQexec(postgresql->lock, begin);
	begun = PQresultStatus(result) == PGRES_TUPLES_OK ||
		postgresql_connection_failed(store, postgresql->lock, result);
	PQclear(result);
	return begun;
}

/* *pid_r: of the process of the server; 0: another one has it. */
static bool try_to_lock(struct store *store, int64_t *pid_r)
{
	char sql[200];
	PGresult *result;

	g_snprintf(sql, sizeof(sql),
		   "SELECT CASE WHEN pg_try_advisory_xact_lock(" LOCK_CLASS ", %d)"
		   " THEN pg_backend_pid() ELSE 0 END",
		   LOCK_NOTICES);
	result = ask(store, sql);
	*pid_r = result == NULL ? 0 : result_number(result, 0, 0);
	PQclear(result);
	return result != NULL;
}

/* *other_r stays as it is when the one that has it has not said so yet. */
static bool find_other(struct store *store, struct store_notifier *other_r)
{
	char sql[500];
	PGresult *result;

	g_snprintf(sql, sizeof(sql),
		   "SELECT n.host, n.since FROM portcullis.notifier n JOIN pg_locks l"
		   " ON l.pid = n.pid WHERE l.locktype = 'advisory' AND l.granted"
		   " AND l.classid = " LOCK_CLASS " AND l.objid = %d AND l.objsubid = 2"
		   " AND l.database = (SELECT oid FROM pg_database"
		   " WHERE datname = current_database())",
		   LOCK_NOTICES);
	result = ask(store, sql);
	if (result != NULL && PQntuples(result) > 0) {
		g_strlcpy(other_r->host, result_text(result, 0, 0), sizeof(other_r->host));
		other_r->since = result_time(result, 0, 1);
	}
	PQclear(result);
	return result != NULL;
}

static bool sign(struct store *store, int64_t pid)
{
	struct parameters parameters = {0};

	parameter_add_text(&parameters, store->host);
	parameter_add(&parameters, PARAMETER_INTEGER, pid);
	return postgresql_run(store,
			      "INSERT INTO portcullis.notifier (one, host, since, pid)"
			      " VALUES (true, $1, now(), $2) ON CONFLICT (one) DO UPDATE"
			      " SET host = excluded.host, since = excluded.since,"
			      " pid = excluded.pid",
			      &parameters);
}

static bool lock_notices(struct store *store, bool *locked_r, struct store_notifier *other_r)
{
	int64_t begun = g_get_monotonic_time(), pid;

	*locked_r = false;
	if (!begin_locking(store))
		return false;
	for (;;) {
		if (!try_to_lock(store, &pid))
			return false;
		*locked_r = pid != 0;
		if (*locked_r)
			return sign(store, pid);
		if (!find_other(store, other_r))
			return false;
		if (other_r->host[0] != '\0' ||
		    g_get_monotonic_time() - begun >= PATIENCE_MICROSECONDS)
			return true;
		/* It has only just begun, or ended. */
		g_usleep(STEP_MICROSECONDS);
	}
}

bool postgresql_lock_notices(struct store *store, bool *locked_r, struct store_notifier *other_r)
{
	bool fine = lock_notices(store, locked_r, other_r);

	if (!fine || !*locked_r)
		g_clear_pointer(&store_postgresql(store)->lock, PQfinish);
	return fine;
}

bool postgresql_holds_notices(struct store *store)
{
	PGconn *lock = store_postgresql(store)->lock;
	PGresult *result = lock == NULL ? NULL : PQexec(lock, "SELECT");
	bool holds = PQresultStatus(result) == PGRES_TUPLES_OK &&
		     PQtransactionStatus(lock) == PQTRANS_INTRANS;

	PQclear(result);
	if (holds)
		return true;
	store_fail(store, EX_TEMPFAIL,
		   "the connection was lost that kept other hosts from sending notices, too");
	store->failure.away = true;
	return false;
}
