/* Whatever the file of exemptions may hold, as the servers read it and as `portcullis
   exempt` takes it apart. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "admin/exemptions/exemption-file.h"
#include "admin/exemptions/shared-file.h"
#include "policy/grace.h"

/* What the servers make of it. */
static void look_at_user(const struct exemptions *exemptions, const char *user)
{
	const struct policy *policy = fuzz_policy();
	size_t count;
	const struct exemption *list = exemptions_of_user(exemptions, user, &count);

	require((list == NULL) == (count == 0));
	for (size_t i = 0; i < count; i++) {
		require(list[i].begin < list[i].end);
		require(list[i].rule < policy->rule_count);
		require(i == 0 || list[i - 1].line <= list[i].line);
		for (size_t j = 0; j < list[i].country_count; j++)
			require(country_code_exists(list[i].countries[j].code));
	}
}

/* Without all of its rules, no line is left, and without none of them, all is. */
static void take_rules_out(const char *rules, size_t length)
{
	char *none = exemption_rules_without(rules, length, fuzz_policy(), UINT64_MAX);
	char *all = exemption_rules_without(rules, length, fuzz_policy(), 0);

	require(strlen(all) <= length);
	require(strlen(none) <= strlen(all));
	g_free(none);
	g_free(all);
}

/* The user of a line that counts is one of those with exemptions. */
static size_t look_at_lines(const struct exemptions *exemptions, const GString *text)
{
	struct exemption_line parts;
	size_t position = 0, length, lines = 0;
	const char *line;

	while (exemption_file_next(text, &position, &line, &length)) {
		char user[USER_SIZE], *name;

		if (!exemption_line_split(line, length, &parts))
			continue;
		require(parts.user < parts.user_end && parts.user_end < parts.rules);
		require(parts.rules < parts.rules_end && parts.rules_end < parts.dates);
		require(parts.dates < parts.dates_end && parts.dates_end <= parts.comment);
		require(parts.comment <= parts.end && parts.end <= length);
		lines++;
		name = g_strndup(line + parts.user, parts.user_end - parts.user);
		if (user_normalise(name, fuzz_policy()->default_domain, user, sizeof(user)))
			look_at_user(exemptions, user);
		g_free(name);
		take_rules_out(line + parts.rules, parts.rules_end - parts.rules);
	}
	return lines;
}

/* The same bytes as the file of who is given grace: within what the policy gives. */
static void look_at_grace(const uint8_t *data, size_t size, struct fuzz_reports *errors)
{
	const struct policy *policy = fuzz_policy();
	char *text = g_strndup((const char *)data, size), user[USER_SIZE];
	struct exemptions *grace;
	const struct exemption *list;
	size_t count;

	memcpy(text, data, size);
	user_normalise("alice", policy->default_domain, user, sizeof(user));
	grace = grace_load_text(errors->file, text, size, policy, fuzz_report, errors);
	require(grace != NULL);
	list = exemptions_of_user(grace, user, &count);
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &policy->rules[list[i].rule];

		require(rule->grace > 0 && list[i].country_count == 0);
		require(list[i].begin == rule->schedule.enforce && list[i].begin < list[i].end);
		require(list[i].end <= grace_end_max(rule));
	}
	exemptions_free(grace);
	g_free(text);
}

/* What the store has, written for servers, is what they read from it. */
static void look_at_written(const struct store_shared *shared)
{
	GString *text = shared_file_text(shared);
	struct shared_head head;

	require(shared_head_read(text->str, text->len, &head));
	require(head.is_intact && head.version == shared->version);
	require(text->len - head.length == shared->length);
	g_string_free(text, TRUE);
}

/* How many lines let somebody off. */
static size_t count_lines(const char *text, size_t length, struct fuzz_reports *errors)
{
	char *copy = g_malloc0(length + 1); /* it is cut up */
	struct exemptions *exemptions;
	size_t count;

	memcpy(copy, text, length);
	exemptions = exemptions_load_text(errors->file, copy, length, fuzz_policy(), fuzz_report,
					  errors);
	require(exemptions != NULL);
	count = exemptions_count(exemptions);
	exemptions_free(exemptions);
	g_free(copy);
	return count;
}

/* The same bytes as the file that a host had before: in the store, they let off the same people,
   without a wrong line, and a second time there is nothing to be added. */
static void look_at_taking(const GString *own)
{
	struct store_shared shared = {.text = (char *)""};
	struct fuzz_reports before = {.file = "exemptions"}, after = before;
	size_t added;
	GString *merged = shared_file_merge(&shared, own->str, own->len, fuzz_policy(), &added);

	if (merged == NULL)
		return;
	shared = (struct store_shared){.version = 7, .text = merged->str, .length = merged->len};
	look_at_written(&shared);
	require(shared_file_merge(&shared, own->str, own->len, fuzz_policy(), &added) == NULL);
	require(count_lines(merged->str, merged->len, &after) ==
		count_lines(own->str, own->len, &before));
	require(after.count == 0);
	g_string_free(merged, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_reports errors = {.file = fuzz_file(data, size)};
	struct exemptions *exemptions =
		exemptions_load(errors.file, fuzz_policy(), fuzz_report, &errors);
	GString *text = g_string_new_len((const char *)data, (gssize)size);

	require(exemptions != NULL);
	/* What the servers count, the tool sees. */
	require(exemptions_count(exemptions) <= look_at_lines(exemptions, text));
	look_at_user(exemptions, "nobody@example.org");
	look_at_grace(data, size, &errors);
	look_at_taking(text);
	g_string_free(text, TRUE);
	exemptions_free(exemptions);
	return 0;
}
