#ifndef PORTCULLIS_NOTICE_TRANSPORT_H
#define PORTCULLIS_NOTICE_TRANSPORT_H

#include "policy/notice-settings.h"

/* What became of a mail. */
enum hand_over {
	/* The server has taken it, and answers for it from now on. */
	HAND_OVER_TAKEN,
	/* Not now: full, busy, greylisted. The same mail may go later. */
	HAND_OVER_LATER,
	/* This recipient or this mail never. */
	HAND_OVER_REFUSED,
	/* The way itself is broken (no such program, nobody listens, sender
	   refused): it makes no sense to try the others now. */
	HAND_OVER_UNAVAILABLE,
	/* The connection broke after the mail was sent and before the answer: it
	   may have been taken. If repeated, then with the same Message-ID. */
	HAND_OVER_UNKNOWN,
};

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
