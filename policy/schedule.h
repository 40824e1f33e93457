#ifndef PORTCULLIS_SCHEDULE_H
#define PORTCULLIS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum phase { PHASE_OFF, PHASE_OBSERVE, PHASE_NOTIFY, PHASE_ENFORCE };

#define SECONDS_A_DAY ((time_t)86400)

/* A date that was not given, and one that lies before all time ("always"). */
#define SCHEDULE_NEVER ((time_t)INT64_MAX)
#define SCHEDULE_ALWAYS ((time_t)INT64_MIN)

/* Hours in which a rule in its notify phase is enforced: [begin, end). */
struct brownout {
	time_t begin;
	time_t end;
};

struct schedule {
	time_t observe;
	time_t notify;
	time_t enforce;
	struct brownout *brownouts; /* in the order of the file */
	size_t brownout_count;
};

/* The phase at a moment, brown-outs included: within one, a rule that would be
   in notify is in enforce. A phase begins with its first second. */
enum phase schedule_phase(const struct schedule *schedule, time_t now);

/* The brown-out that holds at a moment, or NULL. */
const struct brownout *schedule_brownout(const struct schedule *schedule, time_t now);

/* When the phase changes next after now, brown-outs included, and to what.
   SCHEDULE_NEVER when it never does; *phase_r is then the phase of now. */
time_t schedule_next_change(const struct schedule *schedule, time_t now, enum phase *phase_r);

const char *phase_name(enum phase phase);
bool phase_from_name(const char *name, enum phase *phase_r);

/* The errors of what does not look like a date, or a day, at all. */
#define DATE_FORMS "a date is YYYY-MM-DD or YYYY-MM-DD HH:MM"
#define DAY_FORM "a day is YYYY-MM-DD"

/* Local time. Reads "YYYY-MM-DD", "YYYY-MM-DD HH:MM" or "always". A day that
   the calendar does not have, or an hour that daylight saving skips, is an
   error; of an hour that comes twice, the first is meant. Returns false with
   *error_r set to a static text. */
bool date_parse(const char *text, time_t *time_r, const char **error_r);

/* Reads "YYYY-MM-DD" only and gives the first second of the day and the first
   of the day after. */
bool date_parse_day(const char *text, time_t *begin_r, time_t *end_r, const char **error_r);

/* The first second of the local day of a moment, or of the day so many days later. */
time_t date_midnight(time_t time, int days_later);

/* Reads a length of time: "30s", "30m", "12h" or "14d", whose units are of 1 s, 60 s,
   3600 s and 86400 s. False, and *seconds_r as it was, when it is none, less than minimum or
   more than maximum. */
bool duration_parse(const char *text, time_t minimum, time_t maximum, time_t *seconds_r);

/* Reads "DATE +4h", which has a duration behind the plus sign. */
bool brownout_parse(const char *text, struct brownout *brownout_r, const char **error_r);

#define DATE_TEXT_SIZE sizeof("-2147481748-01-01 00:00")

/* "YYYY-MM-DD HH:MM" local time, "always" or "never". */
void date_format(time_t time, char text_r[static DATE_TEXT_SIZE]);

#endif
