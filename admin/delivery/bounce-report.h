#ifndef PORTCULLIS_BOUNCE_REPORT_H
#define PORTCULLIS_BOUNCE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "hand-over.h"
#include "message-id.h"

/* What a mail system reports of a mail that it had taken: a delivery status notification
   (RFC 3464, and in UTF-8 RFC 6533). Anybody can send one. */
struct bounce_report {
	bool failed; /* for good: neither delayed nor delivered */
	/* Of the mail that it is about, without angle brackets; "": it does not say. */
	char message_id[MESSAGE_ID_SIZE];
	char error[HAND_OVER_ERROR_SIZE]; /* of the first recipient that failed */
};

/* Reads a whole mail, with or without the line "From " of a mailbox in front. False when
   it is no such report. */
bool bounce_report_read(const char *mail, size_t length, struct bounce_report *report_r);

#endif
