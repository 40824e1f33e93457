#ifndef PORTCULLIS_POSTGRESQL_TIMES_H
#define PORTCULLIS_POSTGRESQL_TIMES_H

/* SQL for the day of a time (UTC), and for the week of a day, or of a time, as store_week() counts
   them. */
#define DAY_OF(time) "((" time " AT TIME ZONE 'UTC')::date)"
#define WEEK_OF_DAY(day) "((" day " - DATE '1970-01-01' + 3) / 7)"
#define WEEK_OF(time) WEEK_OF_DAY(DAY_OF(time))

#endif
