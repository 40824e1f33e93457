#ifndef PORTCULLIS_SQLITE_MIGRATIONS_H
#define PORTCULLIS_SQLITE_MIGRATIONS_H

#include <stdint.h>

/* Each brings a store from the version before it to its own. Never change one that was released:
   add another. */
extern const char *const store_sqlite_migrations[];

/* How many there are: the version of a store that is up to date. */
extern const int64_t store_sqlite_version;

#endif
