#include "unit.h"

#include <glib.h>

#include "admin/questions/survey-count.h"
#include "admin/questions/survey-gaps.h"
#include "admin/questions/survey-policy.h"

/* 2024-05-06 08:00 UTC. */
#define NOW INT64_C(1714982400000)

static struct loaded_policy loaded;
static struct edition edition;
static struct log_tally *tally;
static struct survey_rule rules[RULES_MAX];

static int begin(void **state)
{
	const struct survey_countries countries = {0};
	(void)state;

	if (!survey_policy_load(&countries, &loaded))
		return -1;
	edition = loaded_edition(&loaded);
	tally = log_tally_create(&edition);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_tally_free(tally);
	policy_unload(&loaded);
	return 0;
}

static void add(const char *user, enum source source, enum service service, uint16_t port,
		enum log_tls tls, enum tls_version version)
{
	const struct log_login login = {.time = NOW,
					.host = "mx1",
					.source = source,
					.service = service,
					.tls = tls,
					.tls_version = version,
					.port = port,
					.user = user,
					.mechanism = "PLAIN",
					.client_id = "",
					.verified = true,
					.count = 1};

	log_tally_add(tally, &login);
}

static void add_imap(const char *user, enum log_tls tls, enum tls_version version)
{
	add(user, SOURCE_DOVECOT, SERVICE_IMAP, 0, tls, version);
}

static void count(void)
{
	struct sighting_judge strict;
	struct store *store;

	sighting_judge_init(&strict, &edition, NOW / 1000, true);
	store = log_tally_store(tally, &strict);
	assert_true(survey_count(rules, store, &strict));
	store_close(store);
}

static const struct survey_rule *of(const char *title)
{
	const struct rule *rule = policy_rule(loaded.policy, title);

	assert_non_null(rule);
	return &rules[rule->index];
}

static const char *why_not(const char *title)
{
	return survey_why_not(policy_rule(loaded.policy, title), of(title));
}

static void assert_rule(const char *title, uint64_t locked_out, uint64_t partly, uint64_t untold)
{
	const struct survey_rule *rule = of(title);

	assert_int_equal(rule->locked_out, locked_out);
	assert_int_equal(rule->partly, partly);
	assert_int_equal(rule->people, locked_out + partly);
	assert_int_equal(rule->untold, untold);
}

/* ---- the list of rules ---- */

static void test_list(void **state)
{
	static const char *const titles[] = {"encryption", "tls-version",  "mechanism",
					     "pop3",       "implicit-tls", "submission-port"};
	(void)state;

	assert_int_equal(loaded.policy->rule_count, G_N_ELEMENTS(titles));
	for (size_t i = 0; i < G_N_ELEMENTS(titles); i++)
		assert_non_null(policy_rule(loaded.policy, titles[i]));
}

static void test_wrong_countries(void **state)
{
	const struct survey_countries unknown = {"DE,XX", "/nonexistent"};
	const struct survey_countries missing = {"de, at", "/nonexistent'\\\" }"};
	struct loaded_policy other;
	(void)state;

	assert_false(survey_policy_load(&unknown, &other));
	assert_false(survey_policy_load(&missing, &other));
}

/* ---- people ---- */

static void test_people(void **state)
{
	(void)state;
	add_imap("alice", LOG_TLS_NONE, TLS_VERSION_UNKNOWN);
	add_imap("bob", LOG_TLS_NONE, TLS_VERSION_UNKNOWN);
	add_imap("bob", LOG_TLS_SOME, TLS_V1);
	add_imap("carol", LOG_TLS_SOME, TLS_V1_3);
	add("carol", SOURCE_POSTFIX, SERVICE_SUBMISSION, 25, LOG_TLS_STARTTLS, TLS_V1_2);
	add("dave", SOURCE_DOVECOT, SERVICE_POP3, 995, LOG_TLS_SOME, TLS_V1_2);
	count();
	assert_rule("encryption", 1, 1, 0);
	assert_rule("tls-version", 2, 0, 0);
	assert_rule("mechanism", 0, 0, 0);
	assert_rule("pop3", 1, 0, 0);
	assert_rule("implicit-tls", 1, 2, 0);
	assert_rule("submission-port", 0, 1, 0);
	assert_true(survey_rule_is_told(of("mechanism")));
}

