#ifndef PORTCULLIS_DATE_OPTION_H
#define PORTCULLIS_DATE_OPTION_H

#include <stdbool.h>
#include <time.h>

#include "display.h"

/* Dates as operators type them, in local time. */

/* What they may be, for --help. */
#define DATE_OPTION_HELP                                                                           \
	"DATE is YYYY-MM-DD or \"YYYY-MM-DD HH:MM\" (local time), today, yesterday, tomorrow, "    \
	"now, or counted from now: 7d is seven days ago, +7d in seven days; likewise h for "       \
	"hours, w for weeks."

/* Reads one of these, as seen at a moment. *day_alone_r: whether it is a day without a time,
   of which *time_r is the first second. Days and weeks counted from now keep the time of
   day across daylight saving: where it comes twice, the first is meant, and where it is
   skipped, the moment that would have had it. False with *error_r set to a static text; it
   is left alone when all is well. */
bool date_option_parse(const char *text, time_t now, time_t *time_r, bool *day_alone_r,
		       const char **error_r);

/* The same where only a day makes sense: "YYYY-MM-DD", one of the three names, or the day of
   a moment that is counted ahead, but not "now", and no time of day. "7d" is refused, by
   which somebody would mean "+7d"; a date, or "yesterday", may be over. Gives it as
   "YYYY-MM-DD". */
bool day_option_parse(const char *text, time_t now, char day_r[static ISO_DAY_TEXT_SIZE],
		      const char **error_r);

/* The moment at which clocks here show a local time, which is given in seconds since they
   showed the begin of 1970: the first one where that comes twice, and where it is skipped, as
   if it were not. mktime() would say the one or the other. */
time_t date_moment(time_t local);

#endif
