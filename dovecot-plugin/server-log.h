#ifndef PORTCULLIS_SERVER_LOG_H
#define PORTCULLIS_SERVER_LOG_H

#include "policy/messages.h"

/* Dovecot's log, for a thread that is not Dovecot's: i_info() and its siblings are for
   the deciding thread alone, and wait for the log process. */

/* Call it in the deciding thread, before any other writes; once more does nothing. */
void server_log_init(void);

/* Writes a line as the auth process would, when the log process has read enough of
   what came before. */
void server_log_write(enum message_level level, const char *text);

#endif
