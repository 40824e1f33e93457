#ifndef PORTCULLIS_STORE_SQLITE_OPEN_H
#define PORTCULLIS_STORE_SQLITE_OPEN_H

#include "store-admin.h"

/* As store_open(), for the SQLite store in the file path. */
struct store *store_sqlite_open(const char *path, enum store_access access,
				struct store_failure *failure_r);

/* As store_check(). */
bool store_sqlite_check(const char *path, struct store_check *check_r,
			struct store_failure *failure_r);

/* As store_keep_from_writers(). */
void store_sqlite_keep_from_writers(const char *path, const char *directory);

#endif
