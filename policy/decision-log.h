#ifndef PORTCULLIS_DECISION_LOG_H
#define PORTCULLIS_DECISION_LOG_H

#include "judge.h"
#include "messages.h"

/* A message of the policy daemon holds it. */
#define DECISION_LOG_SIZE MESSAGE_SIZE

/* Writes the server's log line for a verdict that rejects, or would reject when
   its rules come into force: "refused after the password: user=<...> client=...
   country=... service=... port=... tls=... mechanism=<...> rules=RULE:PHASE,...".
   One line of printable ASCII without the server's prefix, cut where it is full;
   what strangers chose is escaped and cut before. False when no rule is broken. */
bool decision_log_format(const struct attempt *attempt, const struct policy *policy,
			 const struct verdict *verdict, char text_r[static DECISION_LOG_SIZE]);

#endif
