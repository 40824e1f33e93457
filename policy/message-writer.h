#ifndef PORTCULLIS_MESSAGE_WRITER_H
#define PORTCULLIS_MESSAGE_WRITER_H

#include "messages.h"

/* A thread of its own that writes what is posted to messages, so that a log that
   stands still delays nobody else. */
struct message_writer;

/* Writes one message to the server's log; may wait for as long as that takes. */
typedef void message_write(enum message_level level, const char *text);

/* Starts the thread. Not before the process has its final identity. NULL, with errno
   set, when there can be no thread. */
struct message_writer *message_writer_start(struct messages *messages, message_write *write);

/* Writes what was posted, for at most two seconds, and ends the thread. False when it
   hangs in the log: it then still uses messages. */
bool message_writer_stop(struct message_writer *writer);

#endif
