#ifndef PORTCULLIS_NOTICE_TEXTS_H
#define PORTCULLIS_NOTICE_TEXTS_H

#include "policy/config.h"

/* The words of mails and of the public page in each language that the policy
   names. Their format stands in portcullis-notices(5). For a language "de" the
   sections come from de.txt in the operator's folder, and those that are not
   there from the file that Portcullis brings. Parsed once, never changes, so
   threads may share it. */
struct notice_texts;

/* Reads and checks them all. Each mistake is reported as "FILE:LINE: ...", all
   of them in one go, and the result is NULL then. */
struct notice_texts *notice_texts_load(const struct policy *policy, config_report *error,
				       void *context);
void notice_texts_free(struct notice_texts *texts);

#endif
