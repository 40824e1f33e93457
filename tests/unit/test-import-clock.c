#include "unit.h"
#include "directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "admin/journal/import-clock.h"

#define DAY MILLISECONDS_A_DAY

/* 2024-09-20 08:15:02.123 UTC, a Friday. */
#define NOW INT64_C(1726820102123)

/* What the machine's clock shows. */
static int64_t shown;

int clock_gettime(clockid_t clock, struct timespec *time_r)
{
	if (clock != CLOCK_REALTIME || shown == 0)
		return (int)syscall(SYS_clock_gettime, clock, time_r);
	*time_r = (struct timespec){shown / 1000, shown % 1000 * 1000000};
	return 0;
}

static int begin(void **state)
{
	char uri[128];
	struct store_failure failure;

	if (make_directory(state) != 0)
		return -1;
	snprintf(uri, sizeof(uri), "sqlite:%s/store.db", directory);
	shown = NOW;
	*state = store_open(uri, NULL, STORE_WRITE, &failure);
	return *state == NULL ? -1 : 0;
}

static int end(void **state)
{
	shown = 0;
	store_close(*state);
	return remove_directory(state);
}

static void add_line(struct store *store, int64_t time, int64_t last_import)
{
	const struct store_day day = {
		.day = time / DAY, .sightings = 1, .lines = 1, .last_line = 1};
	const struct store_writer writer = {.host = "mx1", .lines = 1, .last_seen = time};
	const struct store_totals totals = {.last_import = last_import, .lines = 1};

	assert_true(store_begin(store));
	assert_true(store_add_day(store, &day));
	assert_true(store_add_writer(store, &writer));
	assert_true(store_add_totals(store, &totals));
	assert_true(store_commit(store));
}

/* A week that ends now. */
static void add_week(struct store *store)
{
	for (int i = 6; i >= 0; i--)
		add_line(store, NOW - i * DAY, NOW - i * DAY);
}

static void assert_behind(struct import_clock *clock, struct store *store, const char *words)
{
	assert_false(import_clock_read(clock, store));
	assert_int_equal(clock->failure.status, EX_TEMPFAIL);
	if (strstr(clock->failure.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", clock->failure.text, words);
}

static void assert_read(struct import_clock *clock, struct store *store)
{
	if (!import_clock_read(clock, store))
		fail_msg("%s", clock->failure.text);
	assert_int_equal(clock->failure.status, 0);
}

static void test_clock_that_is_behind(void **state)
{
	struct import_clock clock = {0}, forced = {.forced = true};

	add_week(*state);
	assert_read(&clock, *state);
	shown = NOW - DAY;
	assert_read(&clock, *state);
	shown--;
	assert_behind(&clock, *state, "the clock (2024-09-19) is more than a day behind the last");
	assert_read(&forced, *state);
	/* The import was longer ago than the newest line. */
	add_line(*state, NOW, NOW - 20 * DAY);
	assert_behind(&clock, *state, "behind the newest record (2024-09-20)");
	shown = NOW;
	assert_read(&clock, *state);
}

/* Nobody can call it right. */
static void test_clock_that_is_impossible(void **state)
{
	struct import_clock clocks[] = {{0}, {.forced = true}, {.at = NOW}};

	for (size_t i = 0; i < COUNT(clocks); i++) {
		shown = FIRST_TIME - 1;
		assert_behind(&clocks[i], *state, "the clock is wrong");
		shown = FIRST_TIME;
		assert_read(&clocks[i], *state);
	}
}

/* It was for years, or the store would ask the operator. */
static void test_clock_that_was_ahead(void **state)
{
	struct import_clock clock = {0};

	add_week(*state);
	add_line(*state, NOW + 1000 * DAY, NOW + 1000 * DAY);
	assert_read(&clock, *state);
	add_line(*state, NOW, NOW + 30 * DAY);
	assert_behind(&clock, *state, "behind the last import (2024-10-20)");
}

static void test_ages(void **state)
{
	struct import_clock clock = {.at = NOW + 400 * DAY};

	/* A single line, however old it seems, may be the only true one. */
	add_line(*state, NOW, NOW);
	assert_read(&clock, *state);
	assert_false(import_clock_is_past(&clock, NOW - 1000 * DAY, 86400));
	add_week(*state);
	assert_read(&clock, *state);
	assert_int_equal(import_clock_reference(&clock), NOW + 2 * DAY);
	assert_true(import_clock_is_past(&clock, NOW + DAY - 1, 86400));
	assert_false(import_clock_is_past(&clock, NOW + DAY, 86400));
	assert_int_equal(clock.present, clock.at);
	clock.at = NOW - DAY;
	assert_read(&clock, *state);
	assert_int_equal(import_clock_reference(&clock), NOW - DAY);
	assert_int_equal(clock.present, NOW);
}

static void test_what_is_sure(void **state)
{
	struct import_clock clock = {0}, forced = {.forced = true};
	struct import_clock told = {.at = NOW, .forced = true};

	add_line(*state, NOW, NOW);
	assert_read(&clock, *state);
	assert_false(import_clock_is_sure(&clock));
	add_week(*state);
	assert_read(&clock, *state);
	assert_true(import_clock_is_sure(&clock));
	shown = NOW + 2 * DAY + 1;
	assert_read(&clock, *state);
	assert_false(import_clock_is_sure(&clock));
	assert_read(&forced, *state);
	assert_true(import_clock_is_sure(&forced));
	assert_read(&told, *state);
	assert_false(import_clock_is_sure(&told));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clock_that_is_behind, begin, end),
		cmocka_unit_test_setup_teardown(test_clock_that_is_impossible, begin, end),
		cmocka_unit_test_setup_teardown(test_clock_that_was_ahead, begin, end),
		cmocka_unit_test_setup_teardown(test_ages, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_sure, begin, end),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
