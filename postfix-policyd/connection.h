#ifndef PORTCULLIS_CONNECTION_H
#define PORTCULLIS_CONNECTION_H

#include <event2/event.h>

#include "answer.h"

/* The connections of policy clients, which is to say of smtpd processes, and what
   comes in by them. Requests are answered in the order in which they came, all
   that have arrived at a time. A client that breaks the protocol, stops in the
   middle of a request, or does not take its answers, is cut off; none can make
   the daemon hold more than a fixed amount of memory. */
struct connections;

/* Postfix closes an idle connection by itself (smtpd_policy_service_max_idle, by
   default 300 s). This is for those who do not. */
#define CONNECTION_IDLE_SECONDS 3600

/* NULL when out of memory. The others are borrowed. A request must be whole, and
   answers must be taken, within request_timeout seconds. */
struct connections *connections_create(struct event_base *base, const struct answerer *answerer,
				       unsigned int request_timeout);
void connections_free(struct connections *connections);

/* Takes over a connected, non-blocking descriptor. */
void connections_add(struct connections *connections, int fd);

size_t connections_count(const struct connections *connections);

/* Closes those whose time is over, to be called about once a second. */
void connections_sweep(struct connections *connections);

/* Closes the one that has been without a request for longest, to make room.
   Postfix, should it still want it, connects again. There may be none. */
bool connections_can_evict(const struct connections *connections);
void connections_evict(struct connections *connections);

/* From now on each is closed, by connections_sweep(), as soon as no request of
   it is in hand. */
void connections_finish(struct connections *connections);

#endif
