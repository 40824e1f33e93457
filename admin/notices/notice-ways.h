#ifndef PORTCULLIS_NOTICE_WAYS_H
#define PORTCULLIS_NOTICE_WAYS_H

#include "notice-past.h"

/* Which of a person's ways are open for a rule: those of devices that still break it, as
   admin/sightings/device.h has it. One that rests is open, too, where the person was not told
   of the rule since it was seen first, or since all was well last. */
struct rule_ways {
	bool broken;                  /* there are some that break it, since then */
	time_t first_open, last_open; /* SCHEDULE_NEVER and SCHEDULE_ALWAYS: none is open */
	/* All is well: each device that broke it was seen right since, or rests, and that for
	   long enough to say so. */
	bool well;
};

/* What makes good news of it: a repaired device would have broken the rule again by now. One that
   only rests has done so since the person was told, for at least twice as long as it takes to
   rest, and longer the fewer days of use its rhythm is known by; and it would have been seen.
   Neither for less than so many days: nobody shall hear that all is well, and then come back
   from a holiday. */
#define NOTICE_REPAIRED_DAYS 3
#define NOTICE_RESTED_DAYS 28

/* By one more than so many days of use, a rhythm is known half as well as it may be. */
#define NOTICE_FEW_DAYS 6

/* Adds the rule to the ways that are open for it: to those that an exemption for a country lets
   pass for the time being, or to the others. */
struct rule_ways notice_look_at_ways(const struct notice_person *person, const struct rule *rule,
				     const struct rule_past *past, bool ending, time_t now,
				     uint64_t *open);

/* When all will be well with a device, as far as a rule goes, if it is not used again, nor the
   person told of it; SCHEDULE_NEVER: it will not. */
time_t notice_device_well_from(const struct notice_person *person, size_t device,
			       const struct rule *rule);

/* Whether a way broke the rule when the person was told of it last, and its device is
   repaired since. */
bool notice_way_has_changed(const struct notice_person *person, size_t way, unsigned int rule);

#endif
