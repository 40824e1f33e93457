#include "notice-limits.h"

#include <inttypes.h>

#include "admin/notices/due-list.h"
#include "admin/terminal/display.h"

/* What leaves until a later date is a number that says nothing. */
#define DAYS_AHEAD 366

/* NULL: there is none so soon. */
static const struct rule *first_to_come(const struct policy *policy, time_t now)
{
	const struct rule *first = NULL;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		time_t enforce = rule->schedule.enforce;

		if (enforce > now && enforce <= date_midnight(now, DAYS_AHEAD) &&
		    (first == NULL || enforce < first->schedule.enforce))
			first = rule;
	}
	return first;
}

char *notice_limits_text(const struct policy *policy, time_t now)
{
	const struct notice_settings *settings = &policy->notices;
	const struct rule *first = first_to_come(policy, now);
	uint64_t limit = mail_limit_an_hour(settings);
	time_t begin = now;
	GString *text;
	char day[ISO_DAY_TEXT_SIZE];

	if (limit == 0)
		return NULL;
	text = g_string_new(NULL);
	g_string_printf(text, "at most %" PRIu64 " an hour, %" PRIu64 " a day", limit,
			limit * mail_hours(settings, date_midnight(now, 0), date_midnight(now, 1)));
	if (first == NULL)
		return g_string_free(text, FALSE);
	if (first->schedule.notify < first->schedule.enforce && first->schedule.notify > begin)
		begin = first->schedule.notify;
	g_string_append_printf(text, ", and %" PRIu64 " before %s is enforced on %s",
			       limit * mail_hours(settings, begin, first->schedule.enforce),
			       first->title, iso_day_format(first->schedule.enforce, day));
	return g_string_free(text, FALSE);
}

bool notice_limits_judge(const struct policy *policy, struct mail_demand *demand, time_t now,
			 char **text_r)
{
	struct mail_shortage shortage;
	bool enough = !mail_limits_fall_short(&policy->notices, demand, now, &shortage);

	*text_r = enough ? notice_limits_text(policy, now)
			 : mail_shortage_text(&policy->notices, &shortage);
	return enough;
}

bool notice_limits_find(const struct loaded_policy *loaded, struct store *store, time_t now,
			bool *enough_r, char **text_r)
{
	const struct edition edition = loaded_edition(loaded);
	struct notice_people *people = notice_people_create(&edition);
	struct due_list *list = due_list_read(people, store, now);
	bool found = list != NULL;

	if (found)
		*enough_r = notice_limits_judge(loaded->policy, due_list_demand(list), now, text_r);
	due_list_free(list);
	notice_people_free(people);
	return found;
}
