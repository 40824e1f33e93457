#include "log-years.h"

#include <time.h>

#include "admin/terminal/date-option.h"

/* In seconds, and in milliseconds. */
#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR * 1000)

/* Lines are put into a year that has every day. */
#define LEAP_YEAR (366 * DAY)
#define ANY_LEAP_YEAR 2000

#define DISORDER_OF_FILE (61 * DAY)
#define DISORDER_OF_PIPE (LEAP_YEAR / 2)

/* Clocks of several hosts differ, and so do their zones. */
#define SLACK (DAY + DAY / 2)

/* Before there was any program whose lines are read. */
#define EARLIEST_YEAR 1990

#define LEAP_NONE INT32_MIN

/* After so many microseconds, their lowest 48 bits begin anew. */
#define SESSION_PERIOD (INT64_C(1) << 48)

/* ---- local time ---- */

/* The local date of a moment. */
static void date_of(int64_t moment, struct log_time *date_r)
{
	time_t seconds = (time_t)(moment / 1000);
	struct tm local = {.tm_mday = 1};

	localtime_r(&seconds, &local);
	*date_r = (struct log_time){
		.year = (int16_t)(local.tm_year + 1900),
		.month = (uint8_t)(local.tm_mon + 1),
		.day = (uint8_t)local.tm_mday,
		.hour = (uint8_t)local.tm_hour,
		.minute = (uint8_t)local.tm_min,
	};
}

static struct log_time first_of_january(int year)
{
	return (struct log_time){.year = (int16_t)year, .month = 1, .day = 1};
}

/* A line's place in its year. */
static int64_t place_of(const struct log_time *time)
{
	struct log_time begin = first_of_january(ANY_LEAP_YEAR), moved = *time;

	moved.year = ANY_LEAP_YEAR;
	return log_time_reckon(&moved) - log_time_reckon(&begin);
}

/* The 29 February of a year that has none is its 1 March. */
static int64_t local_in_year(const struct log_time *time, int year)
{
	struct log_time moved = *time;

	moved.year = (int16_t)year;
	return log_time_reckon(&moved);
}

static bool is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_leap_day(const struct log_time *time)
{
	return time->month == 2 && time->day == 29;
}

/* ---- which year ---- */

/* The last in which it is not later. */
static int latest_year(const struct log_time *time, int64_t newest)
{
	int year = (int)(1970 + newest / (365 * DAY + DAY / 4)) + 1;

	while (local_in_year(time, year) > newest + SLACK ||
	       (is_leap_day(time) && !is_leap_year(year)))
		year--;
	return year;
}

/* The one in which it is near to what the session id says, or 0. That is known but for whole
   periods of nearly nine years, each of which ends in another season. */
static int year_of_session(const struct log_years *years, const struct log_time *time,
			   uint64_t session)
{
	if (session >= (uint64_t)SESSION_PERIOD)
		return 0;
	for (int year = latest_year(time, years->newest); year >= EARLIEST_YEAR; year--) {
		int64_t behind = (local_in_year(time, year) + SLACK) * 1000 - (int64_t)session;

		if ((!is_leap_day(time) || is_leap_year(year)) && behind >= 0 &&
		    behind % SESSION_PERIOD <= 2 * SLACK * 1000)
			return year;
	}
	return 0;
}

/* The last moment that it may mean, or 0. */
static int64_t moment_of_session(const struct log_years *years, uint64_t session)
{
	int64_t newest = (years->newest + SLACK) * 1000;

	if (session >= (uint64_t)SESSION_PERIOD || (int64_t)session > newest)
		return 0;
	return (newest - (newest - (int64_t)session) % SESSION_PERIOD) / 1000;
}

/* Goes on to the next line: whether it is of the year of the one before, or a year apart. */
static void step(struct log_years *years, const struct log_time *time)
{
	int64_t place = place_of(time);

	if (years->place >= 0 && place - years->place < -years->disorder)
		years->year++;
	else if (years->place >= 0 && place - years->place >= LEAP_YEAR - years->disorder)
		years->year--;
	years->place = place;
}

/* The real year of the line that was looked at last. */
static void tell(struct log_years *years, int year)
{
	years->first = year - years->year;
	years->told = true;
}

/* ---- all of it ---- */

void log_years_begin(struct log_years *years, int64_t newest)
{
	*years = (struct log_years){
		.newest = newest,
		.disorder = DISORDER_OF_FILE,
		.place = -1,
		.leap = LEAP_NONE,
		.hour = INT64_MIN,
	};
}

