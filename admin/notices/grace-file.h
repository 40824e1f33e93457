#ifndef PORTCULLIS_GRACE_FILE_H
#define PORTCULLIS_GRACE_FILE_H

#include "notice-people.h"

/* Writes down for the servers, who know no store, to whom the policy gives grace, as reader
   knows it; see policy/grace.h. Without a rule that gives any, there is no such file. Where the
   store is on a server, writer gets the text as well, and each host's importer writes the file. One
   process at a time. False, having said why on standard error, when all stays as it was. */
bool grace_file_write(const struct policy *policy, struct notice_people *people,
		      struct store *reader, struct store *writer, time_t now);

#endif
