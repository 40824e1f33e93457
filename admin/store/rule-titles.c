#include "rule-titles.h"

#include <glib.h>

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
