#include "unit.h"
#include "directory.h"
#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/exemption-source.h"

#define ALICE "alice@example.org encryption 2099-01-01\n"
#define TEN MANY MANY
#define MANY                                                                                       \
	"a@example.org encryption 2099-01-01\n"                                                    \
	"b@example.org encryption 2099-01-01\n"                                                    \
	"c@example.org encryption 2099-01-01\n"                                                    \
	"d@example.org encryption 2099-01-01\n"                                                    \
	"e@example.org encryption 2099-01-01\n"
#define BOB "bob@example.org encryption 2099-01-01\n"

static char path[64];
static struct valid_copies copies = {.directory = directory, .server = SOURCE_POSTFIX};
static struct policy *policy;
static char *copy;

/* A server that reads the file once more, or, after restart(), for the first time. */
static struct exemption_source source;

static void restart(void)
{
	exemption_source_free(&source);
	source = (struct exemption_source){.copies = &copies};
}

static int set_up(void **state)
{
	char text[256];

	assert_int_equal(make_directory(state), 0);
	copies.user = geteuid();
	snprintf(path, sizeof(path), "%s/exemptions", directory);
	snprintf(text, sizeof(text),
		 "journal = \"%s/journal\"\nexemptions = \"%s\"\nrule encryption { enforce = "
		 "always }",
		 directory, path);
	policy = config_load_text("/config", text, strlen(text), note, NULL, NULL);
	assert_non_null(policy);
	copy = valid_copy_path(directory, copies.server, path);
	restart();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	exemption_source_free(&source);
	policy_free(policy);
	unlink(path);
	unlink(copy);
	free(copy);
	return rmdir(directory);
}

static void write_bytes(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void write_file(const char *text)
{
	write_bytes(text, strlen(text));
}

static bool lets_off(const struct exemptions *exemptions, const char *user)
{
	size_t count;

	return exemptions_of_user(exemptions, user, &count) != NULL;
}

/* As the keeper does it: what is in force is kept. NULL where it cannot be read. */
static struct exemptions *read_and_keep(void)
{
	struct exemptions *exemptions;
	char *problem;

	said[0] = '\0';
	exemptions = exemption_source_read(&source, policy, note, NULL, &problem);
	if (exemptions != NULL) {
		assert_null(problem);
		assert_int_equal(exemption_source_keep(&source, policy->journal), 0);
	} else {
		note(NULL, problem);
	}
	free(problem);
	return exemptions;
}

static void expect(bool alice, bool bob, const char *words)
{
	struct exemptions *exemptions = read_and_keep();

	assert_non_null(exemptions);
	assert_int_equal(lets_off(exemptions, "alice@example.org"), alice);
	assert_int_equal(lets_off(exemptions, "bob@example.org"), bob);
	exemptions_free(exemptions);
	if (words[0] == '\0')
		assert_string_equal(said, "");
	else
		assert_non_null(strstr(said, words));
}

/* The file cannot be believed; what was valid last is known. */
static void expect_failure(const char *words)
{
	struct exemptions *exemptions = read_and_keep();

	assert_null(exemptions);
	assert_non_null(strstr(said, words));
	exemptions = exemption_source_last_valid(&source, policy, note, NULL);
	assert_true(lets_off(exemptions, "alice@example.org"));
	exemptions_free(exemptions);
}

static void test_emptied(void **state)
{
	static const char *const texts[] = {"", "\n", " \t\r\n\n", "\xef\xbb\xbf"};
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		write_file(ALICE TEN);
		expect(true, false, "");
		write_file(texts[i]);
		expect_failure("there is nothing in it");
		restart();
		expect_failure("there is nothing in it");
		restart();
		expect_failure("there is nothing in it");
	}
}

/* So few lines are deleted by hand. */
static void test_last_lines_deleted(void **state)
{
	(void)state;

	write_file(TEN);
	expect(false, false, "");
	write_file("");
	expect(false, false, "NOBODY IS LET OFF ANY MORE");
	/* Nor does a copy bring them back. */
	restart();
	expect(false, false, "");
	assert_string_equal(said, "");
}

static void test_emptied_by_the_operator(void **state)
{
	(void)state;

	write_file(ALICE);
	expect(true, false, "");
	write_file("# nobody\n");
	expect(false, false, "NOBODY IS LET OFF ANY MORE");
	/* Once. */
	expect(false, false, "");
	restart();
	expect(false, false, "");
	/* It was read by a start only. */
	write_file(ALICE);
	expect(true, false, "");
	restart();
	write_file("# nobody\n");
	expect(false, false, "NOBODY IS LET OFF ANY MORE");
	/* Now there is nothing to lose. */
	write_file("");
	expect(false, false, "");
	unlink(path);
	restart();
	assert_null(read_and_keep());
	exemptions_free(exemption_source_last_valid(&source, policy, note, NULL));
	assert_non_null(source.text);
}

