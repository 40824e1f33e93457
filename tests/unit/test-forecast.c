#include "unit.h"
#include "directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/questions/forecast-count.h"
#include "admin/store/store-notices.h"

#define DAY INT64_C(86400000)

/* 2024-09-20 08:15:02.123 UTC, a Friday. */
#define NOW INT64_C(1726820102123)

static struct rule rule = {
	.title = (char *)"encryption",
	.kind = KIND_ENCRYPTION,
	.services = SERVICE_BIT(SERVICE_IMAP),
	.schedule = {SCHEDULE_ALWAYS, SCHEDULE_NEVER, SCHEDULE_NEVER, NULL, 0},
};
static const struct policy policy = {.rules = &rule, .rule_count = 1};
static const struct edition edition = {.policy = &policy};

static const struct store_habit old_way = {
	.port = 143, .mechanism = "PLAIN", .client_id = "name=Mutt version=2.1"};
static const struct store_habit new_way = {.port = 993,
					   .tls = TLS_IMPLICIT,
					   .mechanism = "PLAIN",
					   .client_id = "name=Mutt version=2.2"};
static const struct store_rule_set no_rules;

static struct store *open_store(enum store_access access)
{
	char uri[128];
	struct store_failure failure;
	struct store *store;

	snprintf(uri, sizeof(uri), "sqlite:%s/store.db", directory);
	store = store_open(uri, NULL, access, &failure);
	if (store == NULL)
		fail_msg("%s", failure.text);
	return store;
}

static void see(struct store *store, const char *user, const struct store_habit *habit,
		unsigned int days_ago)
{
	const struct store_sighting sighting = {.user = user,
						.verified = true,
						.habit = habit,
						.rules = &no_rules,
						.count = 1,
						.first_seen = NOW - days_ago * DAY,
						.last_seen = NOW - days_ago * DAY,
						.weeks = 1,
						.days = 1,
						.last_client = ""};

	assert_true(store_add(store, &sighting));
}

static void tell_of(struct store *store, const char *rules, const char *user,
		    enum notice_reason reason, enum notice_state state, int days_ago)
{
	struct store_notice notice = {.user = user,
				      .recipient = user,
				      .message_id = user,
				      .reason = reason,
				      .rules = rules,
				      .state = state,
				      .intended = NOW - days_ago * DAY,
				      .settled = NOW - days_ago * DAY,
				      .attempts = 1,
				      .error = ""};

	assert_true(store_put_notice(store, &notice));
}

static void tell(struct store *store, const char *user, enum notice_reason reason,
		 enum notice_state state, int days_ago)
{
	tell_of(store, "mechanism,encryption", user, reason, state, days_ago);
}

static void test_who_was_told(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct sighting_judge judge;
	struct forecast forecast;
	(void)state;

	assert_true(store_begin(store));
	/* Told, and changed. */
	see(store, "a@example.org", &old_way, 20);
	see(store, "a@example.org", &new_way, 1);
	tell(store, "a@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	/* Told, came once more in the old way, and changed. */
	see(store, "g@example.org", &old_way, 14);
	see(store, "g@example.org", &new_way, 1);
	tell(store, "g@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	/* Told, and may have changed: one of two devices. */
	see(store, "h@example.org", &new_way, 3);
	see(store, "h@example.org", &old_way, 2);
	see(store, "h@example.org", &new_way, 1);
	tell(store, "h@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	/* Told, and not. */
	see(store, "b@example.org", &old_way, 1);
	tell(store, "b@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	tell(store, "b@example.org", NOTICE_REMINDER, NOTICE_HANDED_OVER, 0);
	/* Not told: the mail did not get out, said that all is well, or told of a rule
	   that is not asked. */
	see(store, "i@example.org", &old_way, 20);
	see(store, "i@example.org", &new_way, 1);
	tell_of(store, "mechanism", "i@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	see(store, "c@example.org", &old_way, 20);
	tell(store, "c@example.org", NOTICE_FIRST, NOTICE_FAILED, 15);
	see(store, "d@example.org", &new_way, 1);
	tell(store, "d@example.org", NOTICE_FIXED, NOTICE_HANDED_OVER, 1);
	/* Told on a day to come only: a clock was wrong. */
	see(store, "j@example.org", &new_way, 1);
	tell(store, "j@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, -2);
	/* Told, and not seen since: it may be forgotten on a shelf. */
	see(store, "f@example.org", &old_way, 20);
	tell(store, "f@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 15);
	/* Told, and gone. */
	see(store, "e@example.org", &old_way, 50);
	tell(store, "e@example.org", NOTICE_FIRST, NOTICE_HANDED_OVER, 45);
	assert_true(store_commit(store));
	store_close(store);

	store = open_store(STORE_READ);
	sighting_judge_init(&judge, &edition, NOW / 1000, true);
	assert_true(store_begin_reading(store));
	assert_true(forecast_count(&forecast, store, &judge, NOW, NOW, SCHEDULE_NEVER, NULL));
	/* And e, who was seen on one day only, long ago, with some chance. */
	assert_true(forecast.active_users > 9 && forecast.active_users < 10);
	assert_int_equal(forecast.told, 5);
	/* a and g; f may have. */
	assert_true(forecast.told_changed > 2 && forecast.told_changed < 3);
	/* h */
	assert_true(forecast.partly > 0.9 && forecast.partly <= 1);
	/* b; c, e and f may be. */
	assert_true(forecast.locked_out > 1.5 && forecast.locked_out < 4);
	assert_true(forecast.low < forecast.partly + forecast.locked_out);
	assert_true(forecast.high > forecast.partly + forecast.locked_out);
	forecast_free(&forecast);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_was_told, make_directory,
						remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
