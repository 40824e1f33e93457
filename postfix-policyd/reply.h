#ifndef PORTCULLIS_REPLY_H
#define PORTCULLIS_REPLY_H

#include "policy/judge.h"

/* No answer is longer than this, its closing NUL included. */
#define REPLY_SIZE 352

/* Writes the answer to a policy request, its empty line included, and a NUL;
   returns its length without that. A message too long for an SMTP reply is cut. */
size_t reply_format(const struct verdict *verdict, char reply_r[static REPLY_SIZE]);

#endif
