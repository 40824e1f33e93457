#ifndef PORTCULLIS_SERVER_H
#define PORTCULLIS_SERVER_H

#include "answer.h"
#include "listener.h"

/* Serves policy clients until SIGTERM or SIGINT, then closes the listeners,
   finishes what is in hand within a few seconds, and returns. SIGHUP reloads.
   Tells systemd when it is ready and when it stops. False, with *error_r set to a
   static text, when it could not begin or its event loop failed. */
bool server_run(struct listeners *listeners, const struct answerer *answerer,
		unsigned int request_timeout, const char **error_r);

#endif
