#ifndef PORTCULLIS_NOTICE_TEXTS_H
#define PORTCULLIS_NOTICE_TEXTS_H

#include "admin/templates/text-template.h"
#include "policy/policy.h"

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

/* Single words and phrases of a language. */
enum word {
	WORD_WEEKDAYS,
	WORD_MONTHS,
	WORD_DATE,
	WORD_DATE_TIME,
	WORD_AND,
	WORD_OR,
	WORD_ANY_TIME,
	WORD_OTHER_LANGUAGE,
	WORD_SERVICE_IMAP, /* in the order of enum service */
	WORD_SERVICE_POP3,
	WORD_SERVICE_SIEVE,
	WORD_SERVICE_SUBMISSION,
	WORD_SERVICE_SMTP,
	WORD_TLS_NONE, /* in the order of enum tls_state */
	WORD_TLS_STARTTLS,
	WORD_TLS_IMPLICIT,
	WORD_MECHANISM_NORMAL,
	WORD_MECHANISM_ENCRYPTED,
	WORD_MECHANISM_OTHER,
	WORD_PROGRAM_UNKNOWN,
	WORD_WHAT_ENCRYPTION, /* in the order of enum kind */
	WORD_WHAT_IMPLICIT_TLS,
	WORD_WHAT_MECHANISM,
	WORD_WHAT_COUNTRY,
	WORD_WHAT_PROTOCOL,
	WORD_WHAT_SUBMISSION_PORT,
	WORD_WHAT_RELAY,
	WORD_CHANGE_NOTIFY,
	WORD_CHANGE_ENFORCE,
	WORD_CHANGE_BROWNOUT,
	WORD_COUNT
};

/* One language of the texts. */
struct text_language {
	const char *code; /* "de" */
	struct text_sections *sections;
	const struct text_pieces *words[WORD_COUNT];
	char *weekdays[7]; /* Sunday first */
	char *months[12];
};

size_t notice_texts_count(const struct notice_texts *texts);
const struct text_language *notice_texts_language(const struct notice_texts *texts, size_t index);
/* NULL when the policy does not name it. */
const struct text_language *notice_texts_find(const struct notice_texts *texts, const char *code);

#endif
