#ifndef PORTCULLIS_NOTICE_MAIL_H
#define PORTCULLIS_NOTICE_MAIL_H

#include "notice-texts.h"
#include "notice.h"

/* Composes mails (RFC 5322, UTF-8, multipart/alternative of plain text and
   HTML). One composer serves a whole run: its memory does not grow with the mails
   that it makes. One thread at a time; several threads can have one composer each
   on the same texts. */
struct notice_composer;

/* Policy and texts are borrowed, and must outlive it. The policy's notices
   have a sender (notices_are_configured()). */
struct notice_composer *notice_composer_create(const struct policy *policy,
					       const struct notice_texts *texts);
void notice_composer_free(struct notice_composer *composer);

/* The finished mail, lines ending in LF, all of it ASCII (other characters are
   encoded), with a NUL behind it; the caller frees it with g_free(). NULL, with
   *error_r a static text, when recipient or Message-ID is no address. */
char *notice_compose(struct notice_composer *composer, const struct notice *notice,
		     size_t *length_r, const char **error_r);

/* Of the mail that notice_compose() made last: its subject, and its plain text. Borrowed
   until the next one. */
const char *notice_composed_subject(const struct notice_composer *composer);
const char *notice_composed_text(const struct notice_composer *composer);

/* As notice_compose(), for a mail to the operator with plain text only, the summary of a run
   for instance, with the same headers. Subject and text are UTF-8; of the subject, 200
   characters are used. */
char *notice_compose_plain(struct notice_composer *composer, const char *recipient,
			   const char *message_id, time_t date, const char *subject,
			   const char *text, size_t *length_r, const char **error_r);

#endif
