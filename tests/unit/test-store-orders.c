#include "unit.h"
#include "any-store.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "admin/store/store-logs.h"
#include "admin/store/store-orders.h"

#define ALICE "alice@example.org"
#define BOB "bob@example.org"

/* What hosts are left to do, where several share a store. A store that is a file has none. */

/* It is known from now on. */
static struct store *open_known(const char *name)
{
	static const struct store_host told = {.portcullis = "1", .edition = "", .policy = ""};
	struct store *store = open_as(name);

	assert_true(store_begin(store) && store_put_host(store, &told) && store_commit(store));
	return store;
}

static int64_t now(void)
{
	return g_get_real_time() / 1000;
}

/* 7 logins in one line. */
static void record(struct store *store, const char *user, int64_t first, int64_t last)
{
	static const struct store_habit habit = {.service = SERVICE_IMAP,
						 .port = 143,
						 .mechanism = "PLAIN",
						 .client_id = "name=Thunderbird"};
	static const struct store_rule_set clean = {0};
	const struct store_sighting sighting = {
		.user = user,
		.verified = user != NULL,
		.habit = &habit,
		.rules = &clean,
		.count = 7,
		.rejected = 7,
		.first_seen = first,
		.last_seen = last,
		.weeks = 1,
		.days = 1,
		.last_client = "192.0.2.1",
	};

	assert_true(store_begin(store));
	assert_true(store_add(store, &sighting));
	assert_true(store_commit(store));
}

static bool add_up(void *context, const struct store_sighting *sighting)
{
	struct store_sighting *sum = context;

	sum->count += sighting->count;
	sum->rejected += sighting->rejected;
	sum->first_seen = sighting->first_seen;
	sum->last_seen = sighting->last_seen;
	return true;
}

static struct store_sighting found(struct store *store, const char *user)
{
	const struct store_filter filter = {.user = user, .verified = true, .names = true};
	struct store_sighting sum = {0};

	assert_true(store_begin_reading(store));
	assert_true(store_each_sighting(store, &filter, add_up, &sum));
	assert_true(store_commit(store));
	return sum;
}

static void forget(struct store *store, const char *user)
{
	bool known, wiped;

	if (!store_forget(store, user, now(), &known, &wiped))
		fail_msg("%s", store_failure(store)->text);
	assert_true(wiped);
}

struct orders {
	char text[200]; /* users and hosts */
	int64_t ours, made;
};

static bool note(void *context, const struct store_order *order)
{
	struct orders *orders = context;
	size_t length = strlen(orders->text);

	snprintf(orders->text + length, sizeof(orders->text) - length, "%.5s %s%s, ", order->user,
		 order->host, order->is_ours ? "!" : "");
	if (order->is_ours)
		orders->ours = order->id;
	orders->made = order->made;
	return true;
}

static struct orders orders_of(struct store *store)
{
	struct orders orders = {0};

	if (!store_each_order(store, note, &orders))
		fail_msg("%s", store_failure(store)->text);
	return orders;
}

#define assert_orders(store, expected) assert_string_equal(orders_of(store).text, expected)

static void answer(struct store *store)
{
	int64_t ours = orders_of(store).ours;

	assert_int_not_equal(ours, 0);
	assert_true(store_answer_order(store, ours));
}

static void test_a_file_has_none(void **state)
{
	struct store *store = open_known("mx1");
	(void)state;

	if (store_is_file()) {
		record(store, ALICE, now() - 5000, now() - 4000);
		forget(store, ALICE);
		assert_orders(store, "");
		record(store, ALICE, now() - 5000, now() - 4000);
		assert_int_equal(found(store, ALICE).count, 7);
	}
	store_close(store);
}

static void test_nobody_else_is_known(void **state)
{
	struct store *store = open_as("mx1");
	(void)state;

	forget(store, ALICE);
	assert_orders(store, "");
	store_close(store);
}

static void test_until_all_have_answered(void **state)
{
	struct store *first, *second;
	int64_t begun = now();
	struct orders orders;
	(void)state;

	if (store_is_file())
		return;
	first = open_known("mx1");
	second = open_known("mx2");
	record(first, ALICE, begun - 9000, begun - 8000);
	forget(first, ALICE);
	orders = orders_of(second);
	assert_string_equal(orders.text, "alice mx1, alice mx2!, ");
	assert_in_range(orders.made, begun - 100, now() + 100);
	/* Neither what was before it, nor the names of others. */
	record(second, ALICE, begun - 9000, begun - 8000);
	record(second, BOB, begun - 9000, begun - 8000);
	record(second, NULL, begun - 9000, begun - 8000);
	assert_int_equal(found(first, ALICE).count, 0);
	assert_int_equal(found(first, BOB).count, 7);
	answer(second);
	assert_orders(second, "alice mx1, ");
	record(second, ALICE, begun - 9000, begun - 8000);
	record(first, ALICE, begun - 9000, begun - 8000);
	assert_int_equal(found(first, ALICE).count, 0);
	answer(first);
	assert_orders(first, "");
	/* Once more does no harm. */
	assert_true(store_answer_order(first, orders.ours));
	record(first, ALICE, begun - 9000, begun - 8000);
	assert_int_equal(found(first, ALICE).count, 7);
	store_close(second);
	store_close(first);
}

