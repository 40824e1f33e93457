#ifndef PORTCULLIS_POSTGRESQL_CHECK_H
#define PORTCULLIS_POSTGRESQL_CHECK_H

#include "admin/store/store-admin.h"

/* As store_check(). */
bool postgresql_check(const char *uri, struct store_check *check_r, store_find *find, void *context,
		      struct store_failure *failure_r);

#endif
