#ifndef PORTCULLIS_ACCOUNT_H
#define PORTCULLIS_ACCOUNT_H

#include <stdbool.h>

/* Which account a command works as. What the service's account owns, it can replace by
   links to files of root's at any time; so root does there only what that account could
   do as well. It is known by the first directory on the way to a file that is not root's:
   all that lies behind it is in that account's hands.

   For everybody but root, and where every directory is root's, nothing changes. */

/* From now on, and for good; what is made from then on is for that account alone, unless
   somebody says otherwise (umask 077). False, having said so on standard error, when it
   cannot be; the command must end then. */
bool account_become_owner(const char *path);

/* For some time only, for commands that need root besides: what is opened in between is
   opened as that account. False as above. */
bool account_lend_owner(const char *path);
void account_return(void);

#endif
