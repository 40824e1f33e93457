#include "unit.h"

#include <glib.h>
#include <string.h>

#include "admin/store/store-logs.h"
#include "admin/store/store-week.h"
#include "any-store.h"

/* Whatever happens to sightings: who is active is what they say, one by one. */

#define NOW INT64_C(1767225600000) /* 2026-01-01 */
#define DAY MILLISECONDS_A_DAY
#define HOUR (DAY / 24)

/* ---- what sightings say ---- */

struct counting {
	int64_t since, week, user_id;
	bool lately;
	uint64_t weeks;
	struct store_activity activity;
};

static void count_user(struct counting *counting)
{
	counting->activity.lately += counting->lately;
	for (unsigned int i = 0; i < STORE_ACTIVITY_WEEKS; i++)
		counting->activity.weeks[i] += counting->weeks >> i & 1;
	counting->lately = false;
	counting->weeks = 0;
}

static bool count(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;

	if (sighting->user_id != counting->user_id)
		count_user(counting);
	counting->user_id = sighting->user_id;
	if (sighting->user == NULL || sighting->user[0] == '\0' ||
	    g_ascii_strcasecmp(sighting->habit->mechanism, "ANONYMOUS") == 0)
		return true;
	counting->lately |= sighting->last_seen >= counting->since;
	counting->weeks |= seen_weeks(sighting, counting->week);
	return true;
}

static void assert_right(struct store *store, int64_t since)
{
	const struct store_filter filter = {.verified = true, .names = true};
	struct counting counting = {.since = since, .week = store_week(NOW)};
	struct store_activity activity;

	assert_true(store_begin_reading(store));
	assert_true(store_each_sighting(store, &filter, count, &counting));
	count_user(&counting);
	assert_true(store_count_activity(store, since, counting.week, &activity));
	assert_true(store_commit(store));
	assert_int_equal(activity.lately, counting.activity.lately);
	for (unsigned int i = 0; i < STORE_ACTIVITY_WEEKS; i++)
		assert_int_equal(activity.weeks[i], counting.activity.weeks[i]);
}

static void assert_all_right(struct store *store)
{
	for (int64_t days = 0; days < 60; days += 7) {
		assert_right(store, NOW - days * DAY);
		assert_right(store, NOW - days * DAY + 5 * HOUR);
	}
}

/* ---- what happens ---- */

static const struct store_habit habits[] = {
	{.port = 143, .mechanism = "PLAIN", .client_id = "name=Thunderbird"},
	{.port = 993, .mechanism = "PLAIN", .client_id = ""},
	{.port = 993, .mechanism = "Anonymous", .client_id = ""},
};

static void add(struct store *store, GRand *rand, int64_t time)
{
	static const char *const users[] = {"", "alice", "bob", "carol", "dave", "erin"};
	const struct store_rule_set clean = {0};
	int64_t before = g_rand_int_range(rand, 0, 20) * DAY;
	struct store_sighting sighting = {
		.user = users[g_rand_int_range(rand, 0, G_N_ELEMENTS(users))],
		.verified = g_rand_int_range(rand, 0, 4) > 0,
		.habit = &habits[g_rand_int_range(rand, 0, G_N_ELEMENTS(habits))],
		.rules = &clean,
		.count = 2,
		.first_seen = time - before,
		.last_seen = time,
		.weeks = 1 | UINT64_C(1) << (store_week(time) - store_week(time - before)),
		.days = before == 0 ? 1 : 2,
		.last_client = "",
	};

	assert_true(store_add(store, &sighting));
}

/* In one transaction, in no order. */
static void add_some(struct store *store, GRand *rand, int64_t from, int64_t to)
{
	assert_true(store_begin(store));
	for (int i = 0; i < 10; i++)
		add(store, rand,
		    from + g_rand_int_range(rand, 0, (gint32)((to - from) / HOUR)) * HOUR);
	assert_true(store_commit(store));
}

