#ifndef PORTCULLIS_LOG_H
#define PORTCULLIS_LOG_H

#include "policy/messages.h"

/* The daemon's log: standard error, or syslog's facility "mail". Standard error
   that leads to systemd's journal gets its "<priority>" in front
   (sd-daemon(3)). */
enum log_target { LOG_STDERR, LOG_SYSLOG };

/* Chooses where to; call it before the others. */
void log_open(enum log_target target);

/* Writes at once, and waits for it: only before the daemon serves, and after. */
void log_write(enum message_level level, const char *text);

/* While the daemon serves, a thread of its own writes what is posted to messages,
   so that a log that stands still delays no answer. NULL, with errno set, when
   there can be no thread. */
struct log *log_start(struct messages *messages);

/* Writes what was posted, for at most two seconds, and ends the thread. False
   when it hangs in the log: it then still uses messages. */
bool log_stop(struct log *log);

#endif
