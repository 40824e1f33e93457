#ifndef PORTCULLIS_IN_FORCE_H
#define PORTCULLIS_IN_FORCE_H

#include "judge.h"
#include "messages.h"

/* Says which policy is in force now and what it refuses, the same way in each server:
   "FILE: read again, 3 rules, enforced now: encryption, country (edition ...)". */
void in_force_post(struct messages *messages, const struct edition *edition, const char *how);

#endif
