#ifndef PORTCULLIS_NOTICE_TEXTS_H
#define PORTCULLIS_NOTICE_TEXTS_H

#include "admin/store/store-notices.h"
#include "notice-vocabulary.h"
#include "policy/policy.h"

/* The texts of mails and of the public page in each language that the policy
   names. Their format stands in portcullis-notices(5). For a language "de" the
   sections and words come from de.txt in the operator's folder, and those that are
   not there from the file that Portcullis brings. Parsed once, never changes, so
   threads may share it. */
struct notice_texts;

/* Reads and checks them all. Mistakes are reported as "FILE:LINE: ..." or, of a file as
   a whole, "FILE: ...": all of every language in one go, what is missing or unused once
   the rest is right. The result is NULL then. The policy is borrowed. */
struct notice_texts *notice_texts_load(const struct policy *policy, config_report *error,
				       void *context);
void notice_texts_free(struct notice_texts *texts);

/* One language of the texts. */
struct text_language {
	const char *code;               /* "de" */
	struct text_sections *sections; /* checked: all that notices and the page need */
};

size_t notice_texts_count(const struct notice_texts *texts);
const struct text_language *notice_texts_language(const struct notice_texts *texts, size_t index);
/* NULL when the policy does not name it. */
const struct text_language *notice_texts_find(const struct notice_texts *texts, const char *code);

/* The section with the mail for a reason. Texts of before there was NOTICE_MOVED say with a
   reminder which date holds. */
const char *text_language_section(const struct text_language *language, enum notice_reason reason);

#endif
