#ifndef PORTCULLIS_MAIL_SESSION_H
#define PORTCULLIS_MAIL_SESSION_H

#include "hand-over.h"
#include "policy/notice-settings.h"

/* A connection to an SMTP (RFC 5321) or LMTP (RFC 2033) server, in clear and
   without a login: it is meant for the host itself or a relay beside it. */
struct mail_session;

/* Connects and greets. NULL with error_r written when that fails. Once it is connected,
   the process ignores SIGPIPE. */
struct mail_session *mail_session_open(const struct transport_settings *settings,
				       char error_r[static HAND_OVER_ERROR_SIZE]);
void mail_session_close(struct mail_session *session);

/* One transaction. HAND_OVER_UNAVAILABLE also when the connection turned out to
   be closed before the mail was sent. Unless the mail was taken, error_r is written. */
enum hand_over mail_session_hand_over(struct mail_session *session,
				      const struct mail_envelope *envelope,
				      char error_r[static HAND_OVER_ERROR_SIZE]);

/* False when the next transaction needs a new session. */
bool mail_session_is_alive(const struct mail_session *session);

#endif
