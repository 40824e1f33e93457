#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/logs/log-years.h"
#include "admin/terminal/date-option.h"
#include "dates.h"

#define LINES_MAX 12

/* A time stamp, and the moment that its session id tells, or NULL. */
struct line {
	const char *time, *session;
};

static uint64_t session_of(const char *moment)
{
	if (moment == NULL)
		return LOG_SESSION_NONE;
	return (uint64_t)date(moment) * 1000000 & ((UINT64_C(1) << 48) - 1);
}

static struct log_time time_of(const char *text)
{
	struct log_time time = {.kind = LOG_TIME_NONE};

	if (text[0] != '\0' && log_time_read(log_slice(text), &time) != strlen(text))
		fail_msg("%s", text);
	return time;
}

static void expect(struct log_years *years, const struct line *line, const char *moment)
{
	struct log_time time = time_of(line->time);
	int64_t completed = log_years_complete(years, &time, session_of(line->session)) / 1000;
	int64_t expected = moment == NULL ? 0 : date(moment);

	if (completed != expected)
		fail_msg("%s, changed %s: %lld instead of %lld", line->time,
			 moment == NULL ? "" : moment, (long long)completed, (long long)expected);
}

struct file {
	const char *newest;
	struct line lines[LINES_MAX];
	const char *moments[LINES_MAX];
};

static void check(const struct file *file, bool is_pipe)
{
	struct log_years years;
	bool told = false;

	log_years_begin(&years, (int64_t)date(file->newest) * 1000);
	for (size_t i = 0; !is_pipe && i < LINES_MAX && file->lines[i].time != NULL && !told; i++) {
		struct log_time time = time_of(file->lines[i].time);

		told = log_years_look(&years, &time, session_of(file->lines[i].session));
	}
	log_years_rewind(&years);
	for (size_t i = 0; i < LINES_MAX && file->lines[i].time != NULL; i++)
		expect(&years, &file->lines[i], file->moments[i]);
}