bool log_years_look(struct log_years *years, const struct log_time *time, uint64_t session)
{
	struct log_time date = *time;
	int year = 0;

	if (time->kind == LOG_TIME_NONE)
		return false;
	if (time->kind == LOG_TIME_UTC)
		date_of(time->utc, &date);
	if (years->place < 0)
		years->first_place = place_of(&date);
	step(years, &date);
	if (time->kind != LOG_TIME_YEARLESS)
		year = date.year;
	else
		year = year_of_session(years, time, session);
	if (years->leap == LEAP_NONE && is_leap_day(&date))
		years->leap = years->year;
	years->last = date;
	if (year != 0)
		tell(years, year);
	return years->told;
}

int64_t log_years_span(const struct log_years *years)
{
	return years->place < 0 ? -1 : years->year * LEAP_YEAR + years->place - years->first_place;
}

/* Nothing told it: the last line is as new as it can be. */
static void suppose(struct log_years *years)
{
	int year = latest_year(&years->last, years->newest);

	while (years->leap != LEAP_NONE && !is_leap_year(year - years->year + years->leap))
		year--;
	tell(years, year);
}

void log_years_rewind(struct log_years *years)
{
	if (years->place < 0)
		years->disorder = DISORDER_OF_PIPE;
	else if (!years->told)
		suppose(years);
	years->year = years->first;
	years->place = -1;
	years->minute = (struct log_time){0};
}

/* Of a line that has none. */
static int year_of(struct log_years *years, const struct log_time *time, uint64_t session)
{
	int year = year_of_session(years, time, session);

	step(years, time);
	if (years->year < EARLIEST_YEAR ||
	    local_in_year(time, years->year) > years->newest + SLACK ||
	    (is_leap_day(time) && !is_leap_year(years->year)))
		years->year = latest_year(time, years->newest);
	if (year != 0)
		years->year = year;
	return years->year;
}

static bool is_of_minute(const struct log_time *time, const struct log_time *minute)
{
	return time->minute == minute->minute && time->hour == minute->hour &&
	       time->day == minute->day && time->month == minute->month &&
	       time->year == minute->year && time->kind == minute->kind;
}

/* The moment of a local time, both in seconds. To ask the C library for the zone takes longer than
   all else that is done with a line; within an hour it changes once at most. */
static int64_t moment_of(struct log_years *years, int64_t local)
{
	const int64_t hour = local - local % HOUR, last_minute = HOUR - MINUTE;

	if (hour != years->hour) {
		years->hour = hour;
		years->hour_utc = (int64_t)date_moment((time_t)hour);
		years->hour_is_even =
			date_moment((time_t)(hour + last_minute)) == years->hour_utc + last_minute;
	}
	return years->hour_is_even ? years->hour_utc + local % HOUR
				   : (int64_t)date_moment((time_t)local);
}

/* Most lines are of the same minute as the one before. */
static int64_t complete_minute(struct log_years *years, const struct log_time *time,
			       uint64_t session)
{
	bool has_session = session != LOG_SESSION_NONE;
	struct log_time minute = *time;
	int64_t local;

	if (is_of_minute(time, &years->minute) && (!has_session || years->minute_has_session))
		return years->minute_utc;
	minute.second = 0;
	minute.millisecond = 0;
	local = minute.kind == LOG_TIME_LOCAL
			? log_time_reckon(&minute)
			: local_in_year(&minute, year_of(years, &minute, session));
	years->minute = minute;
	years->minute_has_session = has_session;
	years->minute_utc = moment_of(years, local / 1000) * 1000;
	return years->minute_utc;
}

int64_t log_years_complete(struct log_years *years, const struct log_time *time, uint64_t session)
{
	switch (time->kind) {
	case LOG_TIME_UTC:
		return time->utc;
	case LOG_TIME_LOCAL:
	case LOG_TIME_YEARLESS:
		return complete_minute(years, time, session) + INT64_C(1000) * time->second +
		       time->millisecond;
	case LOG_TIME_NONE:
		break;
	}
	return moment_of_session(years, session);
}

struct log_years_place log_years_place(const struct log_years *years)
{
	return (struct log_years_place){.year = years->year, .place = years->place};
}

void log_years_resume(struct log_years *years, const struct log_years_place *place)
{
	years->year = years->first = place->year;
	years->place = place->place;
	years->told = true;
	years->minute = (struct log_time){0};
}
