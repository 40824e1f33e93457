#include "schedule.h"

#include <stdio.h>
#include <string.h>

/* Far longer than anybody would announce. */
#define BROWNOUT_MAX (100000 * SECONDS_A_DAY)

static const char *const phase_names[] = {
	[PHASE_OFF] = "off",
	[PHASE_OBSERVE] = "observe",
	[PHASE_NOTIFY] = "notify",
	[PHASE_ENFORCE] = "enforce",
};

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

bool phase_from_name(const char *name, enum phase *phase_r)
{
	for (enum phase phase = PHASE_OFF; phase <= PHASE_ENFORCE; phase++) {
		if (strcmp(phase_names[phase], name) == 0) {
			*phase_r = phase;
			return true;
		}
	}
	return false;
}

/* The phase by the three dates alone. */
static enum phase dated_phase(const struct schedule *schedule, time_t now)
{
	if (now >= schedule->enforce)
		return PHASE_ENFORCE;
	if (now >= schedule->notify)
		return PHASE_NOTIFY;
	if (now >= schedule->observe)
		return PHASE_OBSERVE;
	return PHASE_OFF;
}

const struct brownout *schedule_brownout(const struct schedule *schedule, time_t now)
{
	if (schedule->brownout_count == 0 || dated_phase(schedule, now) != PHASE_NOTIFY)
		return NULL;
	for (size_t i = 0; i < schedule->brownout_count; i++) {
		const struct brownout *brownout = &schedule->brownouts[i];

		if (now >= brownout->begin && now < brownout->end)
			return brownout;
	}
	return NULL;
}

enum phase schedule_phase(const struct schedule *schedule, time_t now)
{
	enum phase phase = dated_phase(schedule, now);

	if (phase == PHASE_NOTIFY && schedule_brownout(schedule, now) != NULL)
		return PHASE_ENFORCE;
	return phase;
}

/* The earliest moment behind now at which anything in the schedule is dated. */
static time_t next_date(const struct schedule *schedule, time_t now)
{
	time_t next = SCHEDULE_NEVER;
	const time_t dates[] = {schedule->observe, schedule->notify, schedule->enforce};

	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		if (dates[i] > now && dates[i] < next)
			next = dates[i];
	}
	for (size_t i = 0; i < schedule->brownout_count; i++) {
		const struct brownout *brownout = &schedule->brownouts[i];

		if (brownout->begin > now && brownout->begin < next)
			next = brownout->begin;
		if (brownout->end > now && brownout->end < next)
			next = brownout->end;
	}
	return next;
}

time_t schedule_next_change(const struct schedule *schedule, time_t now, enum phase *phase_r)
{
	enum phase phase = schedule_phase(schedule, now);
	time_t next = now;

	*phase_r = phase;
	/* Not every date is a change: a brown-out may lie in another phase, or
	   in another brown-out. */
	do {
		next = next_date(schedule, next);
		if (next == SCHEDULE_NEVER)
			return SCHEDULE_NEVER;
		*phase_r = schedule_phase(schedule, next);
	} while (*phase_r == phase);
	return next;
}

/* Reads exactly digits decimal digits. */
static bool digits_parse(const char **text, int digits, int *number_r)
{
	*number_r = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*number_r = *number_r * 10 + (**text - '0');
	}
	return true;
}

static bool character_parse(const char **text, char character)
{
	if (**text != character)
		return false;
	(*text)++;
	return true;
}

static bool day_parse(const char **text, struct tm *local_r)
{
	int year, month, day;

	if (!digits_parse(text, 4, &year) || !character_parse(text, '-') ||
	    !digits_parse(text, 2, &month) || !character_parse(text, '-') ||
	    !digits_parse(text, 2, &day))
		return false;
	*local_r = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return true;
}

static bool hour_parse(const char **text, struct tm *local_r)
{
	return digits_parse(text, 2, &local_r->tm_hour) && character_parse(text, ':') &&
	       digits_parse(text, 2, &local_r->tm_min);
}

static bool same_minute(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min;
}

/* Seconds since 1970 of a local minute; false when the clocks never show it. */
static bool local_to_time(const struct tm *local, time_t *time_r)
{
	bool found = false;

	/* mktime() corrects impossible dates instead of refusing them, so look
	   whether it changed anything. Of an hour that comes twice it gives one
	   for each value of tm_isdst; the earlier counts. */
	for (int is_dst = 0; is_dst <= 1; is_dst++) {
		struct tm corrected = *local, back;
		time_t time;

		corrected.tm_isdst = is_dst;
		time = mktime(&corrected);
		if (localtime_r(&time, &back) == NULL || !same_minute(&back, local))
			continue;
		if (!found || time < *time_r)
			*time_r = time;
		found = true;
	}
	return found;
}

/* Midnight, or where daylight saving skips it, the first minute of the day. */
static bool day_begin(const struct tm *day, time_t *time_r)
{
	struct tm local = *day;

	for (int minute = 0; minute < 24 * 60; minute++) {
		local.tm_hour = minute / 60;
		local.tm_min = minute % 60;
		if (local_to_time(&local, time_r))
			return true;
	}
	return false;
}

/* Far longer than clocks are put forward or back by. */
#define FAR_FROM_CHANGE 14400

