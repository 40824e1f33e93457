#include "unit.h"

#include <glib.h>

#include "admin/store/store-logs.h"
#include "any-store.h"

/* Witnesses of one login, whom two hosts import at the same time. */

#define NOW INT64_C(1767225600000) /* 2026-01-01 */
#define HOUR (INT64_C(60) * 60 * 1000)
#define DAY (24 * HOUR)

static int64_t server(struct store *store, enum store_witness witness)
{
	struct store_server found = {.host = "mx1", .witness = witness};

	assert_true(store_find_server(store, &found));
	return found.id;
}

/* Records a login, as this witness tells of it. */
static void tell_of(struct store *store, enum store_witness witness, int64_t time)
{
	const struct store_habit habit = {.port = witness == WITNESS_SERVER ? 143 : 0,
					  .mechanism = "PLAIN",
					  .client_id = "",
					  .of_log = witness != WITNESS_SERVER};
	struct store_sighting sighting = one_login("alice", &habit, time);
	int64_t id = server(store, witness);

	sighting.server = witness == WITNESS_SERVER ? 0 : id;
	assert_true(store_add(store, &sighting));
	assert_true(store_cover(store, id, time - HOUR, time + HOUR));
}

static void tell(struct store *store, enum store_witness witness)
{
	tell_of(store, witness, NOW);
}

static bool count(void *context, const struct store_sighting *sighting)
{
	*(uint64_t *)context += sighting->count;
	return true;
}

static void assert_count(struct store *store, uint64_t expected)
{
	const struct store_filter filter = {.verified = true};
	uint64_t logins = 0;

	assert_true(store_begin_reading(store));
	assert_true(store_each_sighting(store, &filter, count, &logins));
	assert_true(store_commit(store));
	assert_int_equal(logins, expected);
}

static void assert_one_after_other(enum store_witness one, enum store_witness other)
{
	const enum store_witness witnesses[] = {one, other};
	struct store *store = open_as("mx1");

	for (int i = 0; i < 2; i++) {
		assert_true(store_begin(store));
		tell(store, witnesses[i]);
		assert_true(store_commit(store));
	}
	assert_count(store, 1);
	store_close(store);
	assert_int_equal(empty_store(), 0);
}

static void test_one_after_other(void **state)
{
	(void)state;
	assert_one_after_other(WITNESS_FILE, WITNESS_SERVER);
	assert_one_after_other(WITNESS_SERVER, WITNESS_FILE);
	assert_one_after_other(WITNESS_JOURNAL, WITNESS_FILE);
	assert_one_after_other(WITNESS_FILE, WITNESS_JOURNAL);
}

/* The one looks for the other before that one is there, and ends after it. */
static void assert_one_within_other(enum store_witness outer, enum store_witness inner)
{
	struct store *first = open_as("first"), *second = open_as("second");

	assert_true(store_begin(first));
	tell(first, outer);
	assert_true(store_begin(second));
	tell(second, inner);
	assert_true(store_commit(second));
	assert_true(store_commit(first));
	assert_count(first, 1);
	store_close(first);
	store_close(second);
	assert_int_equal(empty_store(), 0);
}

static void test_one_within_other(void **state)
{
	(void)state;
	assert_one_within_other(WITNESS_FILE, WITNESS_SERVER);
	assert_one_within_other(WITNESS_SERVER, WITNESS_FILE);
	assert_one_within_other(WITNESS_JOURNAL, WITNESS_FILE);
	assert_one_within_other(WITNESS_FILE, WITNESS_JOURNAL);
}

/* From now on, all who cover take their time between their last statement and their end. */
static void make_ends_slow(void)
{
	char command[800];

	snprintf(command, sizeof(command),
		 "psql -q '%s' -c 'CREATE FUNCTION portcullis.wait() RETURNS trigger"
		 " LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$'"
		 " -c 'CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON portcullis.coverage"
		 " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portcullis.wait()'",
		 store_uri);
	assert_int_equal(system(command), 0);
}

static gpointer commit(gpointer store)
{
	return GINT_TO_POINTER(store_commit(store));
}

/* Neither has ended when the other one comes to its end. */
static void assert_at_once(enum store_witness one, enum store_witness other)
{
	struct store *first = open_as("first"), *second = open_as("second");
	GThread *thread;

	/* Of what is new, such as a user, the second one would wait for the first. */
	assert_true(store_begin(first));
	tell_of(first, one, NOW - 30 * DAY);
	tell_of(first, other, NOW - 30 * DAY);
	assert_true(store_commit(first));
	make_ends_slow();
	assert_true(store_begin(first));
	tell(first, one);
	assert_true(store_begin(second));
	tell(second, other);
	thread = g_thread_new("first", commit, first);
	assert_true(store_commit(second));
	assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
	assert_count(first, 2);
	store_close(first);
	store_close(second);
	assert_int_equal(empty_store(), 0);
}

static void test_at_once(void **state)
{
	(void)state;
	assert_at_once(WITNESS_SERVER, WITNESS_FILE);
	assert_at_once(WITNESS_FILE, WITNESS_JOURNAL);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_empty_store, remove_directory)
	static const struct CMUnitTest tests[] = {STORE_TEST(test_one_after_other)};
	/* In a file, one transaction is under way at a time. */
	static const struct CMUnitTest on_server[] = {
		STORE_TEST(test_one_within_other),
		STORE_TEST(test_at_once),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (getenv("PORTCULLIS_TEST_POSTGRESQL") != NULL)
		failed += cmocka_run_group_tests(on_server, NULL, NULL);
	return failed;
}
