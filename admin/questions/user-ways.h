#ifndef PORTCULLIS_USER_WAYS_H
#define PORTCULLIS_USER_WAYS_H

#include <glib.h>

#include "admin/sightings/device.h"
#include "admin/sightings/sighting-judge.h"

/* One way in which a person reaches the mail, and what becomes of it. */
struct user_way {
	const struct store_habit *habit;
	bool verified; /* it was this person */
	size_t device; /* then: its number in the devices */
	uint64_t count;
	int64_t first_seen, last_seen;
	char last_client[ADDRESS_TEXT_SIZE]; /* "" erased, or unknown */
	/* As if every rule were enforced, for what comes sooner or later. */
	struct sighting_verdict verdict;
};

/* A user's ways, the verified ones first, and the latest of them, in an array of
   struct user_way, which the caller frees; NULL when the store fails. judge: with
   all rules enforced. Adds the verified ones to the devices, with what they break and what
   they would but for exemptions. */
GArray *user_ways_find(struct store *store, const struct sighting_judge *judge, const char *user,
		       struct devices *devices);

#endif
