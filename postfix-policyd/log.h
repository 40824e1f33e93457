#ifndef PORTCULLIS_LOG_H
#define PORTCULLIS_LOG_H

#include "policy/messages.h"

/* The daemon's log: standard error, or syslog's facility "mail". Standard error
   that leads to systemd's journal gets its "<priority>" in front
   (sd-daemon(3)). */
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* Chooses where to; call it before the others. */
void log_open(enum log_target target);

/* Writes one line, and waits for it: while the daemon serves, only a thread of its
   own does (policy/message-writer.h). */
void log_write(enum message_level level, const char *text);

#endif
