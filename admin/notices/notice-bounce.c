#include "notice-bounce.h"

#include <glib.h>

#include "admin/delivery/bounce-report.h"
#include "admin/sightings/harmless-text.h"

#define USER_CHARACTERS 80

struct search {
	int64_t id; /* 0: none */
	enum notice_state state;
	char *user;
};

static bool take(void *context, const struct store_notice *notice)
{
	struct search *search = context;

	search->id = notice->id;
	search->state = notice->state;
	search->user = harmless_text(notice->user, USER_CHARACTERS);
	return false;
}

/* Between store_begin() and store_commit(). */
static enum notice_bounce mark(struct store *store, const struct bounce_report *report, int64_t now,
			       struct search *search)
{
	if (!store_find_notice(store, report->message_id, take, search))
		return NOTICE_BOUNCE_STORE_FAILED;
	if (search->id == 0)
		return NOTICE_BOUNCE_UNKNOWN;
	if (search->state != NOTICE_INTENDED && search->state != NOTICE_HANDED_OVER)
		return NOTICE_BOUNCE_OVER;
	return store_fail_notice(store, search->id, now, report->error)
		       ? NOTICE_BOUNCE_MARKED
		       : NOTICE_BOUNCE_STORE_FAILED;
}

static enum notice_bounce mark_in_store(struct store *store, const struct bounce_report *report,
					int64_t now, struct search *search)
{
	enum notice_bounce bounce;

	if (!store_begin(store))
		return NOTICE_BOUNCE_STORE_FAILED;
	bounce = mark(store, report, now, search);
	if (bounce != NOTICE_BOUNCE_MARKED)
		store_rollback(store);
	else if (!store_commit(store))
		bounce = NOTICE_BOUNCE_STORE_FAILED;
	return bounce;
}

static char *describe(enum notice_bounce bounce, const struct bounce_report *report,
		      const struct search *search)
{
	switch (bounce) {
	case NOTICE_BOUNCE_MARKED:
		return g_strdup_printf("%s was not told: %s", search->user, report->error);
	case NOTICE_BOUNCE_NO_REPORT:
		return g_strdup("no report about a mail; nothing is done");
	case NOTICE_BOUNCE_NOT_FINAL:
		return g_strdup("a report that nothing has failed for good; nothing is done");
	case NOTICE_BOUNCE_UNKNOWN:
		return g_strdup("a report about no notice that is known; nothing is done");
	case NOTICE_BOUNCE_OVER:
		return g_strdup("a report about a notice that is settled; nothing is done");
	case NOTICE_BOUNCE_STORE_FAILED:
		break;
	}
	return g_strdup("the store failed");
}

enum notice_bounce notice_bounce(struct store *store, const char *mail, size_t length, int64_t now,
				 char **text_r)
{
	struct search search = {0};
	struct bounce_report report;
	enum notice_bounce bounce = NOTICE_BOUNCE_NO_REPORT;

	if (bounce_report_read(mail, length, &report))
		bounce = !report.failed ? NOTICE_BOUNCE_NOT_FINAL
			 : report.message_id[0] == '\0'
				 ? NOTICE_BOUNCE_UNKNOWN
				 : mark_in_store(store, &report, now, &search);
	*text_r = describe(bounce, &report, &search);
	g_free(search.user);
	return bounce;
}
