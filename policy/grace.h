#ifndef PORTCULLIS_GRACE_H
#define PORTCULLIS_GRACE_H

#include "policy.h"

/* Grace: who was first seen breaking a rule so shortly before its date that less than the
   rule's grace was left has so much from the first notice on. It ends at midnight, as
   exemptions do. */

/* The name of the file of those who are given it, in the journal's directory. */
#define GRACE_FILE_NAME "grace"

/* When it ends for somebody who was first seen then, and first told then (SCHEDULE_ALWAYS: not
   yet). Until somebody is told, he has it for twice as long from the first sighting, and nobody
   has it for longer than that. 0: none, because there was time enough, or because he was first
   seen after the date. The same moments always give the same answer, so nobody has it twice. */
time_t grace_end(const struct rule *rule, time_t first_seen, time_t told);

/* When the last one of a rule ends, whoever has it: what a server heeds of a file. */
time_t grace_end_max(const struct rule *rule);

#endif
