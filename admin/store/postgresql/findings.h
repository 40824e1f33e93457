#ifndef PORTCULLIS_POSTGRESQL_FINDINGS_H
#define PORTCULLIS_POSTGRESQL_FINDINGS_H

#include "admin/store/store-admin.h"
#include "postgresql.h"

/* Tells what the store falls short of, whose tables are of that version. False when it cannot
   be asked. */
bool postgresql_find(struct store *store, int64_t version, store_find *find, void *context);

#endif
