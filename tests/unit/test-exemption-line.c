#include "unit.h"

#include <string.h>

#include "admin/exemptions/exemption-line.h"

static struct rule rules[] = {
	{.title = (char *)"encryption", .kind = KIND_ENCRYPTION, .index = 0},
	{.title = (char *)"mechanism", .kind = KIND_MECHANISM, .index = 1},
	{.title = (char *)"abroad", .kind = KIND_COUNTRY, .index = 2},
};
static const struct policy policy = {.rules = rules, .rule_count = COUNT(rules)};

#define ENCRYPTION 1u
#define MECHANISM 2u
#define ABROAD 4u

/* ---- lines ---- */

static void check_split(const char *text, const char *user, const char *dates, const char *comment)
{
	struct exemption_line line;
	char *part;

	assert_true(exemption_line_split(text, strlen(text), &line));
	part = g_strndup(text + line.user, line.user_end - line.user);
	assert_string_equal(part, user);
	g_free(part);
	part = g_strndup(text + line.dates, line.dates_end - line.dates);
	assert_string_equal(part, dates);
	g_free(part);
	part = g_strndup(text + line.comment, line.end - line.comment);
	assert_string_equal(part, comment);
	g_free(part);
}

static void test_split(void **state)
{
	struct exemption_line line;
	(void)state;

	check_split("alice encryption 2025-01-31", "alice", "2025-01-31", "");
	check_split("\talice \t encryption  ..2025-01-31  # why # so", "alice", "..2025-01-31",
		    "why # so");
	check_split("a#b encryption 2025-01-31 #\r", "a#b", "2025-01-31", "");
	assert_false(exemption_line_split("", 0, &line));
	assert_false(exemption_line_split("  \t", 3, &line));
	assert_false(exemption_line_split("# alice encryption 2025-01-31", 29, &line));
	assert_false(exemption_line_split("alice encryption # 2025-01-31", 29, &line));
	assert_false(exemption_line_split("alice encryption", 16, &line));
}

static void check_without(const char *text, uint64_t without, const char *left)
{
	char *found = exemption_rules_without(text, strlen(text), &policy, without);

	assert_string_equal(found, left);
	g_free(found);
}

static void test_rules_without(void **state)
{
	(void)state;
	check_without("encryption,mechanism", ENCRYPTION, "mechanism");
	check_without("encryption,mechanism", MECHANISM, "encryption");
	check_without("encryption,mechanism", ABROAD, "encryption,mechanism");
	check_without("encryption", UINT64_MAX, "");
	/* Countries go with their rule. */
	check_without("abroad=US,CA,encryption", ABROAD, "encryption");
	check_without("abroad=US,CA,encryption", ENCRYPTION, "abroad=US,CA");
	check_without("mechanism,abroad=US,CA", MECHANISM, "abroad=US,CA");
}

/* ---- wishes ---- */

static void check_wish(const char *asked, const char *countries, const char *read)
{
	struct exemption_wish wish;
	GString *line = g_string_new(NULL);
	char *error = NULL;

	assert_true(
		exemption_wish_read(&wish, &policy, asked, countries, NULL, "2025-01-31", &error));
	exemption_line_append(line, "alice", &wish, "why");
	assert_string_equal(line->str, read);
	exemption_wish_free(&wish);
	g_string_free(line, TRUE);
}

static void test_wish(void **state)
{
	(void)state;
	check_wish("encryption", NULL, "alice  encryption  2025-01-31  # why\n");
	check_wish("encryption,abroad", "US,CA",
		   "alice  encryption,abroad=US,CA  2025-01-31  # why\n");
	check_wish("abroad=US,CA,mechanism", "JP",
		   "alice  abroad=US,CA,JP,mechanism  2025-01-31  # why\n");
}

static void check_refused(const char *asked, const char *countries, const char *first,
			  const char *last, const char *why)
{
	struct exemption_wish wish;
	char *error = NULL;

	assert_false(exemption_wish_read(&wish, &policy, asked, countries, first, last, &error));
	assert_string_equal(error, why);
	g_free(error);
	exemption_wish_free(&wish);
}

static void test_refused_wish(void **state)
{
	(void)state;
	check_refused("US", NULL, NULL, "2025-01-31", "no rule is called 'US'");
	check_refused("encryption,US", NULL, NULL, "2025-01-31", "no rule is called 'US'");
	check_refused("abroad=XX", NULL, NULL, "2025-01-31", "ISO 3166-1 has no country 'XX'");
	check_refused("encryption=US", NULL, NULL, "2025-01-31",
		      "'encryption' takes no countries, because it is a rule of kind encryption");
	check_refused("encryption", "US", NULL, "2025-01-31",
		      "no rule in RULES is a country rule, so --country does not apply");
	check_refused("encryption", NULL, "2025-02-01", "2025-01-31", "--until is before --from");
	check_refused("", NULL, NULL, "2025-01-31", "RULES is empty");
	check_refused("abroad", "", NULL, "2025-01-31", "--country is empty");
}

static bool granted(const char *asked, const char *first, const char *last,
		    const struct exemption *held, const char *now)
{
	struct exemption_wish wish;
	const char *date_error;
	char *error;
	time_t moment;
	bool result;

	assert_true(exemption_wish_read(&wish, &policy, asked, NULL, first, last, &error));
	assert_true(date_parse(now, &moment, &date_error));
	result = exemption_wish_is_granted(&wish, held, 1, moment);
	exemption_wish_free(&wish);
	return result;
}

static void test_granted(void **state)
{
	static const struct country states[] = {{"US"}, {"CA"}};
	struct exemption held = {.rule = 0};
	const char *error;
	time_t ignored;
	(void)state;

	assert_true(date_parse_day("2025-01-01", &held.begin, &ignored, &error));
	assert_true(date_parse_day("2025-01-31", &ignored, &held.end, &error));
	assert_true(granted("encryption", NULL, "2025-01-31", &held, "2025-01-10"));
	assert_false(granted("encryption", NULL, "2025-02-01", &held, "2025-01-10"));
	assert_false(granted("encryption", NULL, "2025-01-31", &held, "2024-12-31"));
	assert_true(granted("encryption", "2025-01-01", "2025-01-31", &held, "2024-12-31"));
	assert_false(granted("encryption,mechanism", NULL, "2025-01-31", &held, "2025-01-10"));
	held.rule = 2;
	assert_true(granted("abroad=US", NULL, "2025-01-31", &held, "2025-01-10"));
	held.countries = states;
	held.country_count = COUNT(states);
	assert_true(granted("abroad=CA,US", NULL, "2025-01-31", &held, "2025-01-10"));
	assert_false(granted("abroad=US,JP", NULL, "2025-01-31", &held, "2025-01-10"));
	assert_false(granted("abroad", NULL, "2025-01-31", &held, "2025-01-10"));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(exemption_user_is_writable("alice@example.org"));
	assert_true(exemption_user_is_writable("m\xc3\xbcller"));
	assert_true(exemption_user_is_writable("a#b"));
	assert_false(exemption_user_is_writable(""));
	assert_false(exemption_user_is_writable("#a"));
	assert_false(exemption_user_is_writable("a b"));
	assert_false(exemption_user_is_writable("\xef\xbb\xbf"
						"a"));
	assert_false(exemption_user_is_writable("a\tb"));
	assert_false(exemption_user_is_writable("a\nb"));
	assert_false(exemption_user_is_writable("a\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),   cmocka_unit_test(test_rules_without),
		cmocka_unit_test(test_wish),    cmocka_unit_test(test_refused_wish),
		cmocka_unit_test(test_granted), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
