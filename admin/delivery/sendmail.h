#ifndef PORTCULLIS_SENDMAIL_H
#define PORTCULLIS_SENDMAIL_H

#include "hand-over.h"

/* Runs the sendmail program of the mail system as "PATH -i -f FROM -- RECIPIENT"
   with the message as its input, and waits for its exit status (sysexits.h), two
   minutes at most. Unless the mail was taken, error_r is written. */
enum hand_over sendmail_hand_over(const char *path, const struct mail_envelope *envelope,
				  char error_r[static HAND_OVER_ERROR_SIZE]);

#endif
