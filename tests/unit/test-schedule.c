#include "unit.h"
#include "dates.h"

#include <stdlib.h>
#include <string.h>

#include "policy/schedule.h"

static void local_time_in(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		time_t time; /* -1: an error */
	} cases[] = {
		{"1970-01-01", -3600},
		{"2024-02-29", 1709161200},
		{"2024-09-20", 1726783200},
		{"2024-09-20 06:00", 1726804800},
		{"2024-12-31 23:59", 1735685940},
		{"2023-02-29", -1},
		{"2024-04-31", -1},
		{"2024-13-01", -1},
		{"2024-00-01", -1},
		{"2024-01-00", -1},
		{"2024-1-1", -1},
		{"20240101", -1},
		{"2024-01-01T00:00", -1},
		{"2024-01-01 24:00", -1},
		{"2024-01-01 23:60", -1},
		{"2024-01-01 23:59:59", -1},
		{"2024-01-01 ", -1},
		{" 2024-01-01", -1},
		{"2024-01-01 +4h", -1},
		{"tomorrow", -1},
		{"", -1},
		/* Europe/Berlin goes from 01:59 to 03:00, and shows 02:30 twice. */
		{"2024-03-31 01:59", 1711846740},
		{"2024-03-31 02:00", -1},
		{"2024-03-31 02:59", -1},
		{"2024-03-31 03:00", 1711846800},
		{"2024-10-27 02:30", 1729989000},
		{"2024-10-27 03:00", 1729994400},
	};
	(void)state;

	local_time_in("Europe/Berlin");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *error = NULL;
		time_t time = 0;
		bool parsed = date_parse(cases[i].text, &time, &error);

		if (parsed != (cases[i].time != -1))
			fail_msg("%s", cases[i].text);
		if (parsed && time != cases[i].time)
			fail_msg("%s is %ld", cases[i].text, (long)time);
		if (!parsed)
			assert_non_null(error);
	}
	assert_true(date("always") == SCHEDULE_ALWAYS);
}

/* A zone whose clocks skip midnight. */
static void test_day_without_midnight(void **state)
{
	time_t begin, end;
	const char *error;
	(void)state;

	local_time_in("America/Santiago"); /* 2024-09-08 begins at 01:00 */
	assert_int_equal(date("2024-09-08"), date("2024-09-08 01:00"));
	assert_false(date_parse("2024-09-08 00:30", &begin, &error));
	assert_true(date_parse_day("2024-09-07", &begin, &end, &error));
	assert_int_equal(end, date("2024-09-08 01:00"));
	assert_int_equal(end - begin, 24 * 3600);
	assert_true(date_parse_day("2024-09-08", &begin, &end, &error));
	assert_int_equal(end - begin, 23 * 3600);
}

static void test_day(void **state)
{
	time_t begin, end;
	const char *error;
	(void)state;

	local_time_in("Europe/Berlin");
	assert_true(date_parse_day("2024-12-31", &begin, &end, &error));
	assert_int_equal(begin, date("2024-12-31"));
	assert_int_equal(end, date("2025-01-01"));
	assert_true(date_parse_day("2024-10-27", &begin, &end, &error));
	assert_int_equal(end - begin, 25 * 3600);
	assert_false(date_parse_day("2024-12-31 00:00", &begin, &end, &error));
	assert_false(date_parse_day("2024-12-32", &begin, &end, &error));
	assert_false(date_parse_day("always", &begin, &end, &error));
}

