#ifndef PORTCULLIS_DEFAULT_MESSAGE_H
#define PORTCULLIS_DEFAULT_MESSAGE_H

#include "policy.h"

/* A message is one line of printable ASCII, and short enough for the replies of
   IMAP, POP3 and SMTP: 512 octets (RFC 5321, 4.5.3.1.5) less codes and CRLF, and
   less "<recipient>: Recipient address rejected: ", which Postfix puts in front. */
#define MESSAGE_LENGTH_MAX 300

/* And so a help-url has to leave room for the words before it. */
#define HELP_URL_LENGTH_MAX 120

/* What the client is told by a rule without a message: what was retired and
   what to do. Worded so that it is true whether the password was right or
   wrong. The caller frees it; NULL when out of memory. */
char *default_message(const struct policy *policy, const struct rule *rule);

#endif
