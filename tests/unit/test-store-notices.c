#include "unit.h"
#include "any-store.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/store/store-notices.h"

#define DAY INT64_C(86400000)

/* 2024-09-20 08:15:02.123 UTC. */
#define NOW INT64_C(1726820102123)

static struct store_notice to(const char *user)
{
	return (struct store_notice){.user = user,
				     .recipient = "old@example.org",
				     .message_id = "1@example.org",
				     .reason = NOTICE_FIRST,
				     .rules = "encryption,country",
				     .state = NOTICE_INTENDED,
				     .intended = NOW,
				     .attempts = 1,
				     .error = ""};
}

static void put(struct store *store, struct store_notice *notice)
{
	assert_true(store_begin(store));
	assert_true(store_put_notice(store, notice));
	assert_true(store_commit(store));
}

/* Compares what comes with an array, in its order. */
struct expected {
	const struct store_notice *notices;
	size_t count, seen;
};

static bool compare(void *context, const struct store_notice *found)
{
	struct expected *expected = context;
	const struct store_notice *notice = &expected->notices[expected->seen];

	assert_true(expected->seen < expected->count);
	assert_int_equal(found->id, notice->id);
	assert_string_equal(found->user, notice->user);
	assert_string_equal(found->recipient, notice->recipient);
	assert_string_equal(found->message_id, notice->message_id);
	assert_int_equal(found->reason, notice->reason);
	assert_string_equal(found->rules, notice->rules);
	assert_string_equal(found->dates, notice->dates == NULL ? "" : notice->dates);
	assert_int_equal(found->state, notice->state);
	assert_int_equal(found->intended, notice->intended);
	assert_int_equal(found->settled, notice->settled);
	assert_int_equal(found->attempts, notice->attempts);
	assert_string_equal(found->error, notice->error);
	expected->seen++;
	return true;
}

static void assert_notices(struct store *store, const char *user,
			   const struct store_notice *notices, size_t count)
{
	struct expected expected = {notices, count, 0};

	assert_true(store_each_notice(store, user, compare, &expected));
	assert_int_equal(expected.seen, count);
}

static void test_from_intention_to_result(void **state)
{
	struct store *store = *state;
	struct store_notice notices[] = {to("alice@example.org"), to("bob@example.org"),
					 to("alice@example.org")};

	notices[1].reason = NOTICE_LAST_CALL;
	notices[1].dates = "1726783200,never";
	notices[2].reason = NOTICE_FIXED;
	for (size_t i = 0; i < COUNT(notices); i++)
		put(store, &notices[i]);
	assert_true(notices[0].id != 0 && notices[0].id < notices[1].id);
	assert_notices(store, NULL, notices, COUNT(notices));
	notices[0].state = NOTICE_HANDED_OVER;
	notices[0].settled = NOW + 5;
	notices[0].attempts = 2;
	notices[1].state = NOTICE_FAILED;
	notices[1].settled = NOW + 6;
	notices[1].error = "550 it's \"nobody\"; DROP TABLE notices";
	put(store, &notices[0]);
	put(store, &notices[1]);
	assert_notices(store, NULL, notices, COUNT(notices));
	assert_notices(store, "bob@example.org", &notices[1], 1);
	assert_notices(store, "carol@example.org", NULL, 0);
}

/* Of what this host has in hand it knows itself whether that is under way. */
static void test_one_at_a_time(void **state)
{
	struct store *store = *state, *theirs = open_as("mx2");
	struct store_notifier other;
	bool locked;

	assert_true(store_lock_notices(store, &locked, &other));
	assert_true(locked && store_holds_notices(store));
	if (!store_is_file()) {
		assert_true(store_lock_notices(theirs, &locked, &other));
		assert_false(locked);
		assert_string_equal(other.host, "mx1");
		assert_true(other.since > NOW);
		assert_false(store_holds_notices(theirs));
		store_close(store);
		*state = store = open_as("mx1");
		/* The server may take a moment to see that the other one is gone. */
		for (int i = 0; i < 1000 && !locked; i++) {
			assert_true(store_lock_notices(theirs, &locked, &other));
			g_usleep(10000);
		}
		assert_true(locked && store_holds_notices(theirs));
	}
	store_close(theirs);
}

