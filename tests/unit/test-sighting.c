#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/unit/format-sighting.h"

/* Rules with the longest titles that a configuration may have. */
static struct rule rules[RULES_MAX];
static char titles[RULES_MAX][65];
static struct policy policy = {.rules = rules};

static void make_rules(size_t count, const char *first_title)
{
	policy.rule_count = count;
	for (size_t i = 0; i < count; i++) {
		memset(titles[i], 'r', sizeof(titles[i]) - 1);
		rules[i].title = titles[i];
		rules[i].index = (unsigned int)i;
	}
	if (first_title != NULL)
		strcpy(titles[0], first_title);
}

static const struct timespec moment = {.tv_sec = 1726820102, .tv_nsec = 123456789};

static void test_line(void **state)
{
	static const char expected[] =
		"{\"time\":\"2024-09-20T08:15:02.123Z\",\"host\":\"mx1\",\"source\":\"dovecot\","
		"\"verified\":true,\"action\":\"allow\","
		"\"service\":\"imap\",\"port\":143,\"tls\":\"none\","
		"\"rules\":{\"encryption\":\"notify\",\"country\":\"enforce\"},"
		"\"mechanism\":\"CRAM-MD5\",\"country\":\"US\","
		"\"user\":\"alice@example.org\",\"client_id\":\"name=Thunderbird\","
		"\"session\":\"abc\",\"client\":\"203.0.113.5\",\"count\":1}\n";
	struct attempt attempt = {
		.source = SOURCE_DOVECOT,
		.service = SERVICE_IMAP,
		.port = 143,
		.user = "alice@example.org",
		.mechanism = "CRAM-MD5",
		.client_id = "name=Thunderbird",
		.session = "abc",
	};
	struct verdict verdict = {
		.broken = 3, .phases = {PHASE_NOTIFY, PHASE_ENFORCE}, .country = {"US"}};
	const struct sighting sighting = {.attempt = &attempt,
					  .policy = &policy,
					  .verdict = &verdict,
					  .verified = true,
					  .time = moment};
	char line[SIGHTING_LINE_SIZE];
	size_t length;
	(void)state;

	make_rules(2, "encryption");
	strcpy(titles[1], "country");
	assert_true(address_parse("203.0.113.5", &attempt.client));
	length = format_sighting(&sighting, "mx1", line);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(line, expected, length);
}

static void test_no_rule_broken(void **state)
{
	const struct attempt attempt = {.source = SOURCE_POSTFIX,
					.service = SERVICE_SUBMISSION,
					.tls = TLS_IMPLICIT,
					.port = 465,
					.user = "",
					.mechanism = "",
					.client_id = "",
					.session = ""};
	const struct verdict verdict = {.outcome = OUTCOME_REJECT_BEFORE};
	const struct sighting sighting = {
		.attempt = &attempt, .policy = &policy, .verdict = &verdict, .time = moment};
	char line[SIGHTING_LINE_SIZE];
	(void)state;

	make_rules(1, "encryption");
	line[format_sighting(&sighting, "mx1", line)] = '\0';
	assert_non_null(strstr(line, "\"source\":\"postfix\""));
	assert_non_null(
		strstr(line, "\"rules\":{},\"mechanism\":\"\",\"country\":\"\",\"user\":\"\","));
	assert_non_null(strstr(line, "\"verified\":false,\"action\":\"reject\""));
	assert_non_null(strstr(line, "\"tls\":\"implicit\""));
}

/* The user of a line that has this user. */
static json_t *user_after_json(const char *user, bool verified)
{
	const struct attempt attempt = {
		.user = user, .mechanism = "PLAIN", .client_id = "", .session = ""};
	const struct verdict verdict = {0};
	const struct sighting sighting = {.attempt = &attempt,
					  .policy = &policy,
					  .verdict = &verdict,
					  .verified = verified,
					  .time = moment};
	char line[SIGHTING_LINE_SIZE];
	size_t length = format_sighting(&sighting, "mx1", line);
	json_error_t error;
	json_t *json, *value;

	assert_true(length > 0);
	assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
	json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s: %.*s", error.text, (int)length, line);
	value = json_incref(json_object_get(json, "user"));
	json_decref(json);
	return value;
}

static void test_hostile_strings(void **state)
{
	static const struct {
		const char *user, *read_back;
	} cases[] = {
		{"a\"b\\c/d", "a\"b\\c/d"},
		{"a\nb\r\t\x01\x7f", "a\nb\r\t\x01\x7f"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92"},
		{"\xff", "\xef\xbf\xbd"},
		{"a\xc3", "a\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\",\"verified\":true,\"x\":\"", "\",\"verified\":true,\"x\":\""},
	};
	(void)state;

	make_rules(1, "encryption");
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *user = user_after_json(cases[i].user, false);

		assert_string_equal(json_string_value(user), cases[i].read_back);
		json_decref(user);
	}
}

/* What does something to a terminal, or turns a name around, is not there as it is. */
static void test_what_cannot_be_seen_is_escaped(void **state)
{
	static const char *const cases[] = {
		"\x1b",         "\x7f",         "\xc2\x80",     "\xc2\x9b",     "\xc2\x9f",
		"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xaa",
		"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9",
	};
	(void)state;

	make_rules(1, "encryption");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct attempt attempt = {
			.user = "", .mechanism = "", .client_id = cases[i], .session = ""};
		const struct verdict verdict = {0};
		const struct sighting sighting = {.attempt = &attempt,
						  .policy = &policy,
						  .verdict = &verdict,
						  .time = moment};
		char line[SIGHTING_LINE_SIZE];
		size_t length = format_sighting(&sighting, "mx1", line);
		json_error_t error;
		json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);

		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "client_id")),
				    cases[i]);
		for (size_t j = 0; j + 1 < length; j++)
			assert_in_range(line[j], ' ', '~');
		json_decref(json);
	}
}

