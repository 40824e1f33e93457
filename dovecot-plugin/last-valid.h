#ifndef PORTCULLIS_LAST_VALID_H
#define PORTCULLIS_LAST_VALID_H

#include "policy/config.h"

/* A broken portcullis.conf must not take the logins down when Dovecot is
   restarted: a copy of the last valid one is kept in the journal's directory,
   and is used instead. Others may write there, and this process may be root: only
   a copy that root or this user made is used, and neither it nor the directory may
   be a symbolic link. */

/* Loads a configuration. If it is valid, its copy is brought up to date; that
   this fails is only worth a warning. If it is broken, each of its errors goes
   to error, and the copy is loaded instead: *copy_r is then its path, allocated
   for the caller to free, otherwise NULL. The result is NULL when there is no
   valid copy either; error was told why. warning may be NULL. */
struct policy *last_valid_load(const char *path, config_report *error, config_report *warning,
			       void *context, char **copy_r);

/* The path of the copy of a configuration in a directory, allocated. The name
   is the configuration's path with everything but letters, digits, "." and "_"
   percent-encoded. NULL when out of memory or the name becomes too long. */
char *last_valid_path(const char *directory, const char *path);

#endif
