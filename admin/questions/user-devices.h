#ifndef PORTCULLIS_USER_DEVICES_H
#define PORTCULLIS_USER_DEVICES_H

#include "admin/sightings/device.h"
#include "user-ways.h"

/* One of a user's devices, and what came of it. */
struct user_device {
	const struct device *device;
	/* Of all rules that it broke, the worst: open, resting, repaired. */
	enum device_state state;
	/* Those that it still breaks, as far as is known: a bit each. */
	uint64_t rules;
	/* Of all that it broke, together. */
	struct device_record record;
	/* By which it is best known: the latest that breaks what it still does, or the latest
	   of all. */
	const struct user_way *way;
};

/* Those of some ways, as user_ways_find() has found both, those that were seen last first, in
   an array of struct user_device, which the caller frees. What they point to is the ways' and
   devices'. now: milliseconds. */
GArray *user_devices_find(const GArray *ways, const struct devices *devices, int64_t now);

#endif