static bool note_in_hand(void *context, const struct store_notice *found)
{
	*(bool *)context = found->in_hand;
	return true;
}

static bool is_in_hand(struct store *store)
{
	bool in_hand = false;

	assert_true(store_each_notice(store, "alice@example.org", note_in_hand, &in_hand));
	return in_hand;
}

static void test_in_hand(void **state)
{
	struct store *store = *state, *theirs;
	struct store_notice notice = to("alice@example.org");

	notice.in_hand = true;
	put(store, &notice);
	assert_false(is_in_hand(store));
	if (store_is_file())
		return;
	theirs = open_as("mx2");
	assert_true(is_in_hand(theirs));
	notice.in_hand = false;
	put(store, &notice);
	assert_false(is_in_hand(theirs));
	store_close(theirs);
}

static void test_rollback(void **state)
{
	struct store *store = *state;
	struct store_notice notice = to("alice@example.org");

	assert_true(store_begin(store));
	assert_true(store_put_notice(store, &notice));
	store_rollback(store);
	assert_notices(store, NULL, NULL, 0);
}

static void test_count(void **state)
{
	struct store *store = *state;
	uint64_t count;

	for (unsigned int i = 0; i < 10; i++) {
		struct store_notice notice = to("alice@example.org");

		notice.state = i < 8 ? NOTICE_HANDED_OVER : NOTICE_FAILED;
		notice.settled = NOW + i;
		put(store, &notice);
	}
	assert_true(store_count_notices(store, NOW + 2, NOW + 100, &count));
	assert_int_equal(count, 7);
	assert_true(store_count_notices(store, NOW - 1, NOW + 1, &count));
	assert_int_equal(count, 2);
}

static bool copy_id(void *context, const struct store_notice *notice)
{
	*(int64_t *)context = notice->id;
	return true;
}

/* A mail may come back before it is known to be handed over. */
static void test_what_came_back(void **state)
{
	struct store *store = *state;
	struct store_notice notices[] = {to("alice@example.org"), to("bob@example.org")};
	int64_t found = 0;

	notices[1].message_id = "2@example.org";
	notices[1].state = NOTICE_HANDED_OVER;
	notices[1].settled = NOW + 7;
	put(store, &notices[0]);
	put(store, &notices[1]);
	assert_true(store_find_notice(store, "3@example.org", copy_id, &found));
	assert_int_equal(found, 0);
	assert_true(store_find_notice(store, "2@example.org", copy_id, &found));
	assert_int_equal(found, notices[1].id);
	for (size_t i = 0; i < COUNT(notices); i++) {
		assert_true(store_begin(store));
		assert_true(store_fail_notice(store, notices[i].id, NOW + 9, "it came back"));
		assert_true(store_commit(store));
		notices[i].state = NOTICE_HANDED_OVER;
		notices[i].error = "";
		put(store, &notices[i]);
		notices[i].state = NOTICE_FAILED;
		notices[i].error = "it came back";
	}
	notices[0].settled = NOW + 9;
	assert_notices(store, NULL, notices, COUNT(notices));
}

static void test_privacy(void **state)
{
	static const struct store_expiry expiry = {14 * DAY, 400 * DAY};
	struct store *store = *state;
	struct store_notice alice = to("alice@example.org"), bob = to("bob@example.org");
	bool found, wiped;

	bob.intended = NOW + DAY;
	put(store, &alice);
	put(store, &bob);
	assert_true(store_expire(store, &expiry, NOW + 400 * DAY + 1));
	assert_notices(store, NULL, &bob, 1);
	assert_true(store_forget(store, "bob@example.org", 0, &found, &wiped));
	assert_true(found && wiped);
	assert_notices(store, NULL, NULL, 0);
	assert_true(store_forget(store, "bob@example.org", 0, &found, &wiped));
	assert_false(found);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_open_store, remove_open_store)

static void log_in(struct store *store, const char *user)
{
	const struct store_habit habit = {.port = 993, .mechanism = "PLAIN", .client_id = ""};
	const struct store_sighting sighting = one_login(user, &habit, NOW);

	assert_true(store_begin(store));
	assert_true(store_add(store, &sighting));
	assert_true(store_commit(store));
}

