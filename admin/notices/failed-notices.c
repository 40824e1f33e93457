#include "failed-notices.h"

static bool note(void *context, const struct store_notice *notice)
{
	GHashTable *failed = context;

	if (notice->state == NOTICE_FAILED)
		g_hash_table_insert(failed, g_strdup(notice->user),
				    g_memdup2(&notice->id, sizeof(notice->id)));
	else if (notice->state == NOTICE_HANDED_OVER)
		g_hash_table_remove(failed, notice->user);
	return true;
}

GHashTable *failed_notices_find(struct store *store, const char *user)
{
	GHashTable *failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	if (store_each_notice(store, user, note, failed))
		return failed;
	g_hash_table_unref(failed);
	return NULL;
}
