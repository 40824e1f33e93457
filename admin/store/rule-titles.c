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

/* The next word of a list, and its length; NULL behind the last. Lists of notices are read for
   millions of people: nothing is allocated. */
static const char *next_word(const char **list, size_t *length_r)
{
	const char *word = *list;

	if (word == NULL)
		return NULL;
	*length_r = strcspn(word, ",");
	*list = word[*length_r] == '\0' ? NULL : word + *length_r + 1;
	return word;
}

/* NULL: there is no such rule any more. */
static const struct rule *rule_of(const struct policy *policy, const char *word, size_t length)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const char *title = policy->rules[i].title;

		if (strncmp(title, word, length) == 0 && title[length] == '\0')
			return &policy->rules[i];
	}
	return NULL;
}

uint64_t rule_titles_parse(const struct policy *policy, const char *titles)
{
	uint64_t rules = 0;
	const char *word;
	size_t length;

	while ((word = next_word(&titles, &length)) != NULL) {
		const struct rule *rule = rule_of(policy, word, length);

		if (rule != NULL)
			rules |= UINT64_C(1) << rule->index;
	}
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

static time_t date_of(const char *word, size_t length)
{
	gint64 seconds;
	char *end;

	if (length == strlen("never") && strncmp(word, "never", length) == 0)
		return SCHEDULE_NEVER;
	seconds = g_ascii_strtoll(word, &end, 10);
	return end == word + length && seconds < G_MAXINT64 ? (time_t)seconds : 0;
}

void rule_dates_parse(const struct policy *policy, const char *titles, const char *dates,
		      time_t dates_r[static RULES_MAX])
{
	const char *title, *date;
	size_t title_length, date_length;

	while ((title = next_word(&titles, &title_length)) != NULL &&
	       (date = next_word(&dates, &date_length)) != NULL) {
		const struct rule *rule = rule_of(policy, title, title_length);

		if (rule != NULL)
			dates_r[rule->index] = date_of(date, date_length);
	}
}
