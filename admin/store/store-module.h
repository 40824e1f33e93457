#ifndef PORTCULLIS_STORE_MODULE_H
#define PORTCULLIS_STORE_MODULE_H

#include "store-admin.h"

/* A kind of store in a shared object of its own, so that only who uses it needs the library
   behind it. It is loaded when a URI asks for it, and stays. It uses functions of the program
   that loads it: those that STORE_MODULE_API marks, which the linker exports by
   store-module.symbols. */
struct store_module {
	const char *version; /* of Portcullis: it must be the program's */
	struct store *(*open_store)(const char *uri, enum store_access access,
				    struct store_failure *failure_r);
	bool (*create)(const char *uri, struct store_failure *failure_r);
	bool (*upgrade)(const char *uri, struct store_failure *failure_r);
	bool (*check)(const char *uri, struct store_check *check_r,
		      struct store_failure *failure_r);
};

/* Each has its own under this name. */
#define STORE_MODULE_SYMBOL "portcullis_store_module"

/* That of store-postgresql.so. NULL, with *failure_r set, when it is missing or is of another
   version. uri: named in the failure. */
const struct store_module *store_module_postgresql(const char *uri,
						   struct store_failure *failure_r);

#endif
