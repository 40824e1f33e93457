#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/decision-log.h"

static void report(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static struct policy *load(const char *text)
{
	struct policy *policy =
		config_load_text("portcullis.conf", text, strlen(text), report, report, NULL);

	assert_non_null(policy);
	return policy;
}

#define RULES                                                                                      \
	"rule encryption { enforce = always }\n"                                                   \
	"rule mechanism { notify = always }\n"

static void judge_attempt(const struct policy *policy, const struct attempt *attempt,
			  struct verdict *verdict_r)
{
	const struct edition edition = {.policy = policy};

	judge(&edition, attempt, 0, verdict_r);
}

static void test_one_line(void **state)
{
	struct policy *policy = load(RULES);
	struct attempt attempt = {.service = SERVICE_IMAP,
				  .port = 143,
				  .mechanism = "CRAM-MD5",
				  .user = "a\n<b>\x1b[2J\xc3\xa4@example.org",
				  .client_id = "",
				  .session = ""};
	struct verdict verdict;
	const struct sighting sighting = {
		.attempt = &attempt, .policy = policy, .verdict = &verdict};
	char text[DECISION_LOG_SIZE], long_user[5000];
	size_t length;
	(void)state;

	assert_true(address_parse("203.0.113.5", &attempt.client));
	judge_attempt(policy, &attempt, &verdict);
	length = decision_log_format(&sighting, DETAIL_ALL, text);
	assert_int_equal(length, strlen(text));
	assert_string_equal(
		text, "refused after the password: "
		      "user=<a\\x0a\\x3cb\\x3e\\x1b[2J\\xc3\\xa4@example.org> client=203.0.113.5 "
		      "country= service=imap port=143 tls=none mechanism=<CRAM-MD5> "
		      "rules=encryption:enforce,mechanism:notify");
	decision_log_format(&sighting, DETAIL_USER, text);
	assert_non_null(strstr(text, "@example.org> client= country= service=imap "));
	assert_non_null(strstr(text, " mechanism=<CRAM-MD5> "));
	decision_log_format(&sighting, DETAIL_NOBODY, text);
	assert_non_null(strstr(text, ": user=<> client= country= service=imap "));
	assert_non_null(strstr(text, " mechanism=<> rules=encryption:enforce,"));

	memset(long_user, '\n', sizeof(long_user) - 1);
	long_user[sizeof(long_user) - 1] = '\0';
	attempt.user = attempt.mechanism = long_user;
	length = decision_log_format(&sighting, DETAIL_ALL, text);
	assert_int_equal(length, strlen(text));
	assert_true(strlen(text) < DECISION_LOG_SIZE);
	assert_non_null(strstr(text, "rules=encryption:enforce,mechanism:notify"));
	policy_free(policy);
}

/* What happened, not what was meant to. */
static void test_words(void **state)
{
	static const struct {
		const char *words;
		enum outcome outcome;
		enum service service;
		bool verified;
	} cases[] = {
		{"allowed for now", OUTCOME_ALLOW, SERVICE_IMAP, true},
		{"allowed for now", OUTCOME_ALLOW, SERVICE_SMTP, false},
		{"refused before the password", OUTCOME_REJECT_BEFORE, SERVICE_IMAP, false},
		{"refused before the password", OUTCOME_REJECT_BEFORE, SERVICE_SUBMISSION, false},
		{"refused after the password", OUTCOME_REJECT_AFTER, SERVICE_IMAP, false},
		{"refused after the password", OUTCOME_REJECT_AFTER, SERVICE_IMAP, true},
		/* The daemon is asked when somebody has logged in. */
		{"refused after the password", OUTCOME_REJECT_BEFORE, SERVICE_SUBMISSION, true},
		{"refused", OUTCOME_REJECT_BEFORE, SERVICE_SMTP, false},
	};
	struct policy *policy = load(RULES);
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct attempt attempt = {.service = cases[i].service,
						.mechanism = "",
						.user = "",
						.client_id = "",
						.session = ""};
		struct verdict verdict;
		const struct sighting sighting = {.attempt = &attempt,
						  .policy = policy,
						  .verdict = &verdict,
						  .verified = cases[i].verified};
		char text[DECISION_LOG_SIZE];

		judge_attempt(policy, &attempt, &verdict);
		verdict.outcome = cases[i].outcome;
		decision_log_format(&sighting, DETAIL_ALL, text);
		if (strncmp(text, cases[i].words, strlen(cases[i].words)) != 0 ||
		    text[strlen(cases[i].words)] != ':')
			fail_msg("case %zu: %s", i, text);
	}
	policy_free(policy);
}

