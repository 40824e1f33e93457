#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "dates.h"

static int present_year(void)
{
	time_t now = time(NULL);
	struct tm local;

	return localtime_r(&now, &local)->tm_year + 1900;
}

static int64_t milliseconds(int year, int month, int day)
{
	struct tm local = {.tm_year = year - 1900,
			   .tm_mon = month - 1,
			   .tm_mday = day,
			   .tm_hour = 12,
			   .tm_isdst = -1};

	return (int64_t)mktime(&local) * 1000;
}

static void check(int year, const char *shown)
{
	char text[DAY_TEXT_SIZE];

	assert_string_equal(day_format(milliseconds(year, 6, 4), text), shown);
}

static void test_days_have_another_year(void **state)
{
	char shown[DAY_TEXT_SIZE];
	int year = present_year();

	(void)state;
	check(year, " 4 Jun");
	snprintf(shown, sizeof(shown), " 4 Jun %d", year - 1);
	check(year - 1, shown);
	snprintf(shown, sizeof(shown), " 4 Jun %d", year + 1);
	check(year + 1, shown);
	check(1999, " 4 Jun 1999");
}

static void check_date(const char *text, const char *in_json, const char *in_a_sentence)
{
	char json[JSON_DATE_TEXT_SIZE], sentence[OFFSET_DATE_TEXT_SIZE];

	assert_string_equal(json_date_format(date(text), json), in_json);
	assert_string_equal(offset_date_format(date(text), sentence), in_a_sentence);
}

static void test_dates_have_their_offset(void **state)
{
	char text[JSON_DATE_TEXT_SIZE];

	(void)state;
	check_date("2024-09-20", "2024-09-20T00:00:00+02:00", "2024-09-20 00:00+02:00");
	check_date("2025-01-01 06:30", "2025-01-01T06:30:00+01:00", "2025-01-01 06:30+01:00");
	assert_string_equal(json_date_format(SCHEDULE_ALWAYS, text), "always");
	assert_null(json_date_format(SCHEDULE_NEVER, text));
	/* Before there were time zones, Berlin was 53 minutes and 28 seconds ahead. */
	check_date("1850-01-01", "1850-01-01T00:00:00+00:53", "1850-01-01 00:00+00:53");
	setenv("TZ", "America/St_Johns", 1);
	tzset();
	check_date("2024-09-20", "2024-09-20T00:00:00-02:30", "2024-09-20 00:00-02:30");
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_have_another_year),
		cmocka_unit_test(test_dates_have_their_offset),
	};

	setenv("TZ", "Europe/Berlin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
