#ifndef PORTCULLIS_SHARED_STANDING_H
#define PORTCULLIS_SHARED_STANDING_H

#include "inquiry.h"

/* Whether this host's servers read the exemptions that the store has: *problem_r is what is
   wrong, which the caller frees with g_free(); NULL: nothing is, or there are no servers here.
   now: in milliseconds. False when the store fails. */
bool shared_standing_find(const struct inquiry *inquiry, int64_t now, char **problem_r);

#endif
