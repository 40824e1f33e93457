#ifndef PORTCULLIS_NOTICE_TRANSPORT_H
#define PORTCULLIS_NOTICE_TRANSPORT_H

#include "hand-over.h"
#include "policy/notice-settings.h"

/* A way for mails to leave. Opens a connection with the first mail, keeps it for
   the next ones, and opens a new one when the server closed it. */
struct notice_transport;

/* The settings are borrowed. NULL when out of memory. */
struct notice_transport *notice_transport_open(const struct transport_settings *settings);
void notice_transport_close(struct notice_transport *transport);

/* Hands one mail over to one recipient and waits for the answer, some minutes at
   most. from and recipient are as mail_address_is_valid() wants them. Unless it
   was taken, *error_r is one line that tells why, printable ASCII; it is valid
   until the next call. */
enum hand_over notice_transport_hand_over(struct notice_transport *transport, const char *from,
					  const char *recipient, const char *message, size_t length,
					  const char **error_r);

#endif
