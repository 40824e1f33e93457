#ifndef PORTCULLIS_FIRST_OF_DAY_H
#define PORTCULLIS_FIRST_OF_DAY_H

#include "attempt.h"

#include <time.h>

/* Remembers who was seen today, so that attempts that break no rule are recorded
   once a day for each user, service, port and program and not at every login: that a
   program comes as it should is what shows that it was repaired, whatever others the user
   has. Forgets all at local midnight, and when the process ends. */
struct first_of_day;

#define FIRST_OF_DAY_PROGRAMS 64

/* NULL when out of memory. */
struct first_of_day *first_of_day_create(void);
void first_of_day_free(struct first_of_day *seen);

/* True for the first attempt of a user by a service, a port and a program today. Of one
   user, service and port it tells at most FIRST_OF_DAY_PROGRAMS programs apart, so some may
   count as one, others each day: nobody shall fill it by a program that calls itself
   something new each time. Remembers up to three million of them, in 32 MiB (48 while it
   grows to that); whoever comes after that counts as seen. */
bool first_of_day(struct first_of_day *seen, const struct attempt *attempt, time_t now);

#endif
