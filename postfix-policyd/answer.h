#ifndef PORTCULLIS_ANSWER_H
#define PORTCULLIS_ANSWER_H

#include "instances.h"
#include "reply.h"
#include "policy/journal.h"
#include "policy/keeper.h"

/* What answering a request takes. */
struct answerer {
	struct keeper *keeper;
	struct journal *journal;
	struct messages *messages;
	struct instances *instances;
};

/* Judges one whole policy request of length bytes, which is parsed in place;
   records and logs it unless an earlier recipient of the same mail was; writes
   the reply. Returns the reply's length; 0 with *error_r set to a static text
   when the request cannot be understood and so must not be answered. */
size_t answer_request(const struct answerer *answerer, char *request, size_t length,
		      char reply_r[static REPLY_SIZE], const char **error_r);

#endif
