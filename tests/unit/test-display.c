#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin/terminal/display.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_have_another_year),
	};

	setenv("TZ", "Europe/Berlin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
