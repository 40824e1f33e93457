#include "rule-titles.h"

#include <glib.h>
#include <string.h>

char *rule_titles_format(const struct policy *policy, uint64_t rules)
{
	GString *titles = g_string_new(NULL);

	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((rules >> i & 1) != 0)
			g_string_append_printf(titles, "%s%s", titles->len == 0 ? "" : ",",
					       policy->rules[i].title);
	}
	return g_string_free(titles, FALSE);
}

uint64_t rule_titles_parse(const struct policy *policy, const char *titles)
{
	uint64_t rules = 0;
	char **list = g_strsplit(titles, ",", -1);

	for (char **title = list; *title != NULL; title++) {
		const struct rule *rule = policy_rule(policy, *title);

		if (rule != NULL)
			rules |= UINT64_C(1) << rule->index;
	}
	g_strfreev(list);
	return rules;
}

char *rule_dates_format(const struct policy *policy, uint64_t rules, const time_t *dates)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((rules >> i & 1) == 0)
			continue;
		g_string_append(text, text->len == 0 ? "" : ",");
		if (dates[i] == SCHEDULE_NEVER)
			g_string_append(text, "never");
		else
			g_string_append_printf(text, "%" G_GINT64_FORMAT, (gint64)dates[i]);
	}
	return g_string_free(text, FALSE);
}

static time_t date_of(const char *text)
{
	gint64 seconds;

	if (strcmp(text, "never") == 0)
		return SCHEDULE_NEVER;
	return g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64 - 1, &seconds, NULL)
		       ? (time_t)seconds
		       : 0;
}

void rule_dates_parse(const struct policy *policy, const char *titles, const char *dates,
		      time_t dates_r[static RULES_MAX])
{
	char **title_list = g_strsplit(titles, ",", -1), **date_list = g_strsplit(dates, ",", -1);

	for (size_t i = 0; title_list[i] != NULL && date_list[i] != NULL; i++) {
		const struct rule *rule = policy_rule(policy, title_list[i]);

		if (rule != NULL)
			dates_r[rule->index] = date_of(date_list[i]);
	}
	g_strfreev(title_list);
	g_strfreev(date_list);
}
