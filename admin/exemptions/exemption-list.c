#include "exemption-list.h"

#include <string.h>

#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/table.h"

struct listing {
	const struct policy *policy;
	const char *only; /* NULL: all users */
	time_t at;
	struct table *table;
	struct json_array_printer *json;
};

static const char *state_name(const struct exemption *exemption, time_t at)
{
	if (at >= exemption->end)
		return "over";
	return at < exemption->begin ? "to come" : "holds";
}

static void list_line(const struct listing *listing, const char *user, const char *rules,
		      const char *reason, const struct exemption *exemption)
{
	const char *state = state_name(exemption, listing->at);
	char from[ISO_DAY_TEXT_SIZE] = "", until[ISO_DAY_TEXT_SIZE];

	if (exemption->begin != SCHEDULE_ALWAYS)
		iso_day_format(exemption->begin, from);
	iso_day_format(exemption->end - 1, until);
	if (listing->json != NULL) {
		json_array_element(listing->json,
				   json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:i}", "user", user,
					     "rules", rules, "from", from[0] == '\0' ? NULL : from,
					     "until", until, "state", state, "reason", reason,
					     "line", (int)exemption->line));
	} else {
		const char *const cells[] = {user, rules, from, until, state, reason};

		table_add(listing->table, cells);
	}
}

/* The first exemption that a line of the file gives a user; NULL for a wrong line. */
static const struct exemption *find_exemption(const struct exemptions *exemptions, const char *user,
					      unsigned int line)
{
	size_t count;
	const struct exemption *list = exemptions_of_user(exemptions, user, &count);

	for (size_t i = 0; i < count; i++) {
		if (list[i].line == line)
			return &list[i];
	}
	return NULL;
}

static void list_all(const struct listing *listing, const struct exemption_file *file)
{
	size_t position = 0, length;
	unsigned int number = 0;
	const char *line;

	while (exemption_file_next(file->text, &position, &line, &length)) {
		const struct exemption *exemption = NULL;
		struct exemption_line parts;
		char user[USER_SIZE];
		char *name, *rules, *reason;

		number++;
		if (!exemption_line_split(line, length, &parts))
			continue;
		name = g_strndup(line + parts.user, parts.user_end - parts.user);
		if (user_normalise(name, listing->policy->default_domain, user, sizeof(user)) &&
		    (listing->only == NULL || strcmp(listing->only, user) == 0))
			exemption = find_exemption(file->before, user, number);
		g_free(name);
		if (exemption == NULL)
			continue;
		rules = g_strndup(line + parts.rules, parts.rules_end - parts.rules);
		reason = g_strndup(line + parts.comment, parts.end - parts.comment);
		list_line(listing, user, rules, reason, exemption);
		g_free(rules);
		g_free(reason);
	}
}

void exemption_list_print(const struct exemption_file *file, const char *only, time_t at, bool json)
{
	static const struct table_column columns[] = {
		{"USER", COLUMN_SHRINKS}, {"RULES", COLUMN_SHRINKS},
		{"FROM", COLUMN_TEXT},    {"UNTIL", COLUMN_TEXT},
		{"", COLUMN_TEXT},        {"REASON", COLUMN_SHRINKS_FIRST},
	};
	struct json_array_printer printer;
	struct listing listing = {.policy = file->policy, .at = at};
	char user[USER_SIZE];

	if (only != NULL) {
		user_normalise(only, file->policy->default_domain, user, sizeof(user));
		listing.only = user;
	}
	if (json) {
		listing.json = &printer;
		json_array_begin(&printer);
		list_all(&listing, file);
		json_array_end(&printer);
		return;
	}
	listing.table = table_create(columns, G_N_ELEMENTS(columns));
	list_all(&listing, file);
	table_print(listing.table);
	table_free(listing.table);
}