static void test_midnight(void **state)
{
	(void)state;
	local_time_in("Europe/Berlin");
	assert_int_equal(date_midnight(date("2024-09-20 23:59") + 59, 0), date("2024-09-20"));
	assert_int_equal(date_midnight(date("2024-09-20"), 0), date("2024-09-20"));
	assert_int_equal(date_midnight(date("2024-12-31 12:00"), 1), date("2025-01-01"));
	/* Days of 23 and of 25 hours. */
	assert_int_equal(date_midnight(date("2024-03-31 23:30"), 0), date("2024-03-31"));
	assert_int_equal(date_midnight(date("2024-10-27 00:30"), 1), date("2024-10-28"));
	/* In Lebanon, clocks go from midnight to one o'clock. */
	local_time_in("Asia/Beirut");
	assert_int_equal(date_midnight(date("2024-03-31 12:00"), 0), date("2024-03-31 01:00"));
	assert_int_equal(date_midnight(date("2024-03-30 23:00"), 1), date("2024-03-31 01:00"));
	/* In Newfoundland they went back just after midnight, so that it came twice. */
	local_time_in("America/St_Johns");
	assert_int_equal(date_midnight(date("2007-11-04 12:00"), 0), date("2007-11-04"));
	assert_int_equal(date_midnight(date("2007-11-03 12:00"), 1), date("2007-11-04"));
}

static void test_brownouts(void **state)
{
	static const struct {
		const char *text;
		long seconds; /* 0: an error */
	} cases[] = {
		{"2024-08-20 10:00 +4h", 4 * 3600},
		{"2024-08-20 +1d", 24 * 3600},
		{"2024-08-20 10:00 +90m", 90 * 60},
		{"2024-08-20 10:00", 0},
		{"2024-08-20 10:00 +0h", 0},
		{"2024-08-20 10:00 +h", 0},
		{"2024-08-20 10:00 4h", 0},
		{"2024-08-20 10:00 +4", 0},
		{"2024-08-20 10:00 +4h ", 0},
		{"2024-08-20 10:00 +4hours", 0},
		{"2024-08-20 10:00  +4h", 0},
		{"2024-08-20 10:00 +99999999999999999999h", 0},
		{"always +4h", 0},
		{"2024-02-30 10:00 +4h", 0},
		{"2024-08-20 10:00 +-4h", 0},
		{"", 0},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct brownout brownout;
		const char *error = NULL;
		bool parsed = brownout_parse(cases[i].text, &brownout, &error);

		if (parsed != (cases[i].seconds != 0))
			fail_msg("%s", cases[i].text);
		if (parsed)
			assert_int_equal(brownout.end - brownout.begin, cases[i].seconds);
		else
			assert_non_null(error);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		time_t seconds; /* -1: an error */
	} cases[] = {
		{"60m", 3600},
		{"1h", 3600},
		{"2d", 2 * 86400},
		{"48h", 2 * 86400},
		{"002d", 2 * 86400},
		{"3600s", 3600},
		{"3599s", -1},
		{"59m", -1},
		{"0h", -1},
		{"2881m", -1},
		{"49h", -1},
		{"3d", -1},
		{"99999999999999999999h", -1},
		{"", -1},
		{"h", -1},
		{"24", -1},
		{"1w", -1},
		{"1hh", -1},
		{"1h ", -1},
		{" 1h", -1},
		{"-1h", -1},
		{"+1h", -1},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		time_t seconds = -1;
		bool parsed = duration_parse(cases[i].text, 3600, 2 * 86400, &seconds);

		if (parsed != (cases[i].seconds != -1) || seconds != cases[i].seconds)
			fail_msg("%s", cases[i].text);
	}
}

