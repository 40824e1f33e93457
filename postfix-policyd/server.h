#ifndef PORTCULLIS_SERVER_H
#define PORTCULLIS_SERVER_H

#include "answer.h"
#include "listener.h"
#include "options.h"

/* Serves policy clients until SIGTERM or SIGINT, then closes the listeners,
   finishes what is in hand within a few seconds, and returns. SIGHUP reloads.
   Says in the log and to systemd that it is ready once it heeds these signals, and to
   systemd that it stops. False, with *error_r set to a static text, when it could not
   begin or its event loop failed. */
bool server_run(struct listeners *listeners, const struct answerer *answerer,
		const struct options *options, const char **error_r);

#endif