/* A log, and what it has told. */
struct fixture {
	struct policy *policy;
	struct messages *messages;
	struct decision_log *log;
	char last[MESSAGE_SIZE];
};

static void open_log(struct fixture *fixture, const char *config)
{
	fixture->policy = load(config);
	fixture->messages = messages_create();
	fixture->log = decision_log_create(fixture->messages);
	assert_non_null(fixture->log);
	fixture->last[0] = '\0';
}

static void close_log(struct fixture *fixture)
{
	messages_free(fixture->messages);
	policy_free(fixture->policy);
}

static unsigned int told(struct fixture *fixture)
{
	enum message_level level;
	unsigned int count = 0;

	while (messages_take(fixture->messages, &level, fixture->last))
		count++;
	return count;
}

/* time: in seconds, of the sighting. */
static void record_from(struct fixture *fixture, const char *client, const char *user,
			bool verified, time_t time)
{
	struct attempt attempt = {.service = SERVICE_IMAP,
				  .port = 143,
				  .mechanism = "PLAIN",
				  .user = user,
				  .client_id = "",
				  .session = ""};
	struct verdict verdict;
	const struct sighting sighting = {.attempt = &attempt,
					  .policy = fixture->policy,
					  .verdict = &verdict,
					  .verified = verified,
					  .time = {.tv_sec = time}};

	assert_true(address_parse(client, &attempt.client));
	judge_attempt(fixture->policy, &attempt, &verdict);
	decision_log_record(fixture->log, &sighting);
}

static void record(struct fixture *fixture, const char *user, bool verified, time_t time)
{
	record_from(fixture, "203.0.113.5", user, verified, time);
}

static void test_equal_ones(void **state)
{
	struct fixture fixture;
	(void)state;

	/* So long that no machine is too slow for the lines that follow. */
	open_log(&fixture, "combine = 3s\n" RULES);
	record(&fixture, "alice@example.org", true, 0);
	assert_int_equal(told(&fixture), 1);
	assert_null(strstr(fixture.last, " count="));
	record(&fixture, "alice@example.org", true, 1);
	record(&fixture, "alice@example.org", true, 1726820102);
	record(&fixture, "bob@example.org", true, 2);
	assert_int_equal(told(&fixture), 1);
	/* Its time ends by itself. */
	for (int tries = 0; told(&fixture) == 0 && tries < 1000; tries++) {
		usleep(10000);
		decision_log_tell_due(fixture.log);
	}
	assert_non_null(strstr(fixture.last, "user=<alice@example.org>"));
	assert_non_null(strstr(fixture.last, " count=2 until=2024-09-20T08:15:02Z"));
	decision_log_free(fixture.log);
	assert_int_equal(told(&fixture), 0);
	close_log(&fixture);
}

static void test_the_end(void **state)
{
	struct fixture fixture;
	(void)state;

	open_log(&fixture, RULES);
	for (int i = 0; i < 1000; i++)
		record(&fixture, "alice@example.org", true, i);
	assert_int_equal(told(&fixture), 1);
	decision_log_free(fixture.log);
	assert_int_equal(told(&fixture), 1);
	assert_non_null(strstr(fixture.last, " count=999 until=1970-01-01T00:16:39Z"));
	close_log(&fixture);
}

static void test_not_combined(void **state)
{
	struct fixture fixture;
	(void)state;

	open_log(&fixture, "combine = 0\n" RULES);
	for (int i = 0; i < 10; i++)
		record(&fixture, "alice@example.org", true, i);
	assert_int_equal(told(&fixture), 10);
	decision_log_free(fixture.log);
	assert_int_equal(told(&fixture), 0);
	close_log(&fixture);
}

