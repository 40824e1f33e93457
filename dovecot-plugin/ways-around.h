#ifndef PORTCULLIS_WAYS_AROUND_H
#define PORTCULLIS_WAYS_AROUND_H

/* What lets a user in without asking the gate. The operator may have reasons for
   it, so it is a warning in the log and no error. */

#include "policy/policy.h"

/* Mechanisms that are switched on, that ask no passdb, and that a rule is to
   refuse one day. */
void warn_of_mechanisms_without_passdb(const struct policy *policy);

/* Passdbs that no gate stands before, those for master users too. Says it once
   in a process, and only when all passdbs are known: from a passdb's init. */
void warn_of_passdbs_without_gate(void);

#endif
