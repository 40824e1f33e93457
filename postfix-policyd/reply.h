#ifndef PORTCULLIS_REPLY_H
#define PORTCULLIS_REPLY_H

#include "policy/default-message.h"
#include "policy/judge.h"

/* No answer is longer than this, its closing NUL included. */
#define REPLY_SIZE (sizeof("action=550 5.7.1 \n\n") + MESSAGE_LENGTH_MAX)

/* Writes the answer to a policy request, its empty line included, and a NUL;
   returns its length without that. A message is cut at MESSAGE_LENGTH_MAX, which
   config_load() lets none exceed. */
size_t reply_format(const struct verdict *verdict, char reply_r[static REPLY_SIZE]);

#endif
