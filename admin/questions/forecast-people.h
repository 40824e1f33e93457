#ifndef PORTCULLIS_FORECAST_PEOPLE_H
#define PORTCULLIS_FORECAST_PEOPLE_H

#include <glib.h>

#include "admin/sightings/device-weight.h"
#include "admin/sightings/sighting-judge.h"

/* People who broke a rule at any time, with their devices, as the store has them: to be weighed
   when all are known. */

struct affected_person {
	bool active, good; /* seen lately, and in a way that works */
	bool rejected;     /* would have been at any time */
	bool told;
	guint devices, ways; /* how many there are */
};

/* One of the person's devices, as to one rule that it broke. */
struct affected_device {
	struct device_rest rest;
	guint16 device; /* its number */
	uint8_t rule;
};

/* And one of the ways in which it would have been rejected. */
struct affected_way {
	guint32 device, habit;
	int64_t last;
};

struct affected_people {
	const struct policy *policy;
	struct device_weights *weights;
	GArray *people;  /* of struct affected_person */
	GArray *devices; /* of struct affected_device: theirs, one after another, */
	GArray *ways;    /* and of struct affected_way */

	/* Of the person whose sightings come. */
	uint64_t broken; /* rules */
	struct devices *own_devices;
	GArray *own_ways;
};

/* The store must be being read. now: of the latest sighting, in milliseconds. */
bool affected_people_init(struct affected_people *people_r, const struct policy *policy,
			  struct store *store, int64_t now);
void affected_people_clear(struct affected_people *people);

/* Goes on with another person. */
void affected_people_begin(struct affected_people *people);
void affected_people_add(struct affected_people *people, const struct store_sighting *sighting,
			 const struct sighting_verdict *verdict);
/* Keeps the person, if there is anything to weigh. */
void affected_people_end(struct affected_people *people, struct affected_person person);

#endif