/* A stranger's. Whole characters, and an ellipsis that no cut name goes without. */
static void test_long_user_is_cut(void **state)
{
	char name[USER_SIZE];
	const size_t kept = SIGHTING_STRANGER_MAX / 3 * 3;
	json_t *user;
	(void)state;

	make_rules(1, "encryption");
	for (size_t i = 0; i < USER_SIZE / 3; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	name[USER_SIZE / 3 * 3] = '\0';
	user = user_after_json(name, false);
	assert_int_equal(json_string_length(user), kept + 3);
	assert_string_equal(json_string_value(user) + kept, "\xe2\x80\xa6");
	json_decref(user);
	/* An address that may be one (RFC 5321) is whole. */
	memset(name, 'x', SIGHTING_STRANGER_MAX);
	name[SIGHTING_STRANGER_MAX] = '\0';
	user = user_after_json(name, false);
	assert_string_equal(json_string_value(user), name);
	json_decref(user);
	/* Escaped ones take more room. */
	memset(name, '\n', 100);
	user = user_after_json(name, false);
	assert_int_equal(json_string_length(user), SIGHTING_STRANGER_MAX / 6 + 3);
	json_decref(user);
}

/* Whoever has shown a password is found by it later. */
static void test_whole_name_of_a_person(void **state)
{
	char name[USER_SIZE];
	json_t *user;
	(void)state;

	make_rules(1, "encryption");
	for (size_t i = 0; i < USER_SIZE - 1; i++)
		name[i] = (char)(i % 2 == 0 ? '\n' : 'x');
	name[USER_SIZE - 1] = '\0';
	user = user_after_json(name, true);
	assert_string_equal(json_string_value(user), name);
	json_decref(user);
}

/* The bound that the manual states. */
static void test_longest_line_of_a_stranger(void **state)
{
	static char endless[100000];
	const struct attempt attempt = {.source = SOURCE_DOVECOT,
					.service = SERVICE_SUBMISSION,
					.tls = TLS_IMPLICIT,
					.port = 65535,
					.client = {.known = true, .bytes = {[0 ... 15] = 0xff}},
					.user = endless,
					.mechanism = endless,
					.client_id = endless,
					.session = endless};
	struct verdict verdict = {.broken = UINT64_MAX, .country = {"US"}};
	const struct sighting sighting = {
		.attempt = &attempt, .policy = &policy, .verdict = &verdict, .time = moment};
	struct sighting_record record;
	struct sighting_line line;
	char text[SIGHTING_LINE_SIZE];
	size_t length;
	(void)state;

	make_rules(RULES_MAX, NULL);
	for (size_t i = 0; i < RULES_MAX; i++)
		verdict.phases[i] = PHASE_ENFORCE;
	/* One, two, three and six bytes each. */
	for (int i = 0; i < 4; i++) {
		static const char *const characters[] = {"x", "\xc3\xa4", "\xff", "\x01"};
		size_t size = strlen(characters[i]);

		for (size_t j = 0; j + size < sizeof(endless); j += size)
			memcpy(endless + j, characters[i], size);
		assert_true(sighting_record_make(&record, &sighting, endless));
		line = sighting_line_of(&record);
		line.until = moment;
		line.count = line.lost = UINT32_MAX;
		line.edition = "0123456789abcdef";
		length = sighting_line_format(&line, text);
		assert_in_range(length, 1,
				SIGHTING_STRANGERS_LINE_MAX +
					RULES_MAX * (sizeof(titles[0]) - 1 + 14));
	}
}

static void test_longest_line_fits(void **state)
{
	static char endless[100000];
	const struct attempt attempt = {.port = 65535,
					.user = endless,
					.mechanism = endless,
					.client_id = endless,
					.session = endless};
	struct verdict verdict = {.broken = UINT64_MAX, .country = {"US"}};
	const struct sighting sighting = {.attempt = &attempt,
					  .policy = &policy,
					  .verdict = &verdict,
					  .verified = true,
					  .time = moment};
	char line[SIGHTING_LINE_SIZE];
	json_error_t error;
	json_t *json;
	size_t length;
	(void)state;

	memset(endless, 1, sizeof(endless) - 1); /* six bytes each when escaped */
	make_rules(RULES_MAX, NULL);
	/* All titles differ, as a configuration demands. */
	for (size_t i = 0; i < RULES_MAX; i++) {
		verdict.phases[i] = PHASE_ENFORCE;
		titles[i][0] = (char)('0' + i);
		if (titles[i][0] == '\\')
			titles[i][0] = '!';
	}
	length = format_sighting(&sighting, endless, line);
	assert_true(length > 0);
	json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s", error.text);
	assert_int_equal(json_object_size(json_object_get(json, "rules")), RULES_MAX);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_no_rule_broken),
		cmocka_unit_test(test_hostile_strings),
		cmocka_unit_test(test_what_cannot_be_seen_is_escaped),
		cmocka_unit_test(test_long_user_is_cut),
		cmocka_unit_test(test_whole_name_of_a_person),
		cmocka_unit_test(test_longest_line_of_a_stranger),
		cmocka_unit_test(test_longest_line_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
