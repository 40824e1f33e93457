#ifndef PORTCULLIS_SEEN_WEEKS_H
#define PORTCULLIS_SEEN_WEEKS_H

#include "store.h"

/* The weeks of a sighting as counted from another one than its last: bit i says
   that it was seen in the week i before that. */
uint64_t seen_weeks(const struct store_sighting *sighting, int64_t week);

#endif
