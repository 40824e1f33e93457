#ifndef PORTCULLIS_NOTICE_HEALTH_H
#define PORTCULLIS_NOTICE_HEALTH_H

#include "inquiry.h"

/* Offenders who cannot be told. */
struct notice_health {
	bool readable;    /* false: what says who is written to cannot be read */
	bool forbidden;   /* for want of permission */
	uint64_t outside; /* of the domains that are written to, and not in the file of addresses */
	uint64_t failed;  /* whose last mail did */
	uint64_t untold;  /* of a rule, or not in time */
};

/* Nothing where no notices are configured. False when the store fails. */
bool notice_health_find(struct notice_health *health_r, const struct inquiry *inquiry);

#endif
