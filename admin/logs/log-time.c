#include "log-time.h"

#include <time.h>

/* What is left to read. */
struct cursor {
	const char *next, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct cursor *cursor, char c)
{
	if (cursor->next == cursor->end || *cursor->next != c)
		return false;
	cursor->next++;
	return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(cursor->end - cursor->next) < length ||
	    memcmp(cursor->next, word, length) != 0)
		return false;
	cursor->next += length;
	return true;
}

static bool digits(struct cursor *cursor, unsigned int count, unsigned int *number_r)
{
	*number_r = 0;
	if ((size_t)(cursor->end - cursor->next) < count)
		return false;
	for (; count > 0; count--, cursor->next++) {
		if (!is_digit(*cursor->next))
			return false;
		*number_r = *number_r * 10 + (unsigned int)(*cursor->next - '0');
	}
	return true;
}

/* Whether a time stamp may end here. */
static bool at_end(const struct cursor *cursor)
{
	return cursor->next == cursor->end || *cursor->next == ' ';
}

/* ---- the parts ---- */

/* journalctl writes them in the language of who called it. */
static bool read_month(struct cursor *cursor, uint8_t *month_r)
{
	static const char english[][5] = {"Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ",
					  "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "};
	static const struct {
		char name[6];
		uint8_t month;
	} german[] = {{"M\303\244r ", 3}, {"Mai ", 5}, {"Okt ", 10}, {"Dez ", 12}};

	if (cursor->end - cursor->next < 4)
		return false;
	for (uint8_t i = 0; i < 12; i++) {
		if (memcmp(cursor->next, english[i], 4) == 0) {
			cursor->next += 4;
			*month_r = i + 1;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(german) / sizeof(german[0]); i++) {
		if (take_word(cursor, german[i].name)) {
			*month_r = german[i].month;
			return true;
		}
	}
	return false;
}

/* " 7", "07" or "7". */
static bool read_day(struct cursor *cursor, uint8_t *day_r)
{
	unsigned int day;

	take(cursor, ' ');
	if (!digits(cursor, 1, &day))
		return false;
	if (cursor->next < cursor->end && is_digit(*cursor->next))
		day = day * 10 + (unsigned int)(*cursor->next++ - '0');
	*day_r = (uint8_t)day;
	return day >= 1 && day <= 31;
}

/* What is finer than a millisecond is passed over. */
static bool read_fraction(struct cursor *cursor, struct log_time *time)
{
	unsigned int scale = 100;

	if (!take(cursor, '.') && !take(cursor, ','))
		return true;
	if (cursor->next == cursor->end || !is_digit(*cursor->next))
		return false;
	for (; cursor->next < cursor->end && is_digit(*cursor->next); cursor->next++) {
		time->millisecond += (uint16_t)((unsigned int)(*cursor->next - '0') * scale);
		scale /= 10;
	}
	return true;
}

static bool read_two_digits(const char *text, uint8_t *number_r)
{
	*number_r = (uint8_t)((text[0] - '0') * 10 + text[1] - '0');
	return is_digit(text[0]) && is_digit(text[1]);
}

/* "10:00:00" */
static bool read_clock(struct cursor *cursor, struct log_time *time)
{
	const char *text = cursor->next;

	if (cursor->end - text < 8 || text[2] != ':' || text[5] != ':' ||
	    !read_two_digits(text, &time->hour) || !read_two_digits(text + 3, &time->minute) ||
	    !read_two_digits(text + 6, &time->second))
		return false;
	cursor->next += 8;
	return read_fraction(cursor, time);
}

bool log_time_exists(const struct log_time *time)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = time->year;

	/* A leap second is second 60. */
	if (time->month < 1 || time->month > 12 || time->day < 1 ||
	    time->day > days[time->month - 1] || time->hour > 23 || time->minute > 59 ||
	    time->second > 60)
		return false;
	return time->month != 2 || time->day != 29 || time->kind == LOG_TIME_YEARLESS ||
	       (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* ---- from local time to a moment ---- */

int64_t log_time_reckon(const struct log_time *time)
{
	/* Years begin in March, so that the leap day is the last of one. */
	int64_t year = time->year - (time->month <= 2);
	int64_t month = (time->month + 9) % 12;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
		       time->day - 719469; /* days from 0000-03-00 to 1970-01-01 */

	return (((days * 24 + time->hour) * 60 + time->minute) * 60 + time->second) * 1000 +
	       time->millisecond;
}

/* The clock shows so many minutes more than Greenwich's. */
static void set_east(struct log_time *time, int minutes)
{
	time->kind = LOG_TIME_UTC;
	time->utc = log_time_reckon(time) - (int64_t)minutes * 60 * 1000;
}

/* "+01:00", "+0100" or "+01". */
static bool read_offset(struct cursor *cursor, struct log_time *time)
{
	bool west = take(cursor, '-');
	unsigned int hours, minutes = 0;

	if ((!west && !take(cursor, '+')) || !digits(cursor, 2, &hours))
		return false;
	if (!at_end(cursor)) {
		take(cursor, ':');
		if (!digits(cursor, 2, &minutes))
			return false;
	}
	if (hours > 23 || minutes > 59)
		return false;
	set_east(time, (west ? -1 : 1) * (int)(hours * 60 + minutes));
	return true;
}

/* One that is this host's, or the world's, so that no host's name is taken for one. */
static bool read_known_zone(struct cursor *cursor, struct log_time *time)
{
	if (take_word(cursor, "UTC") || take_word(cursor, "GMT") || take(cursor, 'Z') ||
	    take(cursor, 'z')) {
		set_east(time, 0);
		return true;
	}
	return take_word(cursor, tzname[0]) || take_word(cursor, tzname[1]);
}

/* The zone that may stand behind a time, directly or behind a space. */
static bool read_zone(struct cursor *cursor, struct log_time *time)
{
	struct cursor zone = *cursor;
	struct log_time zoned = *time;

	take(&zone, ' ');
	if (zone.next == zone.end ||
	    (*zone.next == '+' || *zone.next == '-' ? !read_offset(&zone, &zoned)
						    : !read_known_zone(&zone, &zoned)) ||
	    !at_end(&zone))
		return false;
	*cursor = zone;
	*time = zoned;
	return true;
}

/* ---- the forms ---- */

/* "2026-11-29 10:00:00" and the like. With a "_" in between it is svlogd's, which is UTC. */
static bool read_date_and_clock(struct cursor *cursor, struct log_time *time)
{
	unsigned int year, month, day;
	char separator;

	time->kind = LOG_TIME_LOCAL;
	if (!digits(cursor, 4, &year) || !take(cursor, '-') || !digits(cursor, 2, &month) ||
	    !take(cursor, '-') || !digits(cursor, 2, &day) || cursor->next == cursor->end)
		return false;
	time->year = (int16_t)year;
	time->month = (uint8_t)month;
	time->day = (uint8_t)day;
	separator = *cursor->next++;
	if (strchr("Tt _", separator) == NULL || separator == '\0' || year < 1970 ||
	    !read_clock(cursor, time) || !log_time_exists(time))
		return false;
	if (separator == '_')
		set_east(time, 0);
	return true;
}

static bool read_iso(struct cursor *cursor, struct log_time *time)
{
	if (!read_date_and_clock(cursor, time))
		return false;
	if (time->kind == LOG_TIME_LOCAL)
		read_zone(cursor, time);
	return true;
}

/* "Nov 29 10:00:00", of some with the year before the clock or behind it. */
static bool read_syslog(struct cursor *cursor, struct log_time *time, bool year_behind)
{
	struct cursor before;
	unsigned int year;

	time->kind = LOG_TIME_YEARLESS;
	if (!read_month(cursor, &time->month) || !read_day(cursor, &time->day) ||
	    !take(cursor, ' '))
		return false;
	before = *cursor;
	if (digits(cursor, 4, &year) && take(cursor, ' ')) {
		time->kind = LOG_TIME_LOCAL;
		time->year = (int16_t)year;
	} else {
		*cursor = before;
	}
	if (!read_clock(cursor, time))
		return false;
	if (year_behind) {
		if (!take(cursor, ' ') || !digits(cursor, 4, &year))
			return false;
		time->kind = LOG_TIME_LOCAL;
		time->year = (int16_t)year;
	}
	return (time->kind == LOG_TIME_YEARLESS || time->year >= 1970) && log_time_exists(time);
}

/* "2026 Nov 29 10:00:00", as syslog-ng has it. */
static bool read_behind_year(struct cursor *cursor, struct log_time *time)
{
	unsigned int year;

	if (!digits(cursor, 4, &year) || !take(cursor, ' ') || year < 1970 ||
	    !read_syslog(cursor, time, false) || time->kind != LOG_TIME_YEARLESS)
		return false;
	time->kind = LOG_TIME_LOCAL;
	time->year = (int16_t)year;
	return log_time_exists(time);
}

static bool take_weekday(struct cursor *cursor)
{
	static const char *const names[] = {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (take_word(cursor, names[i]))
			return true;
	}
	return false;
}

/* "Sun 2026-11-29 10:00:00 CET": the zone is always there; one that nobody here knows is
   taken for this host's. */
static bool read_behind_weekday(struct cursor *cursor, struct log_time *time)
{
	if (cursor->next == cursor->end || !is_digit(*cursor->next))
		return read_syslog(cursor, time, true);
	if (!read_date_and_clock(cursor, time))
		return false;
	if (!read_zone(cursor, time) && take(cursor, ' ')) {
		while (cursor->next < cursor->end && *cursor->next >= 'A' && *cursor->next <= 'Z')
			cursor->next++;
	}
	return true;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "@", 8 bytes of seconds and 4 of nanoseconds, in hexadecimal. */
static bool read_tai(struct cursor *cursor, struct log_time *time)
{
	/* 1970 begins there, for all who write these. */
	const uint64_t epoch = ((uint64_t)1 << 62) + 10;
	uint64_t seconds = 0, nanoseconds = 0;

	if (cursor->end - cursor->next < 25)
		return false;
	cursor->next++;
	for (int i = 0; i < 24; i++) {
		uint64_t *number = i < 16 ? &seconds : &nanoseconds;
		int value = hex_value(*cursor->next++);

		if (value < 0)
			return false;
		*number = *number << 4 | (unsigned int)value;
	}
	if (seconds < epoch || seconds - epoch > UINT32_MAX || nanoseconds > 999999999)
		return false;
	time->kind = LOG_TIME_UTC;
	time->utc = (int64_t)((seconds - epoch) * 1000 + nanoseconds / 1000000);
	return true;
}

/* "1796000000.123456": seconds since 1970. */
static bool read_seconds(struct cursor *cursor, struct log_time *time)
{
	unsigned int seconds;

	if (cursor->end - cursor->next < 11 || cursor->next[10] != '.' || *cursor->next > '3' ||
	    !digits(cursor, 10, &seconds) || !read_fraction(cursor, time))
		return false;
	time->kind = LOG_TIME_UTC;
	time->utc = (int64_t)seconds * 1000 + time->millisecond;
	return true;
}

size_t log_time_read(struct log_slice text, struct log_time *time_r)
{
	struct cursor cursor = {text.text, text.text + text.length};
	bool found;

	/* The shortest is "Nov 9 10:00:00"; most texts are none, and begin in small letters. */
	if (text.length < 14 || text.text[0] < '0' || text.text[0] > 'W')
		return 0;
	*time_r = (struct log_time){0};
	if (is_digit(text.text[0]) && text.text[4] == '-')
		found = read_iso(&cursor, time_r);
	else if (is_digit(text.text[0]) && text.text[4] == ' ')
		found = read_behind_year(&cursor, time_r);
	else if (is_digit(text.text[0]))
		found = read_seconds(&cursor, time_r);
	else if (text.text[0] == '@')
		found = read_tai(&cursor, time_r);
	else
		found = read_syslog(&cursor, time_r, false) ||
			(cursor.next == text.text && take_weekday(&cursor) &&
			 read_behind_weekday(&cursor, time_r));
	return found && at_end(&cursor) ? (size_t)(cursor.next - text.text) : 0;
}
