#ifndef PORTCULLIS_MESSAGES_H
#define PORTCULLIS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

/* What all threads have to say, for the one that writes the server's log. Bounded: a
   flood, or a log that stands still, drops the newest messages; how many is said behind
   the others, or a minute later. Warnings and errors have room of their own, which no
   flood of other messages takes. */
struct messages;

enum message_level { MESSAGE_INFO, MESSAGE_WARNING, MESSAGE_ERROR };

#define MESSAGE_SIZE 1024

/* NULL when out of memory or descriptors. */
struct messages *messages_create(void);
void messages_free(struct messages *messages);

/* Readable when there is a message to take. */
int messages_descriptor(const struct messages *messages);

/* From any thread; never waits for the log. */
void messages_post(struct messages *messages, enum message_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For what can wait: true while at most half of the room is taken. */
bool messages_have_room(struct messages *messages);

/* Takes the oldest message; false when there is none left. */
bool messages_take(struct messages *messages, enum message_level *level_r,
		   char text_r[static MESSAGE_SIZE]);

#endif