/* As many as a minute may begin meanwhile. */
static void test_many_strangers(void **state)
{
	struct fixture fixture;
	unsigned int lines = 0, nameless = 0;
	const int strangers = rounds(100000);
	unsigned long count;
	const char *behind;
	(void)state;

	open_log(&fixture, "combine = 0\nunverified-per-minute = 100\n" RULES);
	for (int i = 0; i < strangers; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%d@example.org", i);
		record(&fixture, user, false, i);
		lines += told(&fixture);
		nameless += strstr(fixture.last, "user=<>") != NULL;
	}
	assert_in_range(lines, 101, 202);
	assert_true(nameless > 0);
	/* Of whoever knows the password, everything is told. */
	record(&fixture, "alice@example.org", true, 0);
	assert_int_equal(told(&fixture), 1);
	assert_non_null(strstr(fixture.last, "user=<alice@example.org>"));
	decision_log_free(fixture.log);
	assert_int_equal(told(&fixture), 1);
	assert_non_null(strstr(fixture.last, "user=<> client= "));
	behind = strstr(fixture.last, " count=");
	assert_non_null(behind);
	count = strtoul(behind + strlen(" count="), NULL, 10);
	assert_int_equal(count, (unsigned int)strangers - lines);
	close_log(&fixture);
}

/* Whoever has a provider's network has as many addresses as he likes. */
static void test_one_user_from_everywhere(void **state)
{
	enum { ATTEMPTS = 1000 };
	struct fixture fixture;
	unsigned int lines = 0;
	(void)state;

	open_log(&fixture, "combine = 1h\n" RULES);
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		char client[32];

		snprintf(client, sizeof(client), "2001:db8::%x", i);
		record_from(&fixture, client, "mallory@example.org", true, i);
		lines += told(&fixture);
	}
	/* Once more where an hour ends meanwhile. */
	assert_in_range(lines, COMBINING_DETAILED_MAX + 1, 2 * COMBINING_DETAILED_MAX + 2);
	decision_log_free(fixture.log);
	lines += told(&fixture);
	assert_non_null(strstr(fixture.last, "user=<mallory@example.org> client= "));
	assert_non_null(strstr(fixture.last, " count="));
	close_log(&fixture);
}

/* Memory has an end; what has to go is told. */
static void test_more_than_memory_holds(void **state)
{
	struct fixture fixture;
	const unsigned int users = (unsigned int)rounds(100000);
	unsigned int lines = 0;
	(void)state;

	open_log(&fixture, RULES);
	for (unsigned int i = 0; i < users; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%u@example.org", i);
		record(&fixture, user, true, i);
		record(&fixture, user, true, i);
		lines += told(&fixture);
	}
	/* It holds fewer than 10,000. */
	assert_true(lines > users && lines > 2 * users - 10000);
	decision_log_free(fixture.log);
	while (messages_take(fixture.messages, &(enum message_level){0}, fixture.last))
		lines++;
	assert_true(lines <= 2 * users);
	close_log(&fixture);
}

/* All that is due at once finds its way into the log, though not at once. */
static void test_a_storm_is_over(void **state)
{
	enum { USERS = 3000 };
	struct fixture fixture;
	unsigned int lines = 0;
	(void)state;

	open_log(&fixture, "combine = 1s\n" RULES);
	for (int i = 0; i < USERS; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%d@example.org", i);
		record(&fixture, user, true, i);
		record(&fixture, user, true, i);
		lines += told(&fixture);
	}
	usleep(2100000);
	for (int tries = 0; lines < 2 * USERS && tries < 1000; tries++) {
		decision_log_tell_due(fixture.log);
		lines += told(&fixture);
		assert_null(strstr(fixture.last, "dropped"));
	}
	assert_int_equal(lines, 2 * USERS);
	decision_log_free(fixture.log);
	close_log(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_equal_ones),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_not_combined),
		cmocka_unit_test(test_many_strangers),
		cmocka_unit_test(test_one_user_from_everywhere),
		cmocka_unit_test(test_more_than_memory_holds),
		cmocka_unit_test(test_a_storm_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
