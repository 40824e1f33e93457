#ifndef PORTCULLIS_POSTGRESQL_SECOND_VIEW_H
#define PORTCULLIS_POSTGRESQL_SECOND_VIEW_H

#include "ahead.h"

/* A second connection that sees what a transaction of the first one sees. Begins as {0}. */

struct second_view {
	PGconn *connection; /* NULL: there is none */
	enum { SECOND_CONNECTING, SECOND_BEGINNING, SECOND_READY } stage;
	PostgresPollingStatusType next; /* while it is made */
	char *begin;                    /* SQL that begins it */
	struct ahead ahead;             /* what it works on */
};

/* Its connection, while it works on something; else NULL. */
PGconn *second_view_at_work(const struct second_view *second);

void second_view_close(struct second_view *second);

#endif
