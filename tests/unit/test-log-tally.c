#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/logs/log-rows.h"
#include "admin/logs/log-tally.h"
#include "admin/store/store-limits.h"

/* 2024-05-06 08:00 UTC, a Monday. */
#define MONDAY INT64_C(1714982400000)
#define DAY MILLISECONDS_A_DAY

static const char policy_text[] =
	"default-domain = \"example.org\"\n"
	"network webmail { addresses = { \"198.51.100.25\" } }\n"
	"rule encryption { observe = \"always\" except-networks = { \"webmail\" } }\n"
	"rule implicit-tls { services = { \"imap\" } observe = \"always\" }\n"
	"rule pop3 { kind = \"protocol\" services = { \"pop3\" } observe = \"always\" }\n";

static struct policy *policy;
static struct edition edition;
static struct log_tally *tally;
static struct sighting_judge strict;

static void complain(void *context, const char *message)
{
	(void)context;
	print_error("%s\n", message);
}

static int begin(void **state)
{
	(void)state;
	policy = config_load_text("text", policy_text, strlen(policy_text), complain, NULL, NULL);
	if (policy == NULL)
		return -1;
	edition = edition_of(policy, NULL, NULL, NULL);
	sighting_judge_init(&strict, &edition, MONDAY / 1000, true);
	tally = log_tally_create(&edition);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_tally_free(tally);
	policy_free(policy);
	return 0;
}

static struct log_login login_of(const char *user)
{
	struct log_login login = {.time = MONDAY,
				  .host = "mx1",
				  .service = SERVICE_IMAP,
				  .tls = LOG_TLS_NONE,
				  .user = user,
				  .mechanism = "PLAIN",
				  .client_id = "",
				  .verified = true,
				  .count = 1};

	address_parse("203.0.113.5", &login.client);
	return login;
}

/* ---- what the store has ---- */

struct seen {
	char text[1024];
	size_t sightings;
	struct store_sighting last;
	struct store_habit habit;
};

static bool note(void *context, const struct store_sighting *sighting)
{
	struct seen *seen = context;
	size_t length = strlen(seen->text);

	seen->sightings++;
	seen->last = *sighting;
	seen->habit = *sighting->habit;
	if (length > sizeof(seen->text) / 2)
		return true;
	snprintf(seen->text + length, sizeof(seen->text) - length, "%s %s %s %llu %s",
		 sighting->user, service_name(sighting->habit->service),
		 tls_state_name(sighting->habit->tls), (unsigned long long)sighting->count,
		 sighting->last_client);
	for (size_t i = 0; i < sighting->rules->rule_count; i++) {
		length = strlen(seen->text);
		snprintf(seen->text + length, sizeof(seen->text) - length, " %s",
			 sighting->rules->rules[i].title);
	}
	strcat(seen->text, "\n");
	return true;
}

static struct seen look(const struct store_filter *filter)
{
	struct store *store = log_tally_store(tally, &strict);
	struct seen seen = {.sightings = 0};

	assert_true(store_begin_reading(store));
	assert_true(store_each_sighting(store, filter, note, &seen));
	store_close(store);
	return seen;
}

static const struct store_filter all = {.verified = true, .names = true};

static void test_people(void **state)
{
	struct log_login login = login_of("Alice");
	const struct store_filter broken = {.verified = true, .broken = true};
	const struct store_filter offenders = {.verified = true, .offenders = true};
	const struct store_filter bob = {.verified = true, .user = "bob@example.org"};
	const struct store_filter pop3 = {.verified = true, .rule = "pop3"};
	const struct store_filter later = {.verified = true, .since = MONDAY + 1};
	(void)state;

	log_tally_add(tally, &login);
	log_tally_add(tally, &login);
	login.tls = LOG_TLS_IMPLICIT;
	log_tally_add(tally, &login);
	login.user = "bob@example.org";
	login.time++;
	login.port = 993;
	log_tally_add(tally, &login);
	assert_string_equal(look(&all).text,
			    "alice@example.org imap implicit 1 203.0.113.5\n"
			    "alice@example.org imap none 2 203.0.113.5 encryption implicit-tls\n"
			    "bob@example.org imap implicit 1 203.0.113.5\n");
	assert_int_equal(look(&broken).sightings, 1);
	assert_int_equal(look(&offenders).sightings, 2);
	assert_int_equal(look(&bob).sightings, 1);
	assert_int_equal(look(&pop3).sightings, 0);
	assert_int_equal(look(&later).sightings, 1);
}

