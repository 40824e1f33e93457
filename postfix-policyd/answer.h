#ifndef PORTCULLIS_ANSWER_H
#define PORTCULLIS_ANSWER_H

#include "instances.h"
#include "policy-request.h"
#include "reply.h"
#include "policy/decision-log.h"
#include "policy/journal.h"
#include "policy/keeper.h"

/* What answering a request takes. */
struct answerer {
	struct keeper *keeper;
	struct journal *journal;
	struct decision_log *decisions;
	struct messages *messages;
	struct instances *instances;
};

/* Judges a policy request; records and logs it unless that was done for an
   earlier recipient of the same mail; writes the reply. Returns the reply's
   length; 0 with *error_r set to a static text when an attribute has a value
   that makes no sense, so that the request must not be answered. */
size_t answer_request(const struct answerer *answerer, const struct policy_request *request,
		      const struct timespec *now, char reply_r[static REPLY_SIZE],
		      const char **error_r);

#endif
