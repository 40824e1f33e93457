#ifndef PORTCULLIS_CANDIDATE_MAIL_H
#define PORTCULLIS_CANDIDATE_MAIL_H

#include "admin/wording/notice-mail.h"
#include "notice-people.h"

/* The finished mail to a candidate, of what is planned, as notice_compose() makes it.
   The policy is the one that the composer has. The caller frees it with g_free(). */
char *candidate_mail(struct notice_composer *composer, const struct policy *policy,
		     const struct notice_candidate *candidate, const char *recipient,
		     const char *message_id, time_t now, size_t *length_r, const char **error_r);

#endif
