#ifndef PORTCULLIS_STORE_URI_H
#define PORTCULLIS_STORE_URI_H

#include <stdbool.h>

/* Whether it names a database of PostgreSQL, as libpq has URIs. */
bool store_uri_is_postgresql(const char *uri);

/* The URI without a password, for messages; the caller frees it with g_free(). */
char *store_uri_to_show(const char *uri);

#endif
