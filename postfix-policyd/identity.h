#ifndef PORTCULLIS_IDENTITY_H
#define PORTCULLIS_IDENTITY_H

#include <stdbool.h>

/* As which account the daemon works, when it is started as root without systemd. */

/* Gives up all that root may, for good, and becomes a user with all groups of his.
   Before any thread is started. False with *error_r allocated for the caller to free,
   or NULL without memory; the process must end then. */
bool identity_become(const char *user, char **error_r);

/* Whether the daemon works with root's rights. */
bool identity_is_root(void);

#endif
