#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "policy/sighting.h"

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
		"\"service\":\"imap\",\"port\":143,\"tls\":\"none\",\"mechanism\":\"CRAM-MD5\","
		"\"country\":\"US\",\"rules\":{\"encryption\":\"notify\",\"country\":\"enforce\"},"
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
	length = sighting_format(&sighting, "mx1", line);
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
	line[sighting_format(&sighting, "mx1", line)] = '\0';
	assert_non_null(strstr(line, "\"source\":\"postfix\""));
	assert_non_null(strstr(line, "\"country\":\"\",\"rules\":{},\"user\":\"\","));
	assert_non_null(strstr(line, "\"verified\":false,\"action\":\"reject\""));
	assert_non_null(strstr(line, "\"tls\":\"implicit\""));
}

/* The user of a line that has this user. */
static json_t *user_after_json(const char *user)
{
	const struct attempt attempt = {
		.user = user, .mechanism = "PLAIN", .client_id = "", .session = ""};
	const struct verdict verdict = {0};
	const struct sighting sighting = {
		.attempt = &attempt, .policy = &policy, .verdict = &verdict, .time = moment};
	char line[SIGHTING_LINE_SIZE];
	size_t length = sighting_format(&sighting, "mx1", line);
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
		json_t *user = user_after_json(cases[i].user);

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
		size_t length = sighting_format(&sighting, "mx1", line);
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

static void test_long_user_is_cut(void **state)
{
	char name[3 * USER_SIZE + 1];
	json_t *user;
	(void)state;

	make_rules(1, "encryption");
	for (size_t i = 0; i < USER_SIZE; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	name[3 * USER_SIZE] = '\0';
	user = user_after_json(name);
	/* Whole characters, and an ellipsis that no cut name goes without. */
	assert_int_equal(json_string_length(user), USER_SIZE / 3 * 3 + 3);
	assert_string_equal(json_string_value(user) + USER_SIZE / 3 * 3, "\xe2\x80\xa6");
	json_decref(user);
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
	const struct sighting sighting = {
		.attempt = &attempt, .policy = &policy, .verdict = &verdict, .time = moment};
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
	length = sighting_format(&sighting, endless, line);
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
		cmocka_unit_test(test_longest_line_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
