#include "unit.h"
#include "dates.h"
#include "directory.h"
#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/exemption-source.h"
#include "policy/grace.h"
#include "policy/judge.h"

static const char rules[] = "rule encryption { enforce = 2024-09-20 grace = 7d\n"
			    "    notify = 2024-09-01 brownouts = { \"2024-09-19 10:00 +4h\" } }\n"
			    "rule mechanism { enforce = 2024-09-20 }\n"
			    "rule country { allow = { DE } enforce = \"2024-10-01 06:00\" grace = "
			    "36h }\n";

static char path[64], other[64];
static struct valid_copies copies = {.directory = directory, .server = SOURCE_POSTFIX};
static struct policy *policy;
static struct exemption_source source;

static void restart(void)
{
	exemption_source_free(&source);
	source = (struct exemption_source){.copies = &copies, .of_grace = true};
}

static int set_up(void **state)
{
	char text[1024];

	setenv("TZ", "Europe/Berlin", 1);
	assert_int_equal(make_directory(state), 0);
	copies.user = geteuid();
	snprintf(path, sizeof(path), "%s/grace", directory);
	snprintf(other, sizeof(other), "%s/other", directory);
	snprintf(text, sizeof(text), "journal = %s\ncountry-database = /a.mmdb\n%s", directory,
		 rules);
	policy = config_load_text("/config", text, strlen(text), note, NULL, NULL);
	assert_non_null(policy);
	assert_string_equal(policy->grace_file, path);
	restart();
	said[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	char *copy = valid_copy_path(directory, copies.server, path);
	(void)state;

	exemption_source_free(&source);
	policy_free(policy);
	unlink(path);
	unlink(other);
	unlink(copy);
	free(copy);
	return rmdir(directory);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* ---- who has it, and until when ---- */

static void test_ends(void **state)
{
	static const struct {
		unsigned int rule;
		const char *first_seen, *told, *end;
	} cases[] = {
		/* There was a week, or more. */
		{0, "2024-09-12 12:00", "", ""},
		{0, "2024-09-13", "2024-09-19 10:00", ""},
		/* There was less: a week from the first notice, and to the end of that day. */
		{0, "2024-09-13 00:01", "2024-09-13 09:00", "2024-09-21"},
		{0, "2024-09-17 08:00", "2024-09-17 09:00", "2024-09-25"},
		{0, "2024-09-19 23:59", "2024-09-20 09:00", "2024-09-28"},
		{0, "2024-09-17 08:00", "2024-09-18", "2024-09-25"},
		/* Not told yet; or so late that nobody has it for so long. */
		{0, "2024-09-17 08:00", "", "2024-10-02"},
		{0, "2024-09-17 08:00", "2024-09-24 08:00", "2024-10-02"},
		{0, "2024-09-17 08:00", "2024-10-01 08:00", "2024-10-02"},
		/* Told of something that the store does not know any more. */
		{0, "2024-09-17 08:00", "2024-06-01 08:00", "2024-06-09"},
		/* Seen after the date only. */
		{0, "2024-09-20", "", ""},
		{0, "2024-09-21", "2024-09-21 01:00", ""},
		/* Given by this rule alone. */
		{1, "2024-09-19", "2024-09-19 01:00", ""},
		{2, "2024-09-29 18:00", "2024-09-29 18:00", ""},
		{2, "2024-09-29 18:01", "2024-09-29 19:00", "2024-10-02"},
		{2, "2024-10-01 05:59", "", "2024-10-05"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		time_t told = cases[i].told[0] == '\0' ? SCHEDULE_ALWAYS : date(cases[i].told);
		time_t end = cases[i].end[0] == '\0' ? 0 : date(cases[i].end);

		if (grace_end(&policy->rules[cases[i].rule], date(cases[i].first_seen), told) !=
		    end)
			fail_msg("case %zu", i);
	}
	assert_int_equal(grace_end_max(&policy->rules[0]), date("2024-10-04"));
	assert_int_equal(grace_end_max(&policy->rules[2]), date("2024-10-05"));
}

/* ---- the file ---- */

static struct exemptions *load(const char *text)
{
	char *copy = strdup(text);
	struct exemptions *grace = grace_load_text(path, copy, strlen(copy), policy, note, NULL);

	assert_non_null(grace);
	free(copy);
	return grace;
}

/* As text: "RULE BEGIN END;" for each. */
static void expect(const char *text, const char *user, const char *described)
{
	struct exemptions *grace = load(text);
	char found[512] = "";
	size_t count;
	const struct exemption *list = exemptions_of_user(grace, user, &count);

	for (size_t i = 0; i < count; i++) {
		char begin[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];

		date_format(list[i].begin, begin);
		date_format(list[i].end, end);
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s %s %s;",
			 policy->rules[list[i].rule].title, begin, end);
		assert_int_equal(list[i].country_count, 0);
	}
	assert_string_equal(found, described);
	exemptions_free(grace);
}

/* Whoever writes the file cannot let anybody off for longer than the policy says, nor before. */
static void test_bounds(void **state)
{
	(void)state;
	expect("a@b encryption 2024-09-26 # first told on 2024-09-19\n", "a@b",
	       "encryption 2024-09-20 00:00 2024-09-27 00:00;");
	expect("a@b encryption 2099-01-01\n", "a@b",
	       "encryption 2024-09-20 00:00 2024-10-04 00:00;");
	expect("a@b encryption 2024-01-01..2099-01-01\n", "a@b",
	       "encryption 2024-09-20 00:00 2024-10-04 00:00;");
	expect("a@b encryption 2024-09-19\n", "a@b", "");
	expect("a@b country 2024-10-01\n", "a@b", "country 2024-10-01 06:00 2024-10-02 00:00;");
	/* Of no rule that gives any, or of none at all: it may have been taken out. */
	expect("a@b mechanism,gone,encryption 2024-09-26\na@b gone 2024-09-26\n", "a@b",
	       "encryption 2024-09-20 00:00 2024-09-27 00:00;");
	expect("a@b country=US,FR 2024-10-01\n", "a@b", "");
	/* Nobody is not a user, and nobody stands for all. */
	expect("* encryption 2024-09-26\n@b encryption 2024-09-26\n", "a@b", "");
	expect("* encryption 2024-09-26\n", "", "");
	assert_string_equal(said, "");
	expect("a@b encryption\na@b encryption 2024-09-26\n", "a@b",
	       "encryption 2024-09-20 00:00 2024-09-27 00:00;");
	assert_non_null(strstr(said, "/grace:1: "));
}

static void test_judged(void **state)
{
	static const struct {
		const char *user, *at;
		bool refused;
	} cases[] = {
		{"a@b", "2024-09-19 11:00", true}, /* the brown-out, which was announced */
		{"a@b", "2024-09-20", false},      {"a@b", "2024-09-26 23:59", false},
		{"a@b", "2024-09-27", true},       {"other@b", "2024-09-20", true},
		{"", "2024-09-20", true},
	};
	struct exemptions *grace = load("a@b encryption 2024-09-26\n");
	const struct edition edition = edition_of(policy, NULL, grace, NULL);
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct attempt attempt = {.service = SERVICE_IMAP,
						.port = 143,
						.mechanism = "PLAIN",
						.user = cases[i].user,
						.client_id = "",
						.session = ""};
		struct rule_finding found;
		struct verdict verdict;

		judge(&edition, &attempt, date(cases[i].at), &verdict);
		if ((verdict.outcome != OUTCOME_ALLOW) != cases[i].refused)
			fail_msg("case %zu", i);
		found = judge_rule(&edition, &attempt, &policy->rules[0], verdict.country,
				   date(cases[i].at));
		assert_int_equal(found.is_grace, !cases[i].refused);
		assert_int_equal(found.finding == FINDING_EXEMPT, !cases[i].refused);
	}
	exemptions_free(grace);
}

/* ---- as a server reads it ---- */

static struct exemptions *read_and_keep(void)
{
	struct exemptions *grace;
	char *problem;

	said[0] = '\0';
	grace = exemption_source_read(&source, policy, note, NULL, &problem);
	if (grace != NULL)
		assert_int_equal(exemption_source_keep(&source, policy->journal), 0);
	else
		note(NULL, problem);
	free(problem);
	return grace;
}

static void expect_read(size_t lines)
{
	struct exemptions *grace = read_and_keep();

	assert_non_null(grace);
	assert_int_equal(exemptions_count(grace), lines);
	assert_string_equal(said, "");
	exemptions_free(grace);
}

/* It is not read; who was given grace before is known, also at the next start. */
static void expect_failure(const char *words)
{
	for (int start = 0; start < 2; start++) {
		struct exemptions *grace = read_and_keep();

		assert_null(grace);
		if (strstr(said, words) == NULL)
			fail_msg("\"%s\": %s", words, said);
		grace = exemption_source_last_valid(&source, policy, note, NULL);
		assert_non_null(grace);
		assert_int_equal(exemptions_count(grace), 1);
		exemptions_free(grace);
		restart();
	}
}

#define VALID "# comment\na@b encryption 2024-09-26\n"

static void test_shrinks(void **state)
{
	(void)state;
	write_file(path, VALID "b@b encryption 2024-09-26\n");
	expect_read(2);
	write_file(path, VALID);
	expect_read(1);
	write_file(path, "# comment\n");
	expect_read(0);
}

static void test_broken(void **state)
{
	struct exemptions *grace;
	(void)state;

	write_file(path, VALID);
	expect_read(1);
	write_file(path, "");
	expect_failure("there is nothing in it");
	unlink(path);
	expect_failure("No such file");
	assert_int_equal(mkdir(path, 0700), 0);
	expect_failure("Is a directory");
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_failure("Invalid argument");
	unlink(path);
	write_file(other, "b@b encryption 2024-09-26\n");
	assert_int_equal(symlink(other, path), 0);
	expect_failure("symbolic links");
	unlink(path);
	assert_int_equal(link(other, path), 0);
	expect_failure("Too many links");
	unlink(path);
	write_file(path, "\x01nonsense\n");
	grace = read_and_keep();
	assert_int_equal(exemptions_count(grace), 1);
	assert_non_null(strstr(said, "STAYS LET OFF"));
	exemptions_free(grace);
}

static void test_of_another_account(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return;
	write_file(path, VALID);
	expect_read(1);
	assert_int_equal(chown(path, 65534, 65534), 0);
	expect_failure("not permitted");
	/* It is the journal's owner's. */
	assert_int_equal(chown(directory, 65534, 65534), 0);
	expect_read(1);
	assert_int_equal(chown(path, 65533, 65534), 0);
	assert_null(read_and_keep());
	assert_int_equal(chown(directory, 0, 0), 0);
}

static void test_never_written(void **state)
{
	(void)state;
	assert_null(read_and_keep());
	assert_null(exemption_source_last_valid(&source, policy, note, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define GRACE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		GRACE_TEST(test_ends),          GRACE_TEST(test_bounds),
		GRACE_TEST(test_judged),        GRACE_TEST(test_shrinks),
		GRACE_TEST(test_broken),        GRACE_TEST(test_of_another_account),
		GRACE_TEST(test_never_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
