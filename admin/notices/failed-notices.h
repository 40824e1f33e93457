#ifndef PORTCULLIS_FAILED_NOTICES_H
#define PORTCULLIS_FAILED_NOTICES_H

#include <glib.h>

#include "admin/store/store-notices.h"

/* Whose last mail failed, of those that are not ahead of now (milliseconds since 1970): the
   names of the users, each with the id of that notice as an int64_t. user: as in
   store_each_notice(). The caller frees the table with g_hash_table_unref(). NULL when the
   store fails. */
GHashTable *failed_notices_find(struct store *store, const char *user, int64_t now);

#endif
