#ifndef PORTCULLIS_GRACE_FILE_H
#define PORTCULLIS_GRACE_FILE_H

#include "notice-people.h"

/* Writes down for the servers, who know no store, to whom the policy gives grace; see
   policy/grace.h. Without a rule that gives any, there is no such file. One process at a time.
   False, having said why on standard error, when the file stays as it was. */
bool grace_file_write(const struct policy *policy, struct notice_people *people,
		      struct store *store, time_t now);

#endif
