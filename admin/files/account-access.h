#ifndef PORTCULLIS_ACCOUNT_ACCESS_H
#define PORTCULLIS_ACCOUNT_ACCESS_H

#include <stdbool.h>

/* Whether another account can read a file; only root can find that out. directory's group
   counts as one of the account's. Returns 0 when it can, there is no such account, or it
   cannot be found out; else why not, as an errno. */
int account_access(const char *account, const char *directory, const char *path);

/* The same of any access, R_OK and the like, for an account that is in these groups besides its
   own; NULL: in none. They end with NULL; one that there is not is left out. */
int account_access_as(const char *account, const char *const groups[], const char *path, int mode);

/* Whether this account, as which it works now, may not do that with a file: R_OK or W_OK. What
   is not there is not denied. */
bool access_is_denied(const char *path, int mode);

#endif
