#ifndef PORTCULLIS_STORE_ACTIVITY_H
#define PORTCULLIS_STORE_ACTIVITY_H

#include "store.h"

/* When somebody came, as a store keeps it with each user beside the sightings: who is active is
   then known without looking at these. */
struct store_presence {
	int64_t day;    /* the last one, counted since 1970; 0: never */
	uint64_t weeks; /* bit i: in the week of that day, less i */
};

/* Whether anybody may come by a mechanism: ANONYMOUS (RFC 4505), in upper or lower case. */
bool store_is_anonymous(const char *mechanism);

/* Whether a sighting says so: not as anybody, nor with a wrong password. */
bool store_is_presence(const struct store_sighting *sighting);

/* Adds what a sighting says. Whether it said anything new. */
bool store_presence_add(struct store_presence *presence, const struct store_sighting *sighting);

/* The same of what is known otherwise. */
bool store_presence_join(struct store_presence *presence, const struct store_presence *other);

/* Counts somebody. lately: he came since the time that is asked for. */
void store_presence_count(const struct store_presence *presence, bool lately, int64_t week,
			  struct store_activity *activity);

#endif