/* A server that names TLS since somebody made it do so, as a survey advises, did not before. */
static void test_tls_named_later(void **state)
{
	struct log_login login = login_of("alice");
	struct log_tally_counts counts;
	(void)state;

	login.tls = LOG_TLS_UNMENTIONED;
	log_tally_add(tally, &login);
	login.tls = LOG_TLS_SOME;
	login.time = MONDAY + DAY;
	log_tally_add(tally, &login);
	login.user = "bob";
	login.tls = LOG_TLS_UNMENTIONED;
	log_tally_add(tally, &login);
	assert_string_equal(look(&all).text,
			    "alice@example.org imap tls 1 203.0.113.5\n"
			    "alice@example.org imap unknown 1 203.0.113.5\n"
			    "bob@example.org imap none 1 203.0.113.5 encryption implicit-tls\n");
	log_tally_count(tally, &counts);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls, 2);
	/* Files may come in any order. */
	login.user = "alice";
	login.tls = LOG_TLS_SOME;
	login.time = MONDAY;
	log_tally_add(tally, &login);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls, 4);
}

/* Anybody can make them; nothing but their number stays. */
static void test_strangers(void **state)
{
	struct log_tally_counts counts;
	char user[32] = "";
	struct log_login login = login_of(user);
	(void)state;

	login.verified = false;
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "guess%d", i);
		log_tally_add(tally, &login);
	}
	login.verified = true;
	login.user = "";
	log_tally_add(tally, &login);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.unverified, 1001);
	assert_int_equal(counts.verified, 0);
	assert_int_equal(counts.people, 0);
	assert_int_equal(look(&all).sightings, 0);
}

/* By the address of each login: one from the webmail's is none from elsewhere. */
static void test_networks(void **state)
{
	struct log_login login = login_of("alice");
	(void)state;

	login.service = SERVICE_POP3;
	log_tally_add(tally, &login);
	address_parse("198.51.100.25", &login.client);
	log_tally_add(tally, &login);
	address_parse("203.0.113.6", &login.client);
	log_tally_add(tally, &login);
	assert_string_equal(look(&all).text,
			    "alice@example.org pop3 none 1 198.51.100.25 pop3\n"
			    "alice@example.org pop3 none 2 203.0.113.6 encryption pop3\n");
}

/* Nothing where TLS would stand says that there was none only where others have it. */
static void test_unmentioned_tls(void **state)
{
	struct log_login login = login_of("alice");
	struct log_tally_counts counts;
	(void)state;

	login.tls = LOG_TLS_UNMENTIONED;
	log_tally_add(tally, &login);
	assert_int_equal(look(&all).habit.tls, TLS_UNTOLD);
	/* A stranger's name may look like TLS that is named. */
	login.verified = false;
	login.tls = LOG_TLS_SOME;
	log_tally_add(tally, &login);
	assert_int_equal(look(&all).habit.tls, TLS_UNTOLD);
	login.verified = true;
	login.host = "mx2";
	login.tls = LOG_TLS_SOME;
	log_tally_add(tally, &login);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls, 1);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls_kind, 0);
	login.host = "mx1";
	log_tally_add(tally, &login);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.told[SOURCE_DOVECOT].logins, 3);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls, 3);
	assert_int_equal(counts.told[SOURCE_DOVECOT].with_tls, 2);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls_version, 0);
	assert_int_equal(look(&all).habit.tls, TLS_NONE);
	assert_int_equal(log_tally_hosts(tally), 2);
	assert_string_equal(log_tally_host(tally, 1), "mx2");
}

static void test_versions(void **state)
{
	struct log_login login = login_of("alice");
	struct seen seen;
	(void)state;

	login.tls = LOG_TLS_SOME;
	login.tls_version = TLS_V1;
	log_tally_add(tally, &login);
	login.tls_version = TLS_V1_3;
	log_tally_add(tally, &login);
	seen = look(&all);
	assert_int_equal(seen.sightings, 2);
	assert_int_equal(seen.habit.tls_version, TLS_V1);
	assert_true(seen.habit.of_log);
}

