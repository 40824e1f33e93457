#ifndef PORTCULLIS_DOVECOT_SESSION_H
#define PORTCULLIS_DOVECOT_SESSION_H

#include "log-slice.h"
#include "policy/address.h"

/* Reads the id that Dovecot gives a session: when it began, the client's port, its address.
   Of those only the first is of use, and it is told in 48 bits: microseconds since 1970,
   which begin anew every 8.9 years. False when it is no such id, or names another client
   than the one that is known: then somebody else made it. */
bool dovecot_session_read(struct log_slice id, const struct address *client, uint64_t *began_r);

#endif
