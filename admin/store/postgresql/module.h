#ifndef PORTCULLIS_POSTGRESQL_MODULE_H
#define PORTCULLIS_POSTGRESQL_MODULE_H

#include "admin/store/store-module.h"

/* A store that is not connected yet. */
struct store *postgresql_allocate(const char *uri, enum store_access access);

#endif