static bool note_user(void *context, const struct store_sighting *sighting)
{
	g_string_append_printf(context, "%s ", sighting->user);
	return true;
}

static const struct store_filter told = {
	.verified = true, .names = true, .offenders = true, .told = true};

/* Of people who are asked for since they were told something; in the order in which they came. */
static void assert_told(struct store *store, const char *users)
{
	GString *found = g_string_new(NULL);

	assert_true(store_begin_reading(store));
	assert_true(store_each_sighting(store, &told, note_user, found));
	assert_true(store_commit(store));
	assert_string_equal(found->str, users);
	g_string_free(found, TRUE);
}

/* Be it before they came, or after that. */
static void test_who_was_told(void **state)
{
	struct store_notice first = to("alice"), second = to("bob");

	put(*state, &first);
	assert_told(*state, "");
	log_in(*state, "alice");
	log_in(*state, "bob");
	log_in(*state, "carol");
	assert_told(*state, "alice ");
	put(*state, &second);
	assert_told(*state, "alice bob ");
	log_in(*state, "bob");
	assert_told(*state, "alice bob ");
}

/* Who is read some thousands at a time, while the notices of each are asked for when the next one
   comes, as those who tell people do. */
struct telling {
	struct store *store;
	char user[20]; /* the one before; "" none */
	uint64_t people, notices, until;
};

static bool count_notice(void *context, const struct store_notice *notice)
{
	struct telling *telling = context;

	assert_string_equal(notice->user, telling->user);
	telling->notices++;
	return true;
}

static void tell(struct telling *telling)
{
	if (telling->user[0] != '\0')
		assert_true(
			store_each_notice(telling->store, telling->user, count_notice, telling));
}

static bool tell_before(void *context, const struct store_sighting *sighting)
{
	struct telling *telling = context;

	tell(telling);
	g_strlcpy(telling->user, sighting->user, sizeof(telling->user));
	telling->people++;
	return telling->people < telling->until;
}

static void assert_tells(struct store *store, uint64_t until, uint64_t people, uint64_t notices)
{
	struct telling telling = {.store = store, .until = until};

	assert_true(store_each_sighting(store, &told, tell_before, &telling));
	tell(&telling);
	assert_int_equal(telling.people, people);
	assert_int_equal(telling.notices, notices);
}

/* Each of whom has a notice, and each tenth one another. */
static void tell_people(struct store *store, int people)
{
	const struct store_habit habit = {.port = 993, .mechanism = "PLAIN", .client_id = ""};

	assert_true(store_begin(store));
	for (int i = 0; i < people; i++) {
		char user[20];
		struct store_notice first = to(user), second = to(user);
		struct store_sighting sighting = one_login(user, &habit, NOW);

		snprintf(user, sizeof(user), "user%d", i);
		assert_true(store_add(store, &sighting));
		assert_true(store_put_notice(store, &first));
		assert_true(i % 10 != 0 || store_put_notice(store, &second));
	}
	assert_true(store_commit(store));
}

static uint64_t notices_of(uint64_t people)
{
	return people + (people + 9) / 10;
}

static void test_notices_of_thousands(void **state)
{
	int people = rounds(4500);
	uint64_t all = (uint64_t)people, some = all / 2;

	tell_people(*state, people);
	assert_true(store_begin_reading(*state));
	assert_tells(*state, UINT64_MAX, all, notices_of(all));
	/* And whoever wants no more may ask for something else. */
	assert_tells(*state, 1, 1, notices_of(1));
	assert_tells(*state, some, some, notices_of(some));
	assert_tells(*state, UINT64_MAX, all, notices_of(all));
	assert_true(store_commit(*state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_from_intention_to_result),
		STORE_TEST(test_one_at_a_time),
		STORE_TEST(test_in_hand),
		STORE_TEST(test_rollback),
		STORE_TEST(test_count),
		STORE_TEST(test_what_came_back),
		STORE_TEST(test_privacy),
		STORE_TEST(test_who_was_told),
		STORE_TEST(test_notices_of_thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
