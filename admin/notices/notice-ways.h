#ifndef PORTCULLIS_NOTICE_WAYS_H
#define PORTCULLIS_NOTICE_WAYS_H

#include "notice-past.h"

/* Which of a person's ways are open for a rule: those of devices that still break it, as
   admin/sightings/device.h has it. Who was never told of the rule, since it was fixed last,
   is told also of those that rest. */
struct rule_ways {
	bool broken;                  /* there are some that break it, since then */
	time_t first_open, last_open; /* SCHEDULE_NEVER and SCHEDULE_ALWAYS: none is open */
	/* All is well: each device that broke it was seen right since, or rests, and that for
	   long enough to say so. */
	bool settled;
};

/* What makes good news of it: a repaired device would have broken the rule again by now, and
   one that only rests has done so for twice as long as it takes to rest, since the person
   was told. Neither for less than so many days: nobody shall hear that all is well, and then
   comes back from a holiday. */
#define NOTICE_REPAIRED_DAYS 3
#define NOTICE_RESTED_DAYS 28

/* Adds the rule to the ways that are open for it. */
struct rule_ways notice_look_at_ways(const struct notice_person *person, unsigned int rule,
				     const struct rule_past *past, time_t now, uint64_t *open);

/* When a device will be settled for a rule if it is not used again, nor the person told of it;
   SCHEDULE_NEVER: it will not. */
time_t notice_device_settles(const struct notice_person *person, size_t device, unsigned int rule);

/* Whether a way broke the rule when the person was told of it last, and its device is
   repaired since. */
bool notice_way_has_changed(const struct notice_person *person, size_t way, unsigned int rule);

#endif
