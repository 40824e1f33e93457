#ifndef PORTCULLIS_POSTGRESQL_REVIEW_H
#define PORTCULLIS_POSTGRESQL_REVIEW_H

#include "admin/store/store-admin.h"
#include "postgresql.h"

/* As store_review(). */
void postgresql_review(const char *uri, store_find *find, void *context);

/* Of a connection: whether others can read along. */
void postgresql_review_connection(PGconn *connection, store_find *find, void *context);

/* Whether it is this machine, by its name, address or socket. */
bool postgresql_is_here(const char *host);

#endif
