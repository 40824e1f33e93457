#ifndef PORTCULLIS_PROMPT_REFUSALS_H
#define PORTCULLIS_PROMPT_REFUSALS_H

#include "policy/address.h"

#include <time.h>

/* How many refusals a minute an address has without Dovecot's delay: enough for an
   office's old phone, too few for a flood. Stated in portcullis.conf(5). */
#define PROMPT_REFUSALS_PER_MINUTE 10

/* Takes one of the prompt refusals that an address, of IPv6 with its /64, has in this
   minute; false when none is left. In a fixed amount of memory: addresses may share
   theirs. now is of a clock that nobody sets, in seconds. For one thread. */
bool prompt_refusal_take(const struct address *address, time_t now);

#endif