static void test_empty_from_the_first(void **state)
{
	(void)state;

	write_file("");
	expect(false, false, "");
	restart();
	expect(false, false, "");
	assert_int_equal(access(copy, F_OK), 0);
	write_file(ALICE);
	expect(true, false, "");
}

static void test_unlinked(void **state)
{
	(void)state;

	write_file(ALICE);
	expect(true, false, "");
	unlink(path);
	expect_failure("exemptions: No such file or directory");
	restart();
	expect_failure("exemptions: No such file or directory");
	assert_string_equal(source.read_from, copy);
}

static void test_broken_lines(void **state)
{
	static const char wrong[] = "alice@example.org encryptoin 2099-01-01\n" BOB;
	(void)state;

	write_file(ALICE);
	expect(true, false, "");
	write_file(wrong);
	expect(true, true, "exemptions:1: no rule is called 'encryptoin'\n");
	assert_non_null(strstr(said, "exemptions: wrong lines: 1. WHOEVER WAS LET OFF BEFORE"));
	/* The copy is not lost by being used. */
	for (int i = 0; i < 2; i++) {
		restart();
		expect(true, true, "WHOEVER WAS LET OFF BEFORE STAYS LET OFF");
	}
	write_file(BOB);
	expect(false, true, "");
	write_file(wrong);
	expect(false, true, "WHOEVER WAS LET OFF BEFORE");
}

static void test_broken_from_the_first(void **state)
{
	(void)state;

	write_file("nonsense\n" BOB);
	for (int i = 0; i < 2; i++) {
		expect(false, true, "exemptions: wrong lines: 1. They are left out\n");
		restart();
	}
	assert_int_equal(access(copy, F_OK), -1);
}

static void test_half_written(void **state)
{
	static const char whole[] = BOB ALICE;
	(void)state;

	write_file(whole);
	expect(true, true, "");
	/* Cut off anywhere but at the beginning or the end of a line, which nobody can see. */
	for (size_t length = 1; length < strlen(whole) - 1; length++) {
		struct exemptions *exemptions;

		if (length == strlen(BOB) || length == strlen(BOB) - 1)
			continue;
		if (length % 2 == 0)
			restart();
		write_bytes(whole, length);
		exemptions = read_and_keep();
		if (exemptions == NULL)
			exemptions = exemption_source_last_valid(&source, policy, note, NULL);
		assert_true(lets_off(exemptions, "alice@example.org"));
		assert_true(lets_off(exemptions, "bob@example.org"));
		assert_string_not_equal(said, "");
		exemptions_free(exemptions);
	}
	/* As some file systems leave it after a crash. */
	write_bytes("\0\0\0\0\0\0\0\0", 8);
	expect(true, true, "NUL byte");
}

/* Who lets off the same people by another file has not emptied it. */
static void test_another_file(void **state)
{
	char *other = policy->exemptions;
	(void)state;

	write_file(ALICE);
	expect(true, false, "");
	policy->exemptions = strdup("/dev/null");
	expect(false, false, "");
	free(policy->exemptions);
	policy->exemptions = other;
	unlink(copy);
	other = valid_copy_path(directory, copies.server, "/dev/null");
	assert_int_equal(unlink(other), 0);
	free(other);
}

static void count(void *context, const char *message)
{
	size_t *lines = context;

	(*lines)++;
	snprintf(said, sizeof(said), "%s", message);
}

/* What is said last is what matters most. */
static void test_a_log_has_no_room_for_all(void **state)
{
	FILE *file = fopen(path, "w");
	size_t lines = 0;
	char *problem;
	(void)state;

	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		fputs("x\n", file);
	fclose(file);
	exemptions_free(exemption_source_read(&source, policy, count, &lines, &problem));
	assert_in_range(lines, 2, 200);
	assert_non_null(strstr(said, "wrong lines: 5000."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SOURCE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		SOURCE_TEST(test_emptied),
		SOURCE_TEST(test_last_lines_deleted),
		SOURCE_TEST(test_emptied_by_the_operator),
		SOURCE_TEST(test_empty_from_the_first),
		SOURCE_TEST(test_unlinked),
		SOURCE_TEST(test_broken_lines),
		SOURCE_TEST(test_broken_from_the_first),
		SOURCE_TEST(test_half_written),
		SOURCE_TEST(test_another_file),
		SOURCE_TEST(test_a_log_has_no_room_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
