#ifndef PORTCULLIS_NOTICE_HEALTH_H
#define PORTCULLIS_NOTICE_HEALTH_H

#include "admin/notices/mail-limits.h"
#include "inquiry.h"

/* Offenders who cannot be told. */
struct notice_health {
	bool readable;    /* false: what says who is written to cannot be read */
	bool forbidden;   /* for want of permission */
	uint64_t outside; /* of the domains that are written to, and not in the file of addresses */
	uint64_t failed;  /* whose last mail did */
	uint64_t untold;  /* of a rule, or not in time */
	/* Of all who are to be told; NULL: nobody could be told anyway. */
	struct mail_demand *demand;
};

void notice_health_clear(struct notice_health *health);

/* They are found in sightings that somebody else reads, too: those of the filter, user by user.
   NULL where no notices are configured, or nobody could be told anyway. */
struct notice_health_search;
struct notice_health_search *notice_health_begin(struct notice_health *health_r,
						 const struct inquiry *inquiry);
const struct store_filter *notice_health_filter(const struct notice_health_search *search);
void notice_health_take(struct notice_health_search *search, const struct store_sighting *sighting);

/* Frees it, and sets the rest. read: all were taken. search: NULL is allowed. */
bool notice_health_end(struct notice_health_search *search, bool read);

#endif
