#include "unit.h"
#include "dates.h"

#include <stdlib.h>
#include <time.h>

#include "admin/notices/mail-limits.h"
#include "policy/schedule.h"

static struct notice_settings settings;

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	settings = (struct notice_settings){.max_per_hour = 2000,
					    .quiet_hours = {.begin = 20 * 60, .end = 7 * 60}};
	return 0;
}

static void test_how_many_leave(void **state)
{
	(void)state;
	/* 26,000 a day. */
	assert_int_equal(mail_hours(&settings, date("2024-06-01"), date("2024-06-02")), 13);
	assert_int_equal(mail_limit_an_hour(&settings), 2000);
	assert_int_equal(mail_hours(&settings, date("2024-06-01 18:00"), date("2024-06-02")), 2);
	assert_int_equal(mail_hours(&settings, date("2024-06-02"), date("2024-06-01")), 0);
	assert_int_equal(mail_hours(&settings, date("2025-01-01"), date("2028-01-01")),
			 3 * 365 * 13);
	assert_true(mail_hours(&settings, date("2025-01-01"), date("9999-01-01")) >
		    7974 * 365 * 13);
	settings.quiet_hours = (struct quiet_hours){0};
	assert_int_equal(mail_hours(&settings, date("2024-06-01"), date("2024-06-02")), 24);
	/* A run an hour. */
	settings.max_per_run = 500;
	assert_int_equal(mail_limit_an_hour(&settings), 500);
	settings.max_per_hour = 0;
	assert_int_equal(mail_limit_an_hour(&settings), 500);
	settings.max_per_run = 0;
	assert_int_equal(mail_limit_an_hour(&settings), 0);
}

/* A day on which the clock is changed is no pattern for the others, and a part of an hour is
   time enough for a run. */
static void test_many_days(void **state)
{
	(void)state;
	assert_in_range(mail_hours(&settings, date("2024-10-26 18:00"), date("2025-10-26 18:00")),
			365 * 13 - 1, 365 * 13 + 1);
	settings.quiet_hours = (struct quiet_hours){.begin = 30, .end = 0};
	assert_int_equal(mail_hours(&settings, date("2024-06-01"), date("2024-06-11")), 10);
}

/* However far a date is, and however many there are. */
static void test_reckoning_is_quick(void **state)
{
	struct mail_demand *demand = mail_demand_create();
	time_t now = date("2024-06-01"), last = date("9999-12-31");
	struct mail_shortage shortage;
	clock_t begin = clock();
	(void)state;

	for (int day = 0; day < 3000; day++)
		mail_demand_add(demand, now, last - day * (time_t)86400);
	assert_false(mail_limits_fall_short(&settings, demand, now, &shortage));
	assert_true(clock() - begin < 15 * CLOCKS_PER_SEC);
	mail_demand_free(demand);
}

static void add_people(struct mail_demand *demand, size_t count, const char *from, const char *by)
{
	time_t first = date(from), last = date(by);

	for (size_t i = 0; i < count; i++)
		mail_demand_add(demand, first, last);
}

static void test_a_million_people(void **state)
{
	time_t now = date("2024-05-01");
	struct mail_demand *demand = mail_demand_create();
	struct mail_shortage shortage;
	char *text;
	(void)state;

	add_people(demand, 1000000, "2024-06-01", "2024-07-01");
	assert_true(mail_limits_fall_short(&settings, demand, now, &shortage));
	assert_int_equal(shortage.date, date("2024-07-01"));
	assert_int_equal(shortage.people, 1000000);
	assert_int_equal(shortage.allowed, 30 * 26000);
	assert_int_equal(shortage.needed_an_hour, 2565);
	text = mail_shortage_text(&settings, &shortage);
	assert_string_equal(text, "1000000 people are to be told before 2024-07-01, and 780000 "
				  "mails may leave until then, 2000 an hour; 2565 would do");
	g_free(text);
	settings.max_per_hour = 2565;
	assert_false(mail_limits_fall_short(&settings, demand, now, &shortage));
	/* Half of the time is over, and nobody was told. */
	assert_true(mail_limits_fall_short(&settings, demand, date("2024-06-16"), &shortage));
	settings.max_per_hour = 0;
	assert_false(mail_limits_fall_short(&settings, demand, now, &shortage));
	mail_demand_free(demand);
}

/* Those of an earlier date take the place of those of a later one. */
static void test_several_dates(void **state)
{
	struct mail_demand *demand = mail_demand_create();
	struct mail_shortage shortage;
	(void)state;

	add_people(demand, 20000, "2024-06-01", "2024-06-03");
	add_people(demand, 50000, "2024-06-02", "2024-06-04");
	assert_false(mail_limits_fall_short(&settings, demand, date("2024-06-01"), &shortage));
	add_people(demand, 20000, "2024-06-02", "2024-06-04");
	assert_true(mail_limits_fall_short(&settings, demand, date("2024-06-01"), &shortage));
	assert_int_equal(shortage.date, date("2024-06-04"));
	assert_int_equal(shortage.people, 90000);
	/* In the last quiet hours before a date nothing is high enough. */
	assert_true(mail_limits_fall_short(&settings, demand, date("2024-06-02 21:00"), &shortage));
	assert_int_equal(shortage.date, date("2024-06-03"));
	assert_int_equal(shortage.needed_an_hour, 0);
	mail_demand_free(demand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_how_many_leave, set_up),
		cmocka_unit_test_setup(test_many_days, set_up),
		cmocka_unit_test_setup(test_reckoning_is_quick, set_up),
		cmocka_unit_test_setup(test_a_million_people, set_up),
		cmocka_unit_test_setup(test_several_dates, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
