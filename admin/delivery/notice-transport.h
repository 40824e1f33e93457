#ifndef PORTCULLIS_NOTICE_TRANSPORT_H
#define PORTCULLIS_NOTICE_TRANSPORT_H

#include "hand-over.h"
#include "policy/notice-settings.h"

/* A way for mails to leave: a program for each, or a connection that is opened with the
   first mail, kept for the next ones, and opened anew when the server closed it. */
struct notice_transport;

/* The settings are borrowed. */
struct notice_transport *notice_transport_open(const struct transport_settings *settings);
void notice_transport_close(struct notice_transport *transport);

/* Hands one mail over to one recipient and waits for what becomes of it, at most five
   minutes for each answer of a server. from and recipient are as
   mail_address_is_valid() wants them; lines of the message end in LF. *error_r is one
   line that tells why it was not taken, of printable ASCII, or "" when it was; it lives
   until the next call. */
enum hand_over notice_transport_hand_over(struct notice_transport *transport, const char *from,
					  const char *recipient, const char *message, size_t length,
					  const char **error_r);

#endif
