#include "date-option.h"

#include <stdlib.h>
#include <string.h>

#include "policy/schedule.h"

#define FORMS                                                                                      \
	"a date is YYYY-MM-DD, \"YYYY-MM-DD HH:MM\", today, yesterday, tomorrow, now, "            \
	"7d (seven days ago) or +7d (in seven days)"

/* "yesterday" is one, too, but nobody should be led to it. */
#define DAY_FORMS "a day is YYYY-MM-DD, today, tomorrow, or +7d (in seven days)"

/* A century: more is a slip, and may be beyond what a clock knows. */
#define DAYS_MAX 36525

static const struct {
	const char *name;
	int days; /* from today */
} named_days[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};

#define NAMED_DAY_COUNT (sizeof(named_days) / sizeof(*named_days))

/* How far local time is from UTC at a moment, in seconds. */
static time_t offset_at(time_t time)
{
	struct tm local;

	return localtime_r(&time, &local) == NULL ? 0 : local.tm_gmtoff;
}

time_t date_moment(time_t local)
{
	time_t before = local - offset_at(local - SECONDS_A_DAY);
	time_t after = local - offset_at(local + SECONDS_A_DAY);
	bool shown_before = before + offset_at(before) == local;
	bool shown_after = after + offset_at(after) == local;

	return shown_after && !shown_before ? after : before;
}

/* So many days later, at the same time of day. */
static time_t add_days(time_t time, int days)
{
	if (days == 0)
		return time;
	return date_moment(time + offset_at(time) + days * SECONDS_A_DAY);
}

/* Noon of the day that comes so many days later: no clock skips that. */
static time_t noon(time_t time, int days)
{
	time_t local = time + offset_at(time);
	time_t into_day = (local % SECONDS_A_DAY + SECONDS_A_DAY) % SECONDS_A_DAY;

	return date_moment(local - into_day + days * SECONDS_A_DAY + SECONDS_A_DAY / 2);
}

/* Reads "yesterday" and the like; *day_r is noon of it. */
static bool named_day_parse(const char *text, time_t now, time_t *day_r)
{
	for (size_t i = 0; i < NAMED_DAY_COUNT; i++) {
		if (strcmp(text, named_days[i].name) == 0) {
			*day_r = noon(now, named_days[i].days);
			return true;
		}
	}
	return false;
}

/* So many days and seconds. */
struct distance {
	int days;
	time_t seconds;
};

/* Reads "7d", and with a plus sign the time to come. */
static bool distance_parse(const char *text, struct distance *distance_r)
{
	int sign = *text == '+' ? 1 : -1;
	long number;
	char *unit;

	text += *text == '+';
	if (*text < '0' || *text > '9')
		return false;
	number = strtol(text, &unit, 10);
	if (unit[0] == '\0' || unit[1] != '\0')
		return false;
	*distance_r = (struct distance){0};
	if (*unit == 'h' && number <= DAYS_MAX * 24L)
		distance_r->seconds = sign * number * 3600;
	else if (*unit == 'd' && number <= DAYS_MAX)
		distance_r->days = sign * (int)number;
	else if (*unit == 'w' && number <= DAYS_MAX / 7)
		distance_r->days = sign * (int)number * 7;
	else
		return false;
	return true;
}

bool date_option_parse(const char *text, time_t now, time_t *time_r, bool *day_alone_r,
		       const char **error_r)
{
	char day[ISO_DAY_TEXT_SIZE];
	struct distance distance;

	*day_alone_r = false;
	if (strcmp(text, "now") == 0) {
		*time_r = now;
		return true;
	}
	if (distance_parse(text, &distance)) {
		*time_r = add_days(now, distance.days) + distance.seconds;
		return true;
	}
	if (named_day_parse(text, now, time_r))
		text = iso_day_format(*time_r, day);
	if (strcmp(text, "always") != 0 && date_parse(text, time_r, error_r)) {
		*day_alone_r = strchr(text, ':') == NULL;
		return true;
	}
	if (strcmp(text, "always") == 0 || strcmp(*error_r, DATE_FORMS) == 0)
		*error_r = FORMS;
	return false;
}

bool day_option_parse(const char *text, time_t now, char day_r[static ISO_DAY_TEXT_SIZE],
		      const char **error_r)
{
	bool is_distance, is_day;
	struct distance distance;
	time_t time, end;

	is_distance = distance_parse(text, &distance);
	if (is_distance && *text != '+') {
		*error_r = "that is so long ago; with a plus sign in front, it is ahead";
		return false;
	}
	if (is_distance)
		time = noon(now + distance.seconds, distance.days);
	is_day = is_distance || named_day_parse(text, now, &time) ||
		 date_parse_day(text, &time, &end, error_r);
	if (is_day)
		iso_day_format(time, day_r);
	else if (strcmp(*error_r, DAY_FORM) == 0)
		*error_r = DAY_FORMS;
	return is_day;
}