static void test_what_comes(void **state)
{
	struct store *store = *state;
	GRand *rand = g_rand_new_with_seed(4711);

	for (int i = 0; i < 10; i++) {
		add_some(store, rand, NOW - (60 - 5 * i) * DAY, NOW - (50 - 5 * i) * DAY);
		assert_all_right(store);
	}
	g_rand_free(rand);
}

static void test_what_goes(void **state)
{
	struct store *store = *state;
	GRand *rand = g_rand_new_with_seed(42);
	bool found, wiped;

	for (int i = 0; i < 4; i++)
		add_some(store, rand, NOW - 60 * DAY, NOW);
	for (int64_t days = 50; days > 0; days -= 7) {
		const struct store_expiry expiry = {.keep_addresses = DAY,
						    .keep_sightings = days * DAY};

		assert_true(store_expire(store, &expiry, NOW));
		assert_all_right(store);
	}
	add_some(store, rand, NOW - 60 * DAY, NOW);
	assert_true(store_forget(store, "alice", NOW, &found, &wiped));
	assert_true(found);
	assert_all_right(store);
	g_rand_free(rand);
}

static void test_what_is_ahead(void **state)
{
	struct store *store = *state;
	GRand *rand = g_rand_new_with_seed(7);

	add_some(store, rand, NOW - 60 * DAY, NOW);
	add_some(store, rand, NOW + DAY, NOW + 60 * DAY);
	assert_true(store_correct_future(store, NOW));
	assert_all_right(store);
	g_rand_free(rand);
}

/* ---- what logs tell ---- */

static void tell(struct store *store, enum store_witness witness, const char *user, int64_t time,
		 bool settled)
{
	struct store_server server = {.host = "mx1", .witness = witness};
	struct store_habit habit = {.port = 143, .mechanism = "PLAIN", .client_id = ""};
	struct store_sighting sighting = one_login(user, &habit, time);

	sighting.settled = settled;
	habit.of_log = witness != WITNESS_SERVER;
	assert_true(store_begin(store));
	assert_true(store_find_server(store, &server));
	sighting.server = habit.of_log ? server.id : 0;
	assert_true(store_add(store, &sighting));
	assert_true(store_cover(store, server.id, time - HOUR, time + HOUR));
	assert_true(store_commit(store));
	assert_all_right(store);
}

/* What the log told is taken back where the server told of somebody at that time. */
static void test_what_is_taken_back(void **state)
{
	struct store *store = *state;

	tell(store, WITNESS_FILE, "alice", NOW - 40 * DAY, false);
	tell(store, WITNESS_FILE, "alice", NOW - 20 * DAY, false);
	tell(store, WITNESS_FILE, "bob", NOW - 20 * DAY, true);
	tell(store, WITNESS_FILE, "carol", NOW - 3 * DAY, false);
	tell(store, WITNESS_SERVER, "dave", NOW - 20 * DAY, false);
	tell(store, WITNESS_SERVER, "dave", NOW - 3 * DAY, false);
	/* Of a time that is covered. */
	tell(store, WITNESS_FILE, "erin", NOW - 3 * DAY, false);
}

static void test_what_is_settled(void **state)
{
	struct store *store = *state;
	bool more;

	tell(store, WITNESS_FILE, "alice", NOW - 40 * DAY, false);
	tell(store, WITNESS_FILE, "alice", NOW - 20 * DAY, false);
	tell(store, WITNESS_FILE, "bob", NOW - 20 * DAY, false);
	assert_true(store_begin(store));
	assert_true(store_settle(store, NOW / DAY - 10, &more));
	assert_true(store_commit(store));
	assert_all_right(store);
}

#define ACTIVITY_TEST(function)                                                                    \
	cmocka_unit_test_setup_teardown(function, make_open_store, remove_open_store)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ACTIVITY_TEST(test_what_comes),      ACTIVITY_TEST(test_what_goes),
		ACTIVITY_TEST(test_what_is_ahead),   ACTIVITY_TEST(test_what_is_taken_back),
		ACTIVITY_TEST(test_what_is_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
