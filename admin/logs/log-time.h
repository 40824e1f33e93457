#ifndef PORTCULLIS_LOG_TIME_H
#define PORTCULLIS_LOG_TIME_H

#include <stdint.h>

#include "log-slice.h"

/* How much a time stamp says, in rising order. */
enum log_time_kind {
	LOG_TIME_NONE,
	LOG_TIME_YEARLESS, /* a local time without its year */
	LOG_TIME_LOCAL,    /* a local time; the zone is not told */
	LOG_TIME_UTC,      /* a moment */
};

struct log_time {
	enum log_time_kind kind;
	int64_t utc; /* milliseconds since 1970, of LOG_TIME_UTC */
	/* Of the others. */
	int16_t year; /* 0 of LOG_TIME_YEARLESS */
	uint8_t month, day, hour, minute, second;
	uint16_t millisecond;
};

/* Reads the time stamp that a text begins with, as syslog, Dovecot, journalctl, Docker and
   their like write it (`tests/unit/test-log-time.c` has them all). Returns how long it is;
   0 when there is none, and *time_r is then nothing to look at. A space follows it, or
   nothing. */
size_t log_time_read(struct log_slice text, struct log_time *time_r);

/* Whether the calendar has such a date, and the day such a time. */
bool log_time_exists(const struct log_time *time);

/* Milliseconds since 1970 of a date of the Gregorian calendar, as if it was UTC's. A day
   behind the month's last is one of the next month. */
int64_t log_time_reckon(const struct log_time *time);

#endif