static void test_phases(void **state)
{
	struct brownout brownouts[2];
	struct schedule schedule = {.brownouts = brownouts, .brownout_count = 2};
	static const struct {
		const char *at;
		enum phase phase;
	} cases[] = {
		{"2024-04-30 23:59", PHASE_OFF},
		{"2024-05-01", PHASE_OBSERVE},
		{"2024-05-31 23:59", PHASE_OBSERVE},
		{"2024-06-01", PHASE_NOTIFY},
		{"2024-08-20 09:59", PHASE_NOTIFY},
		{"2024-08-20 10:00", PHASE_ENFORCE},
		{"2024-08-20 13:59", PHASE_ENFORCE},
		{"2024-08-20 14:00", PHASE_NOTIFY},
		{"2024-09-20 05:59", PHASE_NOTIFY},
		{"2024-09-20 06:00", PHASE_ENFORCE},
		{"2034-09-20", PHASE_ENFORCE},
		/* A brown-out while the rule only observes changes nothing. */
		{"2024-05-10 10:30", PHASE_OBSERVE},
	};
	const char *error;
	(void)state;

	local_time_in("Europe/Berlin");
	schedule.observe = date("2024-05-01");
	schedule.notify = date("2024-06-01");
	schedule.enforce = date("2024-09-20 06:00");
	assert_true(brownout_parse("2024-05-10 10:00 +4h", &brownouts[0], &error));
	assert_true(brownout_parse("2024-08-20 10:00 +4h", &brownouts[1], &error));
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (schedule_phase(&schedule, date(cases[i].at)) != cases[i].phase)
			fail_msg("%s", cases[i].at);
	}
	assert_null(schedule_brownout(&schedule, date("2024-05-10 10:30")));
	assert_ptr_equal(schedule_brownout(&schedule, date("2024-08-20 10:30")), &brownouts[1]);
}

static void test_next_change(void **state)
{
	struct brownout brownouts[2];
	struct schedule schedule = {.brownouts = brownouts, .brownout_count = 2};
	static const struct {
		const char *at, *next;
		enum phase phase;
	} steps[] = {
		{"2024-01-01", "2024-06-01", PHASE_NOTIFY},
		{"2024-06-01", "2024-08-20 10:00", PHASE_ENFORCE},
		/* The second brown-out begins within the first and outlasts it. */
		{"2024-08-20 10:00", "2024-08-20 16:00", PHASE_NOTIFY},
		{"2024-08-20 16:00", "2024-09-20", PHASE_ENFORCE},
	};
	const char *error;
	enum phase phase;
	(void)state;

	local_time_in("Europe/Berlin");
	schedule.observe = SCHEDULE_NEVER;
	schedule.notify = date("2024-06-01");
	schedule.enforce = date("2024-09-20");
	assert_true(brownout_parse("2024-08-20 10:00 +4h", &brownouts[0], &error));
	assert_true(brownout_parse("2024-08-20 12:00 +4h", &brownouts[1], &error));
	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(schedule_next_change(&schedule, date(steps[i].at), &phase),
				 date(steps[i].next));
		assert_int_equal(phase, steps[i].phase);
	}
	assert_true(schedule_next_change(&schedule, date("2024-09-20"), &phase) == SCHEDULE_NEVER);
	assert_int_equal(phase, PHASE_ENFORCE);
}

static void test_always(void **state)
{
	const struct schedule schedule = {
		.observe = SCHEDULE_NEVER, .notify = SCHEDULE_NEVER, .enforce = SCHEDULE_ALWAYS};
	enum phase phase;
	(void)state;

	assert_int_equal(schedule_phase(&schedule, 0), PHASE_ENFORCE);
	assert_true(schedule_next_change(&schedule, 0, &phase) == SCHEDULE_NEVER);
}

/* On the day of the change an hour of brown-out is 3600 seconds, whatever the
   clocks show. */
static void test_brownout_over_daylight_saving(void **state)
{
	struct brownout brownout;
	const char *error;
	char text[DATE_TEXT_SIZE];
	(void)state;

	local_time_in("Europe/Berlin");
	assert_true(brownout_parse("2024-03-31 01:00 +2h", &brownout, &error));
	date_format(brownout.end, text);
	assert_string_equal(text, "2024-03-31 04:00");
}

static void test_format(void **state)
{
	char text[DATE_TEXT_SIZE];
	(void)state;

	local_time_in("Europe/Berlin");
	date_format(date("2024-09-20 06:05"), text);
	assert_string_equal(text, "2024-09-20 06:05");
	date_format(SCHEDULE_ALWAYS, text);
	assert_string_equal(text, "always");
	date_format(SCHEDULE_NEVER, text);
	assert_string_equal(text, "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_day_without_midnight),
		cmocka_unit_test(test_day),
		cmocka_unit_test(test_midnight),
		cmocka_unit_test(test_brownouts),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_next_change),
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_brownout_over_daylight_saving),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
