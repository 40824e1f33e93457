#ifndef PORTCULLIS_POSTGRESQL_AHEAD_H
#define PORTCULLIS_POSTGRESQL_AHEAD_H

#include "parameters.h"

/* Statements that the server works on while this process does something else: libpq's pipeline
   mode. Begins as {0}. */

#define AHEAD_MAX 4 /* at a time */

struct ahead {
	int asked, answered;
	bool open;     /* the connection is in pipeline mode: the answers have not come */
	bool complete; /* no more will be asked */
	PGresult *results[AHEAD_MAX];
};

/* Once those before are answered. False when the connection fails. */
bool ahead_ask(struct ahead *ahead, PGconn *connection, const char *sql,
	       const struct parameters *parameters);
/* The server begins with what was asked. Likewise. */
bool ahead_send(struct ahead *ahead, PGconn *connection);

/* Takes in what has come of the answers: the server does not go on while nobody does. */
void ahead_drain(const struct ahead *ahead, PGconn *connection);

/* Waits for all answers: then something else may be asked. beside: another connection, whose
   answers are taken in meanwhile, as by ahead_drain(); NULL: there is none. */
void ahead_await(struct ahead *ahead, PGconn *connection, PGconn *beside);

/* The next answer, which the caller clears; NULL when the connection was lost. It waits
   likewise. */
PGresult *ahead_take(struct ahead *ahead, PGconn *connection, PGconn *beside);

/* Drops answers that nobody took. */
void ahead_clear(struct ahead *ahead);

#endif
