#ifndef PORTCULLIS_POSTGRESQL_TIMES_H
#define PORTCULLIS_POSTGRESQL_TIMES_H

/* SQL for the day of a time (UTC), and for its week as store_week() counts them. */
#define DAY_OF(time) "((" time " AT TIME ZONE 'UTC')::date)"
#define WEEK_OF(time) "((" DAY_OF(time) " - DATE '1970-01-01' + 3) / 7)"

#endif
