#ifndef PORTCULLIS_LOG_YEARS_H
#define PORTCULLIS_LOG_YEARS_H

#include "log-time.h"

/* When the lines of one file were written, also where they do not say which year: that is told
   by a line that says its year or has Dovecot's session id, else by when the file was changed
   and by the order of lines. These may be out of order by two months; between two of them
   less than ten pass.

   A file is looked through for a line that tells its year, and then read from its beginning:

	log_years_begin(&years, newest);
	do read a line; while (there is one && !log_years_look(&years, &time, session));
	log_years_rewind(&years);
	log_years_complete() for each line

   A pipe cannot be read twice: log_years_rewind() comes at once, its first lines are taken
   for the newest that they can be, and parts of it may be in any order. */
struct log_years {
	int64_t newest;   /* no line is later; milliseconds since 1970, UTC */
	int64_t disorder; /* how far a line may be before the one before it, in milliseconds */
	/* Of the line before. While looking, years are counted from the first line's. */
	int64_t place; /* in its year, in milliseconds; -1 there was none */
	int year;
	/* What looking found. */
	int64_t first_place;
	struct log_time last; /* the last line's */
	int leap;             /* a year that has a 29 February; INT32_MIN none */
	bool told;            /* whether the first line's year is known */
	int first;
	/* The minute that was completed last, and its begin in milliseconds. */
	struct log_time minute;
	bool minute_has_session;
	int64_t minute_utc;
	/* The local hour that was asked for last, and its begin, in seconds; whether it is sixty
	   minutes of the same zone. */
	int64_t hour, hour_utc;
	bool hour_is_even;
};

/* What a line without a session id has for one. */
#define LOG_SESSION_NONE UINT64_MAX

/* newest: when the file was last changed, in milliseconds since 1970, UTC; now for a pipe. */
void log_years_begin(struct log_years *years, int64_t newest);

/* Where the last line stood: to be kept for who goes on behind it. */
struct log_years_place {
	int year;
	int64_t place;
};
struct log_years_place log_years_place(const struct log_years *years);
/* Instead of looking: goes on behind that line. */
void log_years_resume(struct log_years *years, const struct log_years_place *place);

/* Takes the next line's time, and the first 48 bits of its session id: the lowest of the
   microseconds since 1970 at the begin of the connection. True when no more need be looked
   at. */
bool log_years_look(struct log_years *years, const struct log_time *time, uint64_t session);

/* How long it was from the first line that was looked at to the last one, in milliseconds; below
   0 where these are out of order, or none has a time. */
int64_t log_years_span(const struct log_years *years);

/* From now on, lines are read from the beginning. */
void log_years_rewind(struct log_years *years);

/* When the next line was written, in milliseconds since 1970, UTC; 0 when nothing tells it. */
int64_t log_years_complete(struct log_years *years, const struct log_time *time, uint64_t session);

#endif
