#include "date-option.h"

#include <stdlib.h>
#include <string.h>

#include "policy/schedule.h"

#define FORMS                                                                                      \
	"a date is YYYY-MM-DD, \"YYYY-MM-DD HH:MM\", today, yesterday, tomorrow, now, "            \
	"7d (seven days ago) or +7d (in seven days)"

#define DAY_FORMS "a day is YYYY-MM-DD, today, tomorrow, or +7d (in seven days)"

/* A century: more is a slip, and may be beyond what a clock knows. */
#define DAYS_MAX 36525

static const struct {
	const char *name;
	int days; /* from today */
} named_days[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};

#define NAMED_DAY_COUNT (sizeof(named_days) / sizeof(*named_days))

/* So many days later, at the same time of day. */
static time_t add_days(time_t time, int days)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL)
		return time;
	local.tm_mday += days;
	local.tm_isdst = -1;
	return mktime(&local);
}

/* Reads "yesterday" and the like; *day_r is any moment of it. */
static bool named_day_parse(const char *text, time_t now, time_t *day_r)
{
	for (size_t i = 0; i < NAMED_DAY_COUNT; i++) {
		if (strcmp(text, named_days[i].name) == 0) {
			*day_r = add_days(now, named_days[i].days);
			return true;
		}
	}
	return false;
}

/* Reads "7d", and with a plus sign the time to come. */
static bool distance_parse(const char *text, time_t now, time_t *time_r)
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
	if (*unit == 'h' && number <= DAYS_MAX * 24L)
		*time_r = now + sign * number * 3600;
	else if (*unit == 'd' && number <= DAYS_MAX)
		*time_r = add_days(now, sign * (int)number);
	else if (*unit == 'w' && number <= DAYS_MAX / 7)
		*time_r = add_days(now, sign * (int)number * 7);
	else
		return false;
	return true;
}

bool date_option_parse(const char *text, time_t now, time_t *time_r, bool *day_alone_r,
		       const char **error_r)
{
	char day[ISO_DAY_TEXT_SIZE];

	*day_alone_r = false;
	if (strcmp(text, "now") == 0) {
		*time_r = now;
		return true;
	}
	if (distance_parse(text, now, time_r))
		return true;
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
	time_t time, end;

	is_distance = distance_parse(text, now, &time);
	if (is_distance && *text != '+') {
		*error_r = "that is so long ago; with a plus sign in front, it is ahead";
		return false;
	}
	is_day = is_distance || named_day_parse(text, now, &time) ||
		 date_parse_day(text, &time, &end, error_r);
	if (is_day)
		iso_day_format(time, day_r);
	else if (strcmp(*error_r, DAY_FORM) == 0)
		*error_r = DAY_FORMS;
	return is_day;
}
