#ifndef PORTCULLIS_OPENSSL_TEXT_H
#define PORTCULLIS_OPENSSL_TEXT_H

#include <stdbool.h>

#include "log-slice.h"

/* Whether a text, as servers log it, is what OpenSSL says of a handshake in which the client
   offered versions of TLS that the server does not have, or the other way round. */
bool openssl_says_no_common_version(struct log_slice text);

#endif
