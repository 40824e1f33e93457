#ifndef PORTCULLIS_LOG_USER_H
#define PORTCULLIS_LOG_USER_H

#include "policy/policy.h"

/* The name under which a user is recorded whom a log names, and by which he is forgotten: as the
   servers have it, what is no UTF-8 is made such, since it cannot be shown. */
void log_user_normalise(const char *name, const char *default_domain,
			char user_r[static USER_SIZE]);

#endif
