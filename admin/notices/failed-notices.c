#include "failed-notices.h"

struct finding {
	GHashTable *failed;
	int64_t now;
};

static bool note(void *context, const struct store_notice *notice)
{
	const struct finding *finding = context;

	if (store_notice_is_ahead(notice, finding->now))
		return true;
	if (notice->state == NOTICE_FAILED)
		g_hash_table_insert(finding->failed, g_strdup(notice->user),
				    g_memdup2(&notice->id, sizeof(notice->id)));
	else if (notice->state == NOTICE_HANDED_OVER)
		g_hash_table_remove(finding->failed, notice->user);
	return true;
}

GHashTable *failed_notices_find(struct store *store, const char *user, int64_t now)
{
	struct finding finding = {
		.failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.now = now,
	};

	if (store_each_notice(store, user, note, &finding))
		return finding.failed;
	g_hash_table_unref(finding.failed);
	return NULL;
}
