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

/* In a time zone, at a moment given as seconds since 1970. */
static void check_in(const char *zone, time_t now, const char *text, time_t expected)
{
	const char *error = NULL;
	bool is_day;
	time_t time;

	setenv("TZ", zone, 1);
	tzset();
	assert_true(date_option_parse(text, now, &time, &is_day, &error));
	assert_int_equal(time, expected);
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
}

static void check_day_in(const char *zone, time_t now, const char *text, const char *expected)
{
	char day[ISO_DAY_TEXT_SIZE];
	const char *error = NULL;

	setenv("TZ", zone, 1);
	tzset();
	assert_true(day_option_parse(text, now, day, &error));
	assert_string_equal(day, expected);
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
}

/* As if libc had been asked about a moment with, or without, daylight saving just before. */
static void remember(time_t time)
{
	struct tm local;

	localtime_r(&time, &local);
	mktime(&local);
}

static void test_daylight_saving(void **state)
{
	static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	/* Of an hour that comes twice, the first: 2026-10-25 02:30 in summer time. */
	time_t first = 1792888200, second = first + 3600;
	time_t day_after = second + 86400;
	/* Of one that is skipped, what a clock shows that goes on: 03:30. */
	time_t spring = 1774747800;
	(void)state;

	for (int season = 0; season <= 1; season++) {
		remember(season == 0 ? 1767225600 : 1782864000);
		check_in(berlin, day_after, "1d", first);
		check_in(berlin, first - 86400, "+1d", first);
		check_in(berlin, day_after + 6 * 86400, "1w", first);
		check_in(berlin, spring + 86400 - 3600, "1d", spring);
		check_in(berlin, spring - 86400, "+1d", spring);
		/* Hours are hours, and no distance is none. */
		check_in(berlin, second, "0d", second);
		check_in(berlin, second, "0h", second);
		check_in(berlin, second, "1h", first);
		check_in(berlin, first, "+1h", second);
		check_in(berlin, second, "now", second);
		check_in(berlin, second, "24h", second - 86400);
		/* The day of 25 hours and that of 23. */
		check_in(berlin, second, "today", first - 9000);
		check_in(berlin, second, "tomorrow", second + 77400);
		check_in(berlin, day_after, "yesterday", first - 9000);
		check_in(berlin, spring, "tomorrow", spring + 73800);
	}
}

/* Where midnight is skipped, or comes twice. */
static void test_daylight_saving_at_midnight(void **state)
{
	static const char cairo[] = "EET-2EEST,M4.5.5/0,M10.5.4/24";
	/* 2026-04-24 begins at 01:00. */
	time_t begin = 1776981600;
	(void)state;

	for (int season = 0; season <= 1; season++) {
		remember(season == 0 ? 1767225600 : 1782864000);
		check_in(cairo, begin, "today", begin);
		check_in(cairo, begin + 84600, "yesterday", begin);
		check_in(cairo, begin - 84600, "tomorrow", begin);
		check_in(cairo, begin - 84600, "today", begin - 86400);
		check_day_in(cairo, begin - 84600, "+1d", "2026-04-24");
		check_day_in(cairo, begin - 84600, "tomorrow", "2026-04-24");
		check_day_in(cairo, begin - 84600 - 29 * 86400, "+30d", "2026-04-24");
		check_day_in(cairo, begin + 84600, "yesterday", "2026-04-24");
	}
}

static void test_year_end(void **state)
{
	static const char zone[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	time_t new_year = 1798758000; /* 2027-01-01 00:00 */
	(void)state;

	check_in(zone, new_year - 1, "today", new_year - 86400);
	check_in(zone, new_year - 1, "tomorrow", new_year);
	check_in(zone, new_year, "yesterday", new_year - 86400);
	check_in(zone, new_year, "today", new_year);
	check_in(zone, new_year - 1, "+1d", new_year + 86399);
	check_in(zone, new_year + 59 * 86400, "59d", new_year);
	check_in(zone, new_year + 3600, "1w", new_year + 3600 - 7 * 86400);
	check_day_in(zone, new_year - 1, "tomorrow", "2027-01-01");
	check_day_in(zone, new_year - 1, "+60d", "2027-03-01");
	check_day_in(zone, new_year - 1, "+1h", "2027-01-01");
	/* 2028 is a leap year. */
	check_day_in(zone, new_year + 424 * 86400, "yesterday", "2028-02-28");
	check_day_in(zone, new_year + 423 * 86400, "tomorrow", "2028-02-29");
	check_day_in(zone, new_year + 423 * 86400, "+366d", "2029-02-28");
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
		cmocka_unit_test(test_daylight_saving),
		cmocka_unit_test(test_daylight_saving_at_midnight),
		cmocka_unit_test(test_year_end),
		cmocka_unit_test(test_what_is_no_date),
		cmocka_unit_test(test_days),
	};

	setenv("TZ", "Europe/Berlin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
