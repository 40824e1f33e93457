#ifndef PORTCULLIS_STORE_GATHERING_H
#define PORTCULLIS_STORE_GATHERING_H

#include "store-backend.h"

/* Sightings on their way from the rows of a store to who asked for them. Rows that differ by
   day and server only follow each other: they are one sighting, of which the latest tells
   client, whereabouts and version. */

struct store_gathering {
	const struct store_filter *filter;
	store_visit_sighting *visit;
	void *context;

	struct store_sighting sighting; /* habit NULL: none */
	char *user;
	char client[64], whereabouts[128];
};

/* For each rule set, by its index, whether the filter wants it; the caller frees it with
   g_free(). */
bool *store_choose_rule_sets(const struct store *store, const struct store_filter *filter);

/* Takes a row, of which nothing is kept. False when no more is wanted. */
bool store_gathering_take(struct store_gathering *gathering, const struct store_sighting *row);

/* Gives the last one. */
void store_gathering_end(struct store_gathering *gathering);

void store_gathering_clear(struct store_gathering *gathering);

/* Days of a row, of which at least 1 and at most those from first_seen to last_seen are
   possible, whatever somebody has written to the store by hand. */
uint64_t store_possible_days(int64_t days, int64_t first_seen, int64_t last_seen);

#endif
