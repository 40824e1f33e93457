#ifndef PORTCULLIS_POSTGRESQL_MODULE_H
#define PORTCULLIS_POSTGRESQL_MODULE_H

#include "admin/store/store-module.h"

/* A store that is not connected yet. host: as for store_open(). */
struct store *postgresql_allocate(const char *uri, const char *host, enum store_access access);

#endif
