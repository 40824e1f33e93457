#include "unit.h"
#include "dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/exemption.h"

static char directory[] = "/tmp/portcullis-exemption.XXXXXX";
static char config_path[64], path[64];
static struct policy *policy;

/* What exemptions_load() said, a line each, without the name of the file. */
static char said[8192];

static void note(void *context, const char *message)
{
	size_t length = strlen(said);
	(void)context;

	assert_int_equal(strncmp(message, path, strlen(path)), 0);
	snprintf(said + length, sizeof(said) - length, "%s\n", message + strlen(path) + 1);
}

static void refuse(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static void write_text(const char *file_path, const char *text, size_t length)
{
	FILE *file = fopen(file_path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static int load_policy(void **state)
{
	static const char config[] =
		"default-domain = example.org\n"
		"country-database = /a.mmdb\n"
		"rule encryption { enforce = always }\n"
		"rule mechanism { enforce = always }\n"
		"rule country { allow = { DE } enforce = always }\n"
		"rule abroad { kind = country allow = { FR } enforce = always }\n";
	(void)state;

	setenv("TZ", "Europe/Berlin", 1);
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/portcullis.conf", directory);
	snprintf(path, sizeof(path), "%s/exemptions", directory);
	write_text(config_path, config, strlen(config));
	policy = config_load(config_path, refuse, refuse, NULL);
	return policy == NULL ? -1 : 0;
}

static int unload_policy(void **state)
{
	(void)state;
	policy_free(policy);
	unlink(config_path);
	unlink(path);
	return rmdir(directory);
}

static struct exemptions *load_bytes(const char *text, size_t length)
{
	said[0] = '\0';
	write_text(path, text, length);
	return exemptions_load(path, policy, note, NULL);
}

static struct exemptions *load(const char *text)
{
	struct exemptions *exemptions = load_bytes(text, strlen(text));

	assert_non_null(exemptions);
	return exemptions;
}

/* As text: "RULE[=COUNTRY...] BEGIN END LINE;" for each. */
static const char *describe(const struct exemptions *exemptions, const char *user)
{
	static char text[1024];
	size_t count, length = 0;
	const struct exemption *list = exemptions_of_user(exemptions, user, &count);

	text[0] = '\0';
	assert_true((list == NULL) == (count == 0));
	for (size_t i = 0; i < count; i++) {
		char begin[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];

		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s",
					   policy->rules[list[i].rule].title);
		for (size_t country = 0; country < list[i].country_count; country++)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%c%s",
						   country == 0 ? '=' : ',',
						   list[i].countries[country].code);
		date_format(list[i].begin, begin);
		date_format(list[i].end, end);
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %s %s %u;",
					   begin, end, list[i].line);
	}
	return text;
}

static void test_users(void **state)
{
	struct exemptions *exemptions = load(
		"# exemptions of the winter term\n"
		"\n"
		"alice@example.org   encryption,mechanism   2025-01-31               # ticket "
		"4711\n"
		"bob@example.org\tcountry=US,CA\t2024-10-01..2025-03-30 # abroad\n"
		"   # nothing\n"
		"Carol encryption ..2025-02-28\n"
		"bob@example.org     country=JP,mechanism,abroad=IT,XK  2025-04-01..2025-04-14\r\n"
		"a#b@example.org encryption 2025-01-01#2\n"
		"dora@example.org    abroad=DE  2024-02-29..2024-02-29");
	(void)state;

	assert_string_equal(said, "8: '2025-01-01#2': a day is YYYY-MM-DD\n");
	assert_int_equal(exemptions_count(exemptions), 5);
	assert_string_equal(describe(exemptions, "alice@example.org"),
			    "encryption always 2025-02-01 00:00 3;"
			    "mechanism always 2025-02-01 00:00 3;");
	/* The last day is longer by an hour; so it is a day, not 24 hours. */
	assert_string_equal(describe(exemptions, "bob@example.org"),
			    "country=US,CA 2024-10-01 00:00 2025-03-31 00:00 4;"
			    "country=JP 2025-04-01 00:00 2025-04-15 00:00 7;"
			    "mechanism 2025-04-01 00:00 2025-04-15 00:00 7;"
			    "abroad=IT,XK 2025-04-01 00:00 2025-04-15 00:00 7;");
	assert_string_equal(describe(exemptions, "carol@example.org"),
			    "encryption always 2025-03-01 00:00 6;");
	assert_string_equal(describe(exemptions, "dora@example.org"),
			    "abroad=DE 2024-02-29 00:00 2024-03-01 00:00 9;");
	assert_string_equal(describe(exemptions, "eve@example.org"), "");
	assert_string_equal(describe(exemptions, ""), "");
	exemptions_free(exemptions);
}

