#include "store-notices.h"

#include <string.h>

static const char *const reason_names[NOTICE_REASON_COUNT] = {
	[NOTICE_FIRST] = "first", [NOTICE_REMINDER] = "reminder",  [NOTICE_LAST_CALL] = "last-call",
	[NOTICE_MOVED] = "moved", [NOTICE_BROWNOUT] = "brown-out", [NOTICE_REFUSED] = "refused",
	[NOTICE_FIXED] = "fixed",
};

const char *notice_reason_name(enum notice_reason reason)
{
	return reason_names[reason];
}

bool notice_reason_from_name(const char *name, enum notice_reason *reason_r)
{
	for (unsigned int reason = 0; reason < NOTICE_REASON_COUNT; reason++) {
		if (strcmp(name, reason_names[reason]) == 0) {
			*reason_r = reason;
			return true;
		}
	}
	return false;
}

static const char *const state_names[NOTICE_STATE_COUNT] = {
	[NOTICE_INTENDED] = "intended",
	[NOTICE_HANDED_OVER] = "handed-over",
	[NOTICE_FAILED] = "failed",
	[NOTICE_NOTED] = "noted",
};

const char *notice_state_name(enum notice_state state)
{
	return state_names[state];
}

int64_t store_notice_time(const struct store_notice *notice)
{
	return notice->settled == 0 ? notice->intended : notice->settled;
}

bool store_notice_is_ahead(const struct store_notice *notice, int64_t now)
{
	return notice->settled > now + MILLISECONDS_A_DAY;
}
