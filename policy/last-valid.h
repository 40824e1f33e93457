#ifndef PORTCULLIS_LAST_VALID_H
#define PORTCULLIS_LAST_VALID_H

#include "config.h"
#include "valid-copy.h"

/* A broken portcullis.conf must not take the logins down when a server is restarted: the
   last valid one is used instead. */

/* Loads a configuration. If it is valid, its copy is brought up to date; that this fails is
   only worth a warning. If it is broken, each of its errors goes to error, and the copy is
   loaded instead, whose path is the policy's file; that goes to error, too. The result is NULL
   when there is no valid copy either; error was told why. warning may be NULL. */
struct policy *last_valid_load(const struct valid_copies *copies, const char *path,
			       config_report *error, config_report *warning, void *context);

#endif
