#ifndef PORTCULLIS_GRACE_TEXT_H
#define PORTCULLIS_GRACE_TEXT_H

#include "notice-people.h"

/* The text that gives it to nobody. */
#define GRACE_HEADING                                                                              \
	"# Written anew by each run of 'portcullis notify'; see \"grace\" in "                     \
	"portcullis.conf(5).\n"

/* To whom the policy gives grace, as the store knows whom it saw and told: the lines of the file
   that servers read, see policy/grace.h. NULL when the store fails. The caller frees it with
   g_string_free(). */
GString *grace_text_find(const struct policy *policy, struct notice_people *people,
			 struct store *store, time_t now);

#endif
