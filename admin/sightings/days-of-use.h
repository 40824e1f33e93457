#ifndef PORTCULLIS_DAYS_OF_USE_H
#define PORTCULLIS_DAYS_OF_USE_H

#include "admin/store/store.h"

/* What is longer before the last day is not looked at. */
#define DAYS_OF_USE_MAX 1024

/* On how many distinct days several sightings were seen, all in all. Of each the store knows
   the first day, the last, and a number: so that is spread over the days in between, and
   where several overlap, the busiest counts. */
struct days_of_use {
	int64_t last; /* day since 1970 */
	float busiest[DAYS_OF_USE_MAX];
	int64_t count; /* of these; behind them, nothing was added */
	uint64_t most; /* of one sighting */
};

/* last_seen: none that is added is later. */
void days_of_use_begin(struct days_of_use *days_r, int64_t last_seen);
void days_of_use_add(struct days_of_use *days, const struct store_sighting *sighting);

/* 0: nothing was added. */
unsigned int days_of_use_count(const struct days_of_use *days);

#endif
