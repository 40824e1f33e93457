#include "notice-brownouts.h"

const struct notice_rule *next_brownout_rule(const struct notice *notice)
{
	const struct notice_rule *next = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (rule->brownout.end > notice->date &&
		    (next == NULL || rule->brownout.begin < next->brownout.begin))
			next = rule;
	}
	return next;
}

/* Whether a brown-out of a rule's is yet to come or to end, and begins on the day of a
   moment. In another phase than notify there is none. */
static bool is_on_day(const struct rule *rule, const struct brownout *brownout, time_t day,
		      time_t now)
{
	return schedule_brownout(&rule->schedule, brownout->begin) != NULL && brownout->end > now &&
	       date_midnight(brownout->begin, 0) == date_midnight(day, 0);
}

bool has_brownout_on_day(const struct notice_rule *rule, time_t day, time_t now)
{
	const struct schedule *schedule = &rule->rule->schedule;

	/* Whoever is let off a rule has none of it. */
	if (rule->brownout.end <= now)
		return false;
	for (size_t i = 0; i < schedule->brownout_count; i++) {
		if (is_on_day(rule->rule, &schedule->brownouts[i], day, now))
			return true;
	}
	return false;
}

static bool is_known(const GArray *brownouts, const struct brownout *brownout)
{
	for (guint i = 0; i < brownouts->len; i++) {
		const struct brownout *other = &g_array_index(brownouts, struct brownout, i);

		if (other->begin == brownout->begin && other->end == brownout->end)
			return true;
	}
	return false;
}

static void add_brownouts(GArray *brownouts, const struct rule *rule, time_t day, time_t now)
{
	for (size_t i = 0; i < rule->schedule.brownout_count; i++) {
		const struct brownout *brownout = &rule->schedule.brownouts[i];

		if (is_on_day(rule, brownout, day, now) && !is_known(brownouts, brownout))
			g_array_append_vals(brownouts, brownout, 1);
	}
}

static gint compare_begin(gconstpointer a, gconstpointer b)
{
	const struct brownout *first = a, *second = b;

	return (first->begin > second->begin) - (first->begin < second->begin);
}

void brownouts_of_next_day(GArray *brownouts, const struct notice *notice)
{
	const struct notice_rule *next = next_brownout_rule(notice);

	g_array_set_size(brownouts, 0);
	if (next == NULL)
		return;
	for (size_t i = 0; i < notice->rule_count; i++) {
		if (has_brownout_on_day(&notice->rules[i], next->brownout.begin, notice->date))
			add_brownouts(brownouts, notice->rules[i].rule, next->brownout.begin,
				      notice->date);
	}
	g_array_sort(brownouts, compare_begin);
}

const char *brownout_hours(struct notice_values *values, const GArray *brownouts)
{
	GPtrArray *list = g_ptr_array_new();
	const char *hours = "";

	for (guint i = 0; i < brownouts->len && hours != NULL; i++) {
		hours = notice_value_hours(values, &g_array_index(brownouts, struct brownout, i));
		g_ptr_array_add(list, (gpointer)hours);
	}
	if (hours != NULL)
		hours = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return hours;
}