/* What nearly all days begin with, so that none has to be looked for: whole days from the
   midnight before, and far from where the clocks change. */
static bool plain_midnight(time_t time, int days_later, const struct tm *local, time_t *begin_r)
{
	time_t of_day = local->tm_sec + 60 * (local->tm_min + 60 * (time_t)local->tm_hour);
	time_t begin = time - of_day + days_later * SECONDS_A_DAY;
	const time_t around[] = {begin - FAR_FROM_CHANGE, begin, begin + FAR_FROM_CHANGE};
	struct tm at;

	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
		if (localtime_r(&around[i], &at) == NULL || at.tm_gmtoff != local->tm_gmtoff)
			return false;
	}
	*begin_r = begin;
	return true;
}

time_t date_midnight(time_t time, int days_later)
{
	struct tm day;
	time_t begin;

	if (localtime_r(&time, &day) != NULL) {
		if (plain_midnight(time, days_later, &day, &begin))
			return begin;
		day.tm_mday += days_later;
		day.tm_hour = 12;
		day.tm_sec = 0;
		/* In UTC, to find the day in the calendar. */
		timegm(&day);
		if (day_begin(&day, &begin))
			return begin;
	}
	return time + days_later * SECONDS_A_DAY;
}

static bool is_calendar_day(const struct tm *day)
{
	struct tm corrected = *day;

	/* In UTC, which skips nothing. */
	corrected.tm_hour = 12;
	timegm(&corrected);
	return corrected.tm_year == day->tm_year && corrected.tm_mon == day->tm_mon &&
	       corrected.tm_mday == day->tm_mday;
}

/* Reads a date at *text and moves *text behind it. */
static bool date_parse_prefix(const char **text, time_t *time_r, const char **error_r)
{
	struct tm local;

	if (!day_parse(text, &local)) {
		*error_r = DATE_FORMS;
		return false;
	}
	if (!is_calendar_day(&local)) {
		*error_r = "there is no such day";
		return false;
	}
	/* Behind the day comes an hour, a brown-out's length, or nothing. */
	if ((*text)[0] != ' ' || (*text)[1] < '0' || (*text)[1] > '9') {
		if (day_begin(&local, time_r))
			return true;
		*error_r = "there is no such day";
		return false;
	}
	(*text)++;
	if (!hour_parse(text, &local)) {
		*error_r = DATE_FORMS;
		return false;
	}
	if (local.tm_hour > 23 || local.tm_min > 59) {
		*error_r = "the time must be from 00:00 to 23:59";
		return false;
	}
	if (!local_to_time(&local, time_r)) {
		*error_r = "this time does not exist: daylight saving skips it";
		return false;
	}
	return true;
}

bool date_parse(const char *text, time_t *time_r, const char **error_r)
{
	if (strcmp(text, "always") == 0) {
		*time_r = SCHEDULE_ALWAYS;
		return true;
	}
	if (!date_parse_prefix(&text, time_r, error_r))
		return false;
	if (*text != '\0') {
		*error_r = DATE_FORMS;
		return false;
	}
	return true;
}

bool date_parse_day(const char *text, time_t *begin_r, time_t *end_r, const char **error_r)
{
	struct tm day;

	if (!day_parse(&text, &day) || *text != '\0') {
		*error_r = DAY_FORM;
		return false;
	}
	if (!is_calendar_day(&day) || !day_begin(&day, begin_r)) {
		*error_r = "there is no such day";
		return false;
	}
	/* timegm() turns the 32nd of January into the 1st of February. */
	day.tm_mday++;
	timegm(&day);
	if (!day_begin(&day, end_r)) {
		*error_r = "there is no day after it";
		return false;
	}
	return true;
}

bool duration_parse(const char *text, time_t minimum, time_t maximum, time_t *seconds_r)
{
	time_t number = 0, unit;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		number = number * 10 + (*text - '0');
		if (number > maximum)
			return false;
	}
	switch (*text) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return false;
	}
	if (text[1] != '\0' || number > maximum / unit || number * unit < minimum)
		return false;
	*seconds_r = number * unit;
	return true;
}

bool brownout_parse(const char *text, struct brownout *brownout_r, const char **error_r)
{
	time_t length;

	if (!date_parse_prefix(&text, &brownout_r->begin, error_r))
		return false;
	if (!character_parse(&text, ' ') || !character_parse(&text, '+') ||
	    !duration_parse(text, 60, BROWNOUT_MAX, &length)) {
		*error_r = "a brown-out is a date and a length: "
			   "\"YYYY-MM-DD HH:MM +4h\" (m, h or d)";
		return false;
	}
	brownout_r->end = brownout_r->begin + length;
	return true;
}

void date_format(time_t time, char text_r[static DATE_TEXT_SIZE])
{
	struct tm local;

	if (time == SCHEDULE_ALWAYS)
		snprintf(text_r, DATE_TEXT_SIZE, "always");
	else if (time == SCHEDULE_NEVER || localtime_r(&time, &local) == NULL)
		snprintf(text_r, DATE_TEXT_SIZE, "never");
	else
		strftime(text_r, DATE_TEXT_SIZE, "%Y-%m-%d %H:%M", &local);
}
