#ifndef PORTCULLIS_GRACE_LINE_H
#define PORTCULLIS_GRACE_LINE_H

#include "policy/policy.h"

/* Why a line of a policy's file of grace gives it, as its comment says: "first told on
   2024-09-17". "" when it cannot be read any more. The caller frees it with g_free(). */
char *grace_line_reason(const struct policy *policy, unsigned int line);

#endif
