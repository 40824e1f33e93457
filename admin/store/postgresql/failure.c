#include <string.h>
#include <sysexits.h>

#include "postgresql.h"

enum remedy {
	REMEDY_NONE,
	REMEDY_AGAIN, /* the same may well succeed at once */
	REMEDY_WAIT,  /* the server will come back */
};

/* What is said of each kind of error, by the beginning of its SQLSTATE; the first one that
   fits. NULL: as the server says it. */
static const struct error {
	const char *state;
	int status;
	enum remedy remedy;
	const char *text;
} errors[] = {
	{"40", EX_TEMPFAIL, REMEDY_AGAIN, "another process was in the way"},
	{"55P03", EX_TEMPFAIL, REMEDY_NONE, "it is locked by another process"},
	{"57014", EX_TEMPFAIL, REMEDY_NONE,
	 "an answer took longer than statement_timeout allows, or was cancelled"},
	{"25P04", EX_TEMPFAIL, REMEDY_NONE, "it took longer than transaction_timeout allows"},
	{"25P03", EX_TEMPFAIL, REMEDY_NONE,
	 "this was idle for longer than idle_in_transaction_session_timeout allows"},
	{"25006", EX_TEMPFAIL, REMEDY_WAIT, "the server takes no changes, as a standby"},
	{"57P", EX_TEMPFAIL, REMEDY_WAIT, NULL},
	{"08", EX_TEMPFAIL, REMEDY_WAIT, NULL},
	{"53100", EX_IOERR, REMEDY_WAIT, "the server's disk is full"},
	{"53", EX_TEMPFAIL, REMEDY_WAIT, NULL},
	{"58", EX_IOERR, REMEDY_WAIT, NULL},
	{"42501", EX_NOPERM, REMEDY_NONE, NULL},
	{"28", EX_NOPERM, REMEDY_NONE, NULL},
	{"3D000", EX_NOINPUT, REMEDY_NONE, NULL},
	/* "Configuration file error": the URI says what libpq does not know. */
	{"F0000", EX_CONFIG, REMEDY_NONE, NULL},
	/* A table or schema that is missing. */
	{"42P01", EX_NOINPUT, REMEDY_NONE,
	 "it has no tables yet; 'portcullis store create' makes them"},
	{"3F000", EX_NOINPUT, REMEDY_NONE,
	 "it has no tables yet; 'portcullis store create' makes them"},
	{"XX001", EX_DATAERR, REMEDY_NONE, NULL},
	{"XX002", EX_DATAERR, REMEDY_NONE, NULL},
	{"", EX_SOFTWARE, REMEDY_NONE, NULL},
};

static const struct error *find_error(const char *state)
{
	const struct error *error = errors;

	while (strncmp(state, error->state, strlen(error->state)) != 0)
		error++;
	return error;
}

/* The first line of what libpq says, without the end of a sentence. */
static char *first_line(const char *text)
{
	char *line = g_strndup(text, strcspn(text, "\n"));

	g_strchomp(line);
	return line;
}

static bool is_lost(struct store *store, const PGconn *connection)
{
	char *line = first_line(PQerrorMessage(connection));

	store_fail(store, EX_TEMPFAIL, line[0] == '\0' ? "the connection was lost" : line);
	g_free(line);
	store->failure.away = true;
	return false;
}

void postgresql_refused(struct store *store, const char *state, const char *reason)
{
	const struct error *error = find_error(state[0] == '\0' ? "08" : state);

	/* Nothing was asked of it yet but what the URI says. */
	store_fail(store, error->status == EX_SOFTWARE ? EX_CONFIG : error->status, reason);
	store->failure.away = error->remedy != REMEDY_NONE;
}

bool postgresql_connection_failed(struct store *store, const PGconn *connection,
				  const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const struct error *error;

	if (state == NULL || message == NULL)
		return is_lost(store, connection);
	/* "Current transaction is aborted": what failed before says why. */
	if (strcmp(state, "25P02") == 0 && store->failure.status != 0)
		return false;
	error = find_error(state);
	store_fail(store, error->status, error->text == NULL ? message : error->text);
	store->failure.again = error->remedy == REMEDY_AGAIN;
	store->failure.away = error->remedy == REMEDY_WAIT;
	return false;
}

bool postgresql_failed(struct store *store, const PGresult *result)
{
	return postgresql_connection_failed(store, store_postgresql(store)->connection, result);
}