static void test_what_comes_later(void **state)
{
	struct store *store;
	struct store_sighting sum;
	int64_t later;
	(void)state;

	if (store_is_file())
		return;
	store = open_known("mx1");
	forget(store, ALICE);
	later = now() + 1000;
	/* Of those together, the last one is known. */
	record(store, ALICE, later - 60000, later);
	sum = found(store, ALICE);
	assert_int_equal(sum.count, 1);
	assert_int_equal(sum.rejected, 1);
	assert_int_equal(sum.first_seen, later);
	record(store, ALICE, later, later + 5000);
	assert_int_equal(found(store, ALICE).count, 8);
	store_close(store);
}

static void test_ordered_again(void **state)
{
	struct store *store;
	int64_t first;
	(void)state;

	if (store_is_file())
		return;
	store = open_known("mx1");
	forget(store, ALICE);
	first = orders_of(store).ours;
	record(store, ALICE, now() + 1, now() + 1);
	forget(store, ALICE);
	forget(store, BOB);
	assert_orders(store, "alice mx1!, bob@e mx1!, ");
	assert_int_equal(found(store, ALICE).count, 0);
	/* An answer to one that was taken back. */
	assert_true(store_answer_order(store, first));
	assert_orders(store, "alice mx1!, bob@e mx1!, ");
	store_close(store);
}

static void test_host_that_is_gone(void **state)
{
	struct store *first, *second;
	bool known;
	(void)state;

	if (store_is_file())
		return;
	first = open_known("mx1");
	second = open_known("mx2");
	forget(first, ALICE);
	answer(first);
	forget(first, BOB);
	assert_true(store_forget_host(first, "mx2", &known));
	assert_true(known);
	assert_orders(first, "bob@e mx1!, ");
	forget(first, ALICE);
	assert_orders(first, "bob@e mx1!, alice mx1!, ");
	store_close(second);
	store_close(first);
}

static bool note_user(void *context, const struct store_log_connection *connection)
{
	char *users = context;

	if (connection->user != NULL)
		strncat(users, connection->user, 1);
	return true;
}

static void test_connections_of_logs(void **state)
{
	struct store *store;
	struct store_log_connection connection = {.key = 1,
						  .host = "mx1",
						  .program = "postfix",
						  .heard = now(),
						  .count = 1,
						  .client = "",
						  .mechanism = ""};
	struct store_log_state log_state = {.change = 1, .seed = 1};
	char users[10] = "";
	(void)state;

	if (store_is_file())
		return;
	store = open_known("mx1");
	forget(store, ALICE);
	assert_true(store_begin(store));
	for (int i = 0; i < 3; i++) {
		connection.user = i == 1 ? BOB : ALICE;
		connection.time = now() + (i == 2 ? 1000 : -60000);
		assert_true(store_add_log_connection(store, &connection));
	}
	assert_true(store_put_log_state(store, &log_state));
	assert_true(store_commit(store));
	assert_true(store_each_log_connection(store, note_user, users));
	assert_string_equal(users, "ba");
	store_close(store);
}

static void test_expiry(void **state)
{
	static const struct store_expiry expiry = {.keep_addresses = 1000, .keep_sightings = 5000};
	struct store *store;
	(void)state;

	if (store_is_file())
		return;
	store = open_known("mx1");
	forget(store, ALICE);
	assert_true(store_expire(store, &expiry, now() + 4000));
	assert_orders(store, "alice mx1!, ");
	assert_true(store_expire(store, &expiry, now() + 7 * MILLISECONDS_A_DAY));
	assert_orders(store, "");
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, make_empty_store, remove_directory)
		TEST(test_a_file_has_none),         TEST(test_nobody_else_is_known),
		TEST(test_until_all_have_answered), TEST(test_what_comes_later),
		TEST(test_ordered_again),           TEST(test_host_that_is_gone),
		TEST(test_connections_of_logs),     TEST(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