static void test_wrong_lines(void **state)
{
	static const struct {
		const char *line;
		const char *error;
	} cases[] = {
		{"alice", "a line consists of a user, rules, and the last day or FIRST..LAST"},
		{"alice encryption # 2025-01-01",
		 "a line consists of a user, rules, and the last day or FIRST..LAST"},
		{"alice encryption 2025-01-01 scanner",
		 "'scanner' is one field too many, or lacks a '#'"},
		{"alice encryption 2025-02-29", "'2025-02-29': there is no such day"},
		{"alice encryption 2025-1-1", "'2025-1-1': a day is YYYY-MM-DD"},
		{"alice encryption always", "'always': a day is YYYY-MM-DD"},
		{"alice encryption 2025-01-01..", "the last day is missing"},
		{"alice encryption ..", "the last day is missing"},
		{"alice encryption 2025-01-02..2025-01-01", "the last day is before the first"},
		{"alice encryption 2025-02-30..2025-03-01", "'2025-02-30': there is no such day"},
		{"alice nonsense 2025-01-01", "no rule is called 'nonsense'"},
		{"alice Encryption 2025-01-01", "no rule is called 'Encryption'"},
		{"alice encryption, 2025-01-01", "no rule is called ''"},
		{"alice encryption,,mechanism 2025-01-01", "no rule is called ''"},
		{"alice US 2025-01-01", "no rule is called 'US'"},
		{"alice encryption,US 2025-01-01", "no rule is called 'US'"},
		{"alice encryption=US 2025-01-01",
		 "'encryption' takes no countries, because it is a rule of kind encryption"},
		{"alice nonsense=US 2025-01-01", "no rule is called 'nonsense'"},
		{"alice country= 2025-01-01", "ISO 3166-1 has no country ''"},
		{"alice country=us 2025-01-01", "ISO 3166-1 has no country 'us'"},
		{"alice country=UK 2025-01-01", "ISO 3166-1 has no country 'UK'"},
		{"alice country=US,XX 2025-01-01", "'XX' is neither a rule nor a country"},
		{"alice country=US,mechanism,CA 2025-01-01", "no rule is called 'CA'"},
		{"caf\xe9 encryption 2025-01-01",
		 "the line is not UTF-8, or contains control characters"},
		{"a\x01 encryption 2025-01-01",
		 "the line is not UTF-8, or contains control characters"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct exemptions *exemptions;
		char text[512], expected[256];

		snprintf(text, sizeof(text),
			 "first mechanism 2025-01-01\n%s\nlast mechanism 2025-01-01\n",
			 cases[i].line);
		snprintf(expected, sizeof(expected), "2: %s\n", cases[i].error);
		exemptions = load(text);
		assert_string_equal(said, expected);
		assert_int_equal(exemptions_count(exemptions), 2);
		assert_string_not_equal(describe(exemptions, "first@example.org"), "");
		assert_string_not_equal(describe(exemptions, "last@example.org"), "");
		/* Nothing of a wrong line holds, also what stands before the error. */
		assert_string_equal(describe(exemptions, "alice@example.org"), "");
		exemptions_free(exemptions);
	}
}

/* Whatever an editor made of a comment, the exemption before it holds. */
static void test_comments_of_any_bytes(void **state)
{
	static const char text[] = "# B\xfcro\n"
				   "alice encryption 2025-01-01 # M\xfcller, B\xfcro\n"
				   "bob encryption 2025-01-01\t#\x01\x85\0 # x\r\n"
				   "M\xfcller encryption 2025-01-01 # B\xfcro\n"
				   "carol encryption 2025-01-01\n";
	struct exemptions *exemptions;
	(void)state;

	exemptions = load_bytes(text, sizeof(text) - 1);
	assert_string_equal(said, "4: the line is not UTF-8, or contains control characters\n");
	assert_string_not_equal(describe(exemptions, "alice@example.org"), "");
	assert_string_not_equal(describe(exemptions, "bob@example.org"), "");
	assert_string_not_equal(describe(exemptions, "carol@example.org"), "");
	exemptions_free(exemptions);
}

static void test_long_lines_and_nul(void **state)
{
	static char text[1 << 20];
	struct exemptions *exemptions;
	size_t length;
	(void)state;

	memset(text, 'x', sizeof(text));
	length = sizeof(text) - 1 - strlen("\nbob mechanism 2025-01-01\n");
	strcpy(text + length, "\nbob mechanism 2025-01-01\n");
	exemptions = load(text);
	assert_string_equal(said, "1: the line is longer than 4096 bytes\n");
	assert_int_equal(exemptions_count(exemptions), 1);
	exemptions_free(exemptions);

	/* Also at once the longest name that fits its line. */
	memset(text, 'x', 2000);
	strcpy(text + 2000, " mechanism 2025-01-01\nbob mechanism 2025-01-01\n");
	exemptions = load(text);
	assert_string_equal(said, "1: the user name is too long\n");
	assert_int_equal(exemptions_count(exemptions), 1);
	exemptions_free(exemptions);

	exemptions = load_bytes("alice mechanism 2025-01-01\0\nbob mechanism 2025-01-01\n", 53);
	assert_string_equal(said, "1: the line contains a NUL byte\n");
	assert_string_equal(describe(exemptions, "alice@example.org"), "");
	assert_string_not_equal(describe(exemptions, "bob@example.org"), "");
	exemptions_free(exemptions);
}

static void test_empty_and_missing(void **state)
{
	struct exemptions *exemptions = load("");
	size_t count = 1;
	(void)state;

	assert_int_equal(exemptions_count(exemptions), 0);
	assert_string_equal(describe(exemptions, "alice@example.org"), "");
	exemptions_free(exemptions);
	assert_null(exemptions_of_user(NULL, "alice@example.org", &count));
	assert_int_equal(count, 0);
	exemptions_free(NULL);

	unlink(path);
	said[0] = '\0';
	assert_null(exemptions_load(path, policy, note, NULL));
	assert_string_equal(said, " No such file or directory\n");
}

/* What an importer writes is not read where somebody has put a link. */
static void test_file_of_an_importer(void **state)
{
	char elsewhere[80];
	(void)state;

	exemptions_free(load("alice encryption 2025-01-31\n"));
	snprintf(elsewhere, sizeof(elsewhere), "%s.elsewhere", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	exemptions_free(exemptions_load(path, policy, note, NULL));
	assert_string_equal(said, "");
	policy->exemptions_in_store = true;
	assert_null(exemptions_load(path, policy, note, NULL));
	assert_string_equal(said, " Too many levels of symbolic links\n");
	assert_int_equal(rename(elsewhere, path), 0);
	said[0] = '\0';
	exemptions_free(exemptions_load(path, policy, note, NULL));
	assert_string_equal(said, "");
	policy->exemptions_in_store = false;
}

/* An operator may let off everybody who still offends until the date. */
static void test_many_users(void **state)
{
	const int users = rounds(100000);
	struct timespec begin, end;
	struct exemptions *exemptions;
	FILE *file = fopen(path, "w");
	char user[64];
	(void)state;

	assert_non_null(file);
	for (int i = 0; i < users; i++)
		fprintf(file,
			"user%d@example.org encryption,country=US,CA %d-%02d-%02d..2029-12-31\n",
			i * 7919 % users, 2024 + i % 5, 1 + i % 12, 1 + i % 28);
	assert_int_equal(fclose(file), 0);
	said[0] = '\0';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	exemptions = exemptions_load(path, policy, note, NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_string_equal(said, "");
	assert_int_equal(exemptions_count(exemptions), users);
	/* Some 0.1 s; seconds would mean that something is done for each line. */
	assert_true(end.tv_sec - begin.tv_sec < 10);
	for (int i = 0; i < users; i++) {
		size_t count;
		const struct exemption *list;

		snprintf(user, sizeof(user), "user%d@example.org", i);
		list = exemptions_of_user(exemptions, user, &count);
		assert_int_equal(count, 2);
		assert_int_equal(list[0].line, list[1].line);
		assert_int_equal((list[0].line - 1) * 7919 % users, i);
		assert_int_equal(list[1].country_count, 2);
		assert_string_equal(list[1].countries[1].code, "CA");
		assert_int_equal(list[0].end, date("2030-01-01"));
	}
	exemptions_free(exemptions);
}

/* All lines of one user stay together and in order. */
static void test_many_lines_of_one_user(void **state)
{
	static char text[1 << 18];
	size_t length = 0, count;
	struct exemptions *exemptions;
	const struct exemption *list;
	(void)state;

	for (int i = 0; i < 2000; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			"bob country=US 2025-01-01\nuser%d mechanism 2025-01-01\n", i);
	exemptions = load(text);
	list = exemptions_of_user(exemptions, "bob@example.org", &count);
	assert_int_equal(count, 2000);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].line, 2 * i + 1);
	exemptions_free(exemptions);
}

/* However a file was damaged, it is read to its end. */
static void test_mutations(void **state)
{
	static const char valid[] = "alice@example.org encryption,mechanism 2025-01-31 # old\n"
				    "bob country=US,CA,mechanism 2024-10-01..2025-03-31\r\n"
				    "carol\tabroad=DE,FR,encryption ..2025-03-31\n"
				    "dora encryption 2025-01-31";
	static const char pieces[] = " ,=.#\n\r\t\0-0ADS@\xc3";
	unsigned int seed = 20240920;
	(void)state;

	for (int round = 0; round < rounds(1000); round++) {
		char text[sizeof(valid)];
		struct exemptions *exemptions;

		memcpy(text, valid, sizeof(valid));
		for (int change = rand_r(&seed) % 6; change >= 0; change--)
			text[(size_t)rand_r(&seed) % (sizeof(valid) - 1)] =
				pieces[(size_t)rand_r(&seed) % (sizeof(pieces) - 1)];
		exemptions = load_bytes(text, sizeof(valid) - 1);
		assert_non_null(exemptions);
		describe(exemptions, "bob@example.org");
		exemptions_free(exemptions);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_comments_of_any_bytes),
		cmocka_unit_test(test_long_lines_and_nul),
		cmocka_unit_test(test_empty_and_missing),
		cmocka_unit_test(test_file_of_an_importer),
		cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_many_lines_of_one_user),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, load_policy, unload_policy);
}
