#include "notice-output.h"

#include <glib.h>

static int64_t time_of(const struct store_notice *notice)
{
	return notice->settled == 0 ? notice->intended : notice->settled;
}

const char *notice_time(const struct store_notice *notice, char text_r[static DATE_TEXT_SIZE])
{
	date_format((time_t)(time_of(notice) / 1000), text_r);
	return text_r;
}

json_t *notice_rules_json(const char *titles)
{
	json_t *rules = json_array();
	char **list = g_strsplit(titles, ",", -1);

	for (char **title = list; *title != NULL; title++)
		json_array_append_new(rules, json_string(*title));
	g_strfreev(list);
	return rules;
}

json_t *notice_json(const struct store_notice *notice)
{
	char time[UTC_TEXT_SIZE];

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:s, s:s, s:i, s:s, s:s}", "user", notice->user, "recipient",
		notice->recipient, "reason", notice_reason_name(notice->reason), "rules",
		notice_rules_json(notice->rules), "state", notice_state_name(notice->state), "time",
		utc_format(time_of(notice), time), "attempts", (int)notice->attempts, "message_id",
		notice->message_id, "error", notice->error);
}
