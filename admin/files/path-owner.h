#ifndef PORTCULLIS_PATH_OWNER_H
#define PORTCULLIS_PATH_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/* In whose hands a path is. */
struct path_owner {
	uid_t user;
	gid_t group;
};

/* The owner of the first directory on the way to a file that is not root's: he can replace
   all that lies behind it. False when every directory is root's, as far as they exist.
   Links that root made are followed, since nobody else can change where they lead. */
bool path_owner_find(const char *path, struct path_owner *owner_r);

#endif
