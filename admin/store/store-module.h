#ifndef PORTCULLIS_STORE_MODULE_H
#define PORTCULLIS_STORE_MODULE_H

#include "store-admin.h"

/* A kind of store, as store.c finds it by the URI. One whose library not everybody needs is a
   shared object of its own, which is loaded when a URI asks for it, and stays. It uses functions
   of this room: those that store-module.symbols names, which programs export. */
struct store_module {
	const char *version; /* of Portcullis: it must be the program's */
	struct store *(*open_store)(const char *uri, const char *host, enum store_access access,
				    struct store_failure *failure_r);
	bool (*create)(const char *uri, struct store_failure *failure_r);
	bool (*upgrade)(const char *uri, struct store_failure *failure_r);
	bool (*check)(const char *uri, struct store_check *check_r, store_find *find, void *context,
		      struct store_failure *failure_r);
	void (*review)(const char *uri, store_find *find, void *context); /* NULL: no need to */
	/* NULL where there are no files. */
	void (*keep_from_writers)(const char *uri, const char *directory);
};

extern const struct store_module store_sqlite_module;

/* A shared object has its own under this name. */
#define STORE_MODULE_SYMBOL "portcullis_store_module"

/* That of store-postgresql.so. NULL, with *failure_r set, when it is missing or is of another
   version. uri: named in the failure. */
const struct store_module *store_module_postgresql(const char *uri,
						   struct store_failure *failure_r);

#endif
