#ifndef PORTCULLIS_NOTICE_SILENCE_H
#define PORTCULLIS_NOTICE_SILENCE_H

#include "notice-people.h"

/* Why nothing is due, for an operator who expected something: which rules are broken, in
   what phase they are, and the first time to come at which somebody would be told. As
   lines of text, which the caller frees with g_free(). user: as in notice_people_each().
   NULL when the store fails. */
char *notice_silence(const struct policy *policy, struct notice_people *people, struct store *store,
		     const char *user, time_t now);

#endif