/* "Nobody" is not what it is when nobody knows. */
static void test_untold(void **state)
{
	(void)state;
	add_imap("alice", LOG_TLS_SOME, TLS_VERSION_UNKNOWN);
	count();
	assert_true(survey_rule_is_told(of("encryption")));
	assert_rule("encryption", 0, 0, 0);
	assert_false(survey_rule_is_told(of("tls-version")));
	assert_rule("tls-version", 0, 0, 1);
	assert_false(survey_rule_is_told(of("implicit-tls")));
	assert_string_equal(why_not("tls-version"), "the logs do not tell versions of TLS");
	assert_true(survey_rule_is_told(of("pop3")));
	/* Nobody sent anything, or no log of Postfix's was read. */
	assert_false(survey_rule_is_told(of("submission-port")));
	assert_string_equal(why_not("submission-port"),
			    "the logs are of no server that it is about");
}

static void test_untold_of_other_servers(void **state)
{
	(void)state;
	count();
	assert_false(survey_rule_is_told(of("encryption")));
	add("alice", SOURCE_POSTFIX, SERVICE_SUBMISSION, 465, LOG_TLS_STARTTLS, TLS_V1_3);
	count();
	assert_true(survey_rule_is_told(of("encryption")));
	assert_true(survey_rule_is_told(of("submission-port")));
	assert_false(survey_rule_is_told(of("pop3")));
	add_imap("alice", LOG_TLS_SOME, TLS_V1_3);
	count();
	assert_true(survey_rule_is_told(of("pop3")));
}

/* As far as some lines tell it. */
static void test_untold_in_part(void **state)
{
	(void)state;
	add_imap("alice", LOG_TLS_SOME, TLS_VERSION_UNKNOWN);
	add_imap("alice", LOG_TLS_SOME, TLS_V1_1);
	add_imap("bob", LOG_TLS_SOME, TLS_VERSION_UNKNOWN);
	count();
	assert_true(survey_rule_is_told(of("tls-version")));
	/* What alice's other way was, nobody knows. */
	assert_rule("tls-version", 0, 1, 1);
}

/* ---- what is missing ---- */

static void assert_gaps(const char *const *whats)
{
	struct survey_gap gaps[SURVEY_GAPS_MAX];
	struct log_tally_counts counts;
	size_t found;

	log_tally_count(tally, &counts);
	found = survey_gaps(&counts, gaps);
	for (size_t i = 0; i < found; i++) {
		assert_non_null(*whats);
		assert_string_equal(gaps[i].what, *whats++);
		assert_string_equal(gaps[i].server, *whats++);
	}
	assert_null(*whats);
}

static void test_gaps(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const usual[] = {
		"port",        "dovecot 2.3", "port",        "dovecot 2.4", "starttls",
		"dovecot 2.3", "starttls",    "dovecot 2.4", "tls_version", "dovecot 2.3",
		"tls_version", "dovecot 2.4", "client",      "dovecot 2.3", "client",
		"dovecot 2.4", "port",        "postfix",     "port",        "postfix",
		"tls_version", "postfix",     NULL};
	(void)state;

	assert_gaps(none);
	add_imap("alice", LOG_TLS_SOME, TLS_VERSION_UNKNOWN);
	add("alice", SOURCE_POSTFIX, SERVICE_SUBMISSION, 0, LOG_TLS_STARTTLS, TLS_VERSION_UNKNOWN);
	assert_gaps(usual);
}

int main(void)
{
#define SURVEY_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SURVEY_TEST(test_list),
		SURVEY_TEST(test_wrong_countries),
		SURVEY_TEST(test_people),
		SURVEY_TEST(test_untold),
		SURVEY_TEST(test_untold_of_other_servers),
		SURVEY_TEST(test_untold_in_part),
		SURVEY_TEST(test_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