/* Where there was TLS, the port says which kind. */
static void test_ports(void **state)
{
	struct log_login login = login_of("alice");
	struct log_tally_counts counts;
	(void)state;

	login.tls = LOG_TLS_SOME;
	login.port = 143;
	log_tally_add(tally, &login);
	assert_int_equal(look(&all).habit.tls, TLS_STARTTLS);
	login.user = "bob";
	login.port = 993;
	log_tally_add(tally, &login);
	assert_int_equal(look(&all).habit.tls, TLS_IMPLICIT);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.told[SOURCE_DOVECOT].port, 2);
	assert_int_equal(counts.told[SOURCE_DOVECOT].tls_kind, 2);
	assert_int_equal(counts.told[SOURCE_DOVECOT].client, 2);
}

/* Nobody fills the memory by a program that calls itself something new each time. */
static void test_many_programs(void **state)
{
	char program[32];
	struct log_login login = login_of("alice");
	(void)state;

	login.client_id = program;
	for (int i = 0; i < 3 * VERIFIED_ROWS_MAX; i++) {
		snprintf(program, sizeof(program), "program-%d", i);
		log_tally_add(tally, &login);
	}
	assert_int_equal(look(&all).sightings, VERIFIED_ROWS_MAX + 1);
}

/* ---- times ---- */

static struct seen see_on(const int *days, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct log_login login = login_of("alice");

		login.time += days[i] * DAY;
		log_tally_add(tally, &login);
	}
	return look(&all);
}

static void test_days(void **state)
{
	static const int days[] = {0, 0, 1, 7, 80, 79, 79, -1, 85, 85, -70};
	struct seen seen = see_on(days, sizeof(days) / sizeof(*days));
	struct log_tally_counts counts;
	(void)state;

	assert_int_equal(seen.sightings, 1);
	assert_int_equal(seen.last.count, 11);
	assert_int_equal(seen.last.days, 8);
	assert_int_equal(seen.last.first_seen, MONDAY - 70 * DAY);
	assert_int_equal(seen.last.last_seen, MONDAY + 85 * DAY);
	/* Of the weeks before the last: 0, 1 and 11, 12, 13, and long ago. */
	assert_int_equal(seen.last.weeks, 1 | 1 << 1 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 22);
	log_tally_count(tally, &counts);
	assert_int_equal(counts.first, MONDAY - 70 * DAY);
	assert_int_equal(counts.last, MONDAY + 85 * DAY);
}

struct days_seen {
	int64_t last;
	uint64_t days, sightings;
};

static bool note_day(void *context, const struct store_day *day)
{
	struct days_seen *seen = context;

	assert_true(day->day > seen->last);
	seen->last = day->day;
	seen->days++;
	seen->sightings += day->sightings;
	return true;
}

static void test_days_of_all(void **state)
{
	static const int days[] = {5, 3, 9, 3, 4, 5, 100, -100, 5};
	struct days_seen seen = {.last = 0};
	struct store *store;
	(void)state;

	see_on(days, sizeof(days) / sizeof(*days));
	store = log_tally_store(tally, &strict);
	assert_true(store_each_day(store, 0, note_day, &seen));
	assert_int_equal(seen.days, 6);
	assert_int_equal(seen.sightings, 9);
	seen = (struct days_seen){0};
	assert_true(store_each_day(store, MONDAY / DAY + 5, note_day, &seen));
	assert_int_equal(seen.days, 3);
	store_close(store);
}

/* A log may say anything of a person's ways; what it costs must not grow with it. */
static void test_too_many_ways(void **state)
{
	struct log_login login = login_of("alice");
	struct log_tally_counts counts;

	(void)state;
	for (uint16_t port = 1; port <= 5 * VERIFIED_ROWS_MAX; port++) {
		login.port = port;
		log_tally_add(tally, &login);
	}
	log_tally_count(tally, &counts);
	assert_int_equal(counts.verified, 5 * VERIFIED_ROWS_MAX);
	assert_int_equal(look(&all).sightings, 4 * VERIFIED_ROWS_MAX);
}

int main(void)
{
#define TALLY_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		TALLY_TEST(test_people),          TALLY_TEST(test_strangers),
		TALLY_TEST(test_networks),        TALLY_TEST(test_unmentioned_tls),
		TALLY_TEST(test_versions),        TALLY_TEST(test_many_programs),
		TALLY_TEST(test_ports),           TALLY_TEST(test_days),
		TALLY_TEST(test_days_of_all),     TALLY_TEST(test_too_many_ways),
		TALLY_TEST(test_tls_named_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