static void test_file(void **state)
{
	static const struct file files[] = {
		/* One year. */
		{"2026-11-29 12:00",
		 {{"Nov 22 06:25:00", NULL},
		  {"Nov 22 06:25:00", NULL},
		  {"Nov 29 11:59:00", NULL},
		  {"2025-11-29 11:59:00", NULL},
		  {"Nov 29 11:59:00", NULL}},
		 {"2025-11-22 06:25", "2025-11-22 06:25", "2025-11-29 11:59", "2025-11-29 11:59",
		  "2025-11-29 11:59"}},
		/* Across New Year, with hosts whose clocks differ. */
		{"2026-01-03 06:25",
		 {{"Dec 27 06:25:00", NULL},
		  {"Dec 31 23:59:00", NULL},
		  {"Jan  1 00:00:00", NULL},
		  {"Dec 31 23:59:00", NULL},
		  {"Jan  1 00:01:00", NULL}},
		 {"2025-12-27 06:25", "2025-12-31 23:59", "2026-01-01 00:00", "2025-12-31 23:59",
		  "2026-01-01 00:01"}},
		/* Several years, and changed months later. */
		{"2026-06-01 00:00",
		 {{"Nov  1 00:00:00", NULL},
		  {"Mar  1 00:00:00", NULL},
		  {"Nov  1 00:00:00", NULL},
		  {"May  1 00:00:00", NULL},
		  {"Dec  1 00:00:00", NULL},
		  {"Feb  1 00:00:00", NULL}},
		 {"2023-11-01", "2024-03-01", "2024-11-01", "2025-05-01", "2025-12-01",
		  "2026-02-01"}},
		/* A leap day is of a leap year, whatever the file's time says. */
		{"2026-03-10 00:00",
		 {{"Feb 28 10:00:00", NULL}, {"Feb 29 10:00:00", NULL}, {"Mar  1 10:00:00", NULL}},
		 {"2024-02-28 10:00", "2024-02-29 10:00", "2024-03-01 10:00"}},
		{"2026-03-10 00:00",
		 {{"Aug  1 00:00:00", NULL},
		  {"Feb 28 10:00:00", NULL},
		  {"Feb 29 10:00:00", NULL},
		  {"Jul  1 00:00:00", NULL},
		  {"Feb 28 10:00:00", NULL},
		  {"Mar  1 10:00:00", NULL}},
		 {"2023-08-01", "2024-02-28 10:00", "2024-02-29 10:00", "2024-07-01",
		  "2025-02-28 10:00", "2025-03-01 10:00"}},
		/* A session id, somewhere, tells of all; the file was copied since. */
		{"2026-11-29 12:00",
		 {{"Dec 31 10:00:00", NULL},
		  {"Jan  1 00:00:00", "2018-12-31 23:59"},
		  {"Feb  1 10:00:00", NULL}},
		 {"2018-12-31 10:00", "2019-01-01 00:00", "2019-02-01 10:00"}},
		{"2026-11-29 12:00",
		 {{"Jan 31 10:00:00", NULL},
		  {"Jun  1 10:00:00", "2016-06-01 09:59"},
		  {"Dec 31 23:59:00", NULL},
		  {"Jan  2 00:00:00", NULL}},
		 {"2016-01-31 10:00", "2016-06-01 10:00", "2016-12-31 23:59", "2017-01-02 00:00"}},
		/* One that belongs to no such line tells nothing. */
		{"2026-11-29 12:00",
		 {{"Nov  1 10:00:00", "2020-05-01 10:00"}, {"Nov  2 10:00:00", NULL}},
		 {"2026-11-01 10:00", "2026-11-02 10:00"}},
		/* The format was changed. */
		{"2026-11-29 12:00",
		 {{"Dec 31 10:00:00", NULL},
		  {"Jan  1 10:00:00", NULL},
		  {"2021-01-02 10:00:00", NULL},
		  {"Jan  3 10:00:00", NULL}},
		 {"2020-12-31 10:00", "2021-01-01 10:00", "2021-01-02 10:00", "2021-01-03 10:00"}},
		{"2026-11-29 12:00",
		 {{"Dec 31 10:00:00", NULL}, {"2021-01-01T00:30:00+01:00", NULL}},
		 {"2020-12-31 10:00", "2021-01-01 00:30"}},
		/* Daylight saving, and an hour that there is not. */
		{"2026-11-29 12:00",
		 {{"Mar 29 01:59:00", NULL}, {"Mar 29 03:00:00", NULL}, {"Oct 25 12:00:00", NULL}},
		 {"2026-03-29 01:59", "2026-03-29 03:00", "2026-10-25 12:00"}},
		/* No line tells its date. */
		{"2026-11-29 12:00",
		 {{"", NULL}, {"", "2026-11-28 12:00"}, {"", "2018-06-01 00:00"}},
		 {NULL, "2026-11-28 12:00", "2018-06-01 00:00"}},
		/* A line may be a little newer than its file: clocks and zones. */
		{"2025-12-31 23:00", {{"Jan  1 01:00:00", NULL}}, {"2026-01-01 01:00"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		check(&files[i], false);
}

static void test_pipe(void **state)
{
	static const struct file files[] = {
		/* `zcat mail.log*`: the newest file first, .10 before .2. */
		{"2026-02-10 12:00",
		 {{"Feb  9 06:25:00", NULL},
		  {"Feb 10 12:00:00", NULL},
		  {"Feb  2 06:25:00", NULL},
		  {"Dec  1 06:25:00", NULL},
		  {"Jan 26 06:25:00", NULL}},
		 {"2026-02-09 06:25", "2026-02-10 12:00", "2026-02-02 06:25", "2025-12-01 06:25",
		  "2026-01-26 06:25"}},
		/* In order. */
		{"2026-02-10 12:00",
		 {{"Nov 29 06:25:00", NULL}, {"Dec 31 12:00:00", NULL}, {"Jan  1 06:25:00", NULL}},
		 {"2025-11-29 06:25", "2025-12-31 12:00", "2026-01-01 06:25"}},
		{"2026-11-29 12:00", {{"Feb 29 06:25:00", NULL}}, {"2024-02-29 06:25"}},
		{"2026-11-29 12:00",
		 {{"Nov 29 06:25:00", "2019-11-29 06:24"}, {"Jan  1 06:25:00", NULL}},
		 {"2019-11-29 06:25", "2020-01-01 06:25"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		check(&files[i], true);
}

static void test_span(void **state)
{
	const char *const times[] = {"Dec 27 06:25:00", "Jan  3 06:25:00", "Sep  9 06:25:00",
				     "Jan  3 06:25:00"};
	const int days[] = {0, 7, 257, 373};
	struct log_years years;

	(void)state;
	log_years_begin(&years, (int64_t)date("2026-11-29") * 1000);
	assert_int_equal(log_years_span(&years), -1);
	for (size_t i = 0; i < COUNT(times); i++) {
		struct log_time time = time_of(times[i]);

		(void)log_years_look(&years, &time, LOG_SESSION_NONE);
		assert_int_equal(log_years_span(&years) / 86400000, days[i]);
	}
}

/* Lines in no order at all still come from somewhere between. */
static void test_disorder(void **state)
{
	struct log_time months[] = {time_of("Dec  1 00:00:00"), time_of("Aug  1 00:00:00"),
				    time_of("Apr  1 00:00:00")};
	const size_t lines = (size_t)rounds(200000);
	struct log_years years;

	(void)state;
	log_years_begin(&years, (int64_t)date("2026-11-29") * 1000);
	for (size_t i = 0; i < lines; i++)
		assert_false(log_years_look(&years, &months[i % COUNT(months)], LOG_SESSION_NONE));
	log_years_rewind(&years);
	for (size_t i = 0; i < lines; i++) {
		int64_t moment =
			log_years_complete(&years, &months[i % COUNT(months)], LOG_SESSION_NONE);

		assert_in_range(moment / 1000, date("1990-01-01"), date("2026-12-01"));
	}
}

/* All minutes from a midnight on that a clock may show, or skip. */
static void check_minutes(const char *midnight, int days)
{
	struct log_time time = time_of(midnight);
	const uint8_t first = time.day;
	struct log_years years;

	log_years_begin(&years, (int64_t)date("2026-11-29") * 1000);
	for (int minute = 0; minute < days * 24 * 60; minute++) {
		time.day = (uint8_t)(first + minute / 60 / 24);
		time.hour = (uint8_t)(minute / 60 % 24);
		time.minute = (uint8_t)(minute % 60);
		if (log_years_complete(&years, &time, LOG_SESSION_NONE) / 1000 !=
		    date_moment((time_t)(log_time_reckon(&time) / 1000)))
			fail_msg("%s: day %d, %02d:%02d", getenv("TZ"), time.day, time.hour,
				 time.minute);
	}
}

static void check_zone(const char *zone, const char *spring, const char *autumn)
{
	setenv("TZ", zone, 1);
	tzset();
	check_minutes(spring, 2);
	check_minutes(autumn, 2);
}

/* Some clocks are changed by half an hour, some at a minute after midnight, some by a day. */
static void test_changed_clocks(void **state)
{
	(void)state;
	check_zone("Australia/Lord_Howe", "2026-10-03 00:00:00", "2026-04-04 00:00:00");
	check_zone("America/St_Johns", "2007-03-10 00:00:00", "2007-11-03 00:00:00");
	check_zone("Asia/Kathmandu", "1985-12-30 00:00:00", "1985-12-30 00:00:00");
	check_zone("Pacific/Apia", "2011-12-28 00:00:00", "2011-12-29 00:00:00");
	check_zone("Europe/Berlin", "2026-03-28 00:00:00", "2026-10-24 00:00:00");
}

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),           cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_span),           cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_changed_clocks),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
