#include "unit.h"

#include <stdlib.h>

#include "admin/terminal/date-option.h"
#include "dates.h"

/* Two days after daylight saving began, of which day 02:00 to 03:00 is missing. */
#define NOW "2026-03-31 02:30"

static void check(const char *text, const char *expected, bool day_alone)
{
	const char *error = NULL;
	bool is_day;
	time_t time;

	assert_true(date_option_parse(text, date(NOW), &time, &is_day, &error));
	assert_null(error);
	assert_int_equal(time, date(expected));
	assert_int_equal(is_day, day_alone);
}

static void test_dates(void **state)
{
	(void)state;
	check("2024-09-20", "2024-09-20", true);
	check("2024-09-20 06:05", "2024-09-20 06:05", false);
	check("now", NOW, false);
	check("today", "2026-03-31", true);
	check("yesterday", "2026-03-30", true);
	check("tomorrow", "2026-04-01", true);
}

static void test_counted_from_now(void **state)
{
	(void)state;
	check("0d", NOW, false);
	check("1d", "2026-03-30 02:30", false);
	check("+1d", "2026-04-01 02:30", false);
	/* The same time of day across daylight saving, where there is one; hours are hours. */
	check("2d", "2026-03-29 03:30", false);
	check("7d", "2026-03-24 02:30", false);
	check("1w", "2026-03-24 02:30", false);
	check("+31w", "2026-11-03 02:30", false);
	check("168h", "2026-03-24 01:30", false);
	check("+48h", "2026-04-02 02:30", false);
	check("36525d", "1926-03-31 02:30", false);
}

static void check_wrong(const char *text)
{
	const char *error = NULL;
	bool is_day;
	time_t time;

	assert_false(date_option_parse(text, date(NOW), &time, &is_day, &error));
	assert_non_null(error);
}

static void test_what_is_no_date(void **state)
{
	(void)state;
	check_wrong("");
	check_wrong("d");
	check_wrong("-7d");
	check_wrong("7 d");
	check_wrong("7m");
	check_wrong("7D");
	check_wrong("36526d");
	check_wrong("18446744073709551617d");
	check_wrong("always");
	check_wrong("Yesterday");
	check_wrong("2026-02-29");
	check_wrong("2026-03-29 02:30");
}

static void check_day(const char *text, const char *expected)
{
	char day[ISO_DAY_TEXT_SIZE];
	const char *error = NULL;

	if (expected == NULL) {
		assert_false(day_option_parse(text, date(NOW), day, &error));
		assert_non_null(error);
		return;
	}
	assert_true(day_option_parse(text, date(NOW), day, &error));
	assert_string_equal(day, expected);
}

static void test_days(void **state)
{
	(void)state;
	check_day("2024-09-20", "2024-09-20");
	check_day("today", "2026-03-31");
	check_day("tomorrow", "2026-04-01");
	check_day("yesterday", "2026-03-30");
	check_day("+30d", "2026-04-30");
	check_day("+2w", "2026-04-14");
	check_day("30d", NULL);
	check_day("now", NULL);
	check_day("2024-09-20 06:05", NULL);
	check_day("2026-02-29", NULL);
	check_day("always", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_counted_from_now),
		cmocka_unit_test(test_what_is_no_date),
		cmocka_unit_test(test_days),
	};

	setenv("TZ", "Europe/Berlin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
