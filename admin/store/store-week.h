#ifndef PORTCULLIS_STORE_WEEK_H
#define PORTCULLIS_STORE_WEEK_H

#include "store.h"

/* Weeks begin on Monday, 00:00 UTC, and are numbered from the one of 1970-01-01,
   which is number 0. No time is before 1970. */
int64_t store_week(int64_t time);
int64_t store_week_begin(int64_t week);

/* The weeks of a sighting, counted back from a week of the caller's instead of its
   last: bit i says that it was seen in the week i before that one. Later weeks are
   left out. */
uint64_t seen_weeks(const struct store_sighting *sighting, int64_t week);

#endif
