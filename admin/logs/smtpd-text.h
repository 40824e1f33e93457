#ifndef PORTCULLIS_SMTPD_TEXT_H
#define PORTCULLIS_SMTPD_TEXT_H

#include "policy/attempt.h"

#include "log-slice.h"

/* Parts of smtpd's messages. */

/* Goes behind a text that the rest begins with; false where it does not. */
static inline bool smtpd_skip(struct log_slice *rest, const char *text)
{
	if (!log_slice_begins(*rest, text))
		return false;
	*rest = log_slice_behind(*rest, strlen(text));
	return true;
}

/* Where a text stands; NULL: nowhere. */
const char *smtpd_find(struct log_slice slice, const char *text);

/* The part before a letter or a text; all, where it is missing. */
struct log_slice smtpd_before(struct log_slice slice, char letter);
struct log_slice smtpd_before_text(struct log_slice slice, const char *text);

/* The part behind the first or the last of a letter; nothing, where it is missing. */
struct log_slice smtpd_behind(struct log_slice slice, char letter);
struct log_slice smtpd_behind_last(struct log_slice slice, char letter);

struct smtpd_client {
	struct log_slice text; /* NAME[ADDRESS], and :PORT where smtpd_client_port_logging is on */
	struct log_slice address;
};

/* Goes behind a client that the rest begins with; false where it does not. */
bool smtpd_take_client(struct log_slice *rest, struct smtpd_client *client_r);

/* Cut where there is no room for all. False: there is a NUL in it. */
bool smtpd_copy_text(struct log_slice slice, char *text_r, size_t size);

/* Longer names of mechanisms are none. */
#define SMTPD_MECHANISM_SIZE 32

/* In capitals; "" where it is none that could be offered, but a stranger's text. */
void smtpd_copy_mechanism(struct log_slice method, char mechanism_r[static SMTPD_MECHANISM_SIZE]);

void smtpd_address(struct log_slice slice, struct address *address_r);
enum tls_version smtpd_tls_version(struct log_slice slice);

#endif
