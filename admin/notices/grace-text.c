#include "grace-text.h"

#include "admin/exemptions/exemption-line.h"
#include "admin/terminal/display.h"
#include "notice-grace.h"
#include "policy/grace.h"

struct search {
	const struct policy *policy;
	time_t now;
	GString *text;
};

static void add_line(struct search *search, const struct notice_candidate *candidate,
		     const struct rule *rule)
{
	const struct notice_grace grace = notice_grace_find(&candidate->person, rule);
	char last_day[ISO_DAY_TEXT_SIZE], told[ISO_DAY_TEXT_SIZE];

	if (grace.end <= search->now || grace.end <= rule->schedule.enforce)
		return;
	g_string_append_printf(search->text, "%s %s %s # ", candidate->user, rule->title,
			       iso_day_format(grace.end - 1, last_day));
	if (grace.told == SCHEDULE_ALWAYS)
		g_string_append(search->text, "not told yet\n");
	else
		g_string_append_printf(search->text, "first told on %s\n",
				       iso_day_format(grace.told, told));
}

static bool add_lines(void *context, const struct notice_candidate *candidate)
{
	struct search *search = context;

	if (!exemption_user_is_writable(candidate->user))
		return true;
	for (size_t i = 0; i < search->policy->rule_count; i++)
		add_line(search, candidate, &search->policy->rules[i]);
	return true;
}

/* Whether somebody may have it, so that everybody has to be looked at. */
static bool is_the_time(const struct policy *policy, time_t now)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->grace > 0 && now > rule->schedule.enforce - rule->grace &&
		    now < grace_end_max(rule))
			return true;
	}
	return false;
}

static bool look_at_all(struct search *search, struct notice_people *people, struct store *store)
{
	if (!notice_people_begin(people, store))
		return false;
	if (notice_people_each(people, NULL, search->now, add_lines, search))
		return store_commit(store);
	store_rollback(store);
	return false;
}

GString *grace_text_find(const struct policy *policy, struct notice_people *people,
			 struct store *store, time_t now)
{
	struct search search = {.policy = policy, .now = now, .text = g_string_new(GRACE_HEADING)};

	if (!is_the_time(policy, now) || look_at_all(&search, people, store))
		return search.text;
	g_string_free(search.text, TRUE);
	return NULL;
}
