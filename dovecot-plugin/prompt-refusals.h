#ifndef PORTCULLIS_PROMPT_REFUSALS_H
#define PORTCULLIS_PROMPT_REFUSALS_H

#include "policy/address.h"

#include <time.h>

/* How many refusals a minute an address has without Dovecot's delay: enough for an
   office's old phone, too few for a flood. Stated in portcullis.conf(5). */
#define PROMPT_REFUSALS_PER_MINUTE 10

/* Counts a refusal of an address, of IPv6 with its /64. True for the first ones of a
   minute. In a fixed amount of memory: addresses may share a count, so that one has
   fewer than its own. now is of a clock that nobody sets, in seconds. For one thread. */
bool refusal_is_prompt(const struct address *address, time_t now);

#endif
