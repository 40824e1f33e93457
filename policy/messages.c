#include "messages.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "monotonic-clock.h"

#define MESSAGES_MAX 512

/* Of these, infos leave so many to warnings and errors. */
#define MESSAGES_RESERVED 64

/* A log that is too slow for long is never all written: how much was dropped is told
   meanwhile, too. */
#define TELL_SECONDS 60

struct message {
	enum message_level level;
	char text[MESSAGE_SIZE];
};

/* The lock is held while a message is copied, never over a system call that
   could wait. */
struct messages {
	pthread_mutex_t lock;
	int descriptor;
	bool readable; /* the descriptor is, or is about to be */
	size_t first;
	size_t count;
	unsigned long dropped;
	time_t dropping; /* since when; monotonic */
	struct message ring[MESSAGES_MAX];
};

struct messages *messages_create(void)
{
	struct messages *messages = calloc(1, sizeof(*messages));

	if (messages == NULL)
		return NULL;
	messages->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (messages->descriptor < 0) {
		free(messages);
		return NULL;
	}
	pthread_mutex_init(&messages->lock, NULL);
	return messages;
}

void messages_free(struct messages *messages)
{
	if (messages == NULL)
		return;
	close(messages->descriptor);
	pthread_mutex_destroy(&messages->lock);
	free(messages);
}

int messages_descriptor(const struct messages *messages)
{
	return messages->descriptor;
}

static size_t room_for(enum message_level level)
{
	return level == MESSAGE_INFO ? MESSAGES_MAX - MESSAGES_RESERVED : MESSAGES_MAX;
}

void messages_post(struct messages *messages, enum message_level level, const char *format, ...)
{
	const uint64_t one = 1;
	char text[MESSAGE_SIZE];
	bool wake;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	pthread_mutex_lock(&messages->lock);
	if (messages->count >= room_for(level)) {
		if (messages->dropped++ == 0)
			messages->dropping = monotonic_seconds();
	} else {
		struct message *message =
			&messages->ring[(messages->first + messages->count++) % MESSAGES_MAX];

		message->level = level;
		strcpy(message->text, text);
	}
	wake = !messages->readable;
	messages->readable = true;
	pthread_mutex_unlock(&messages->lock);
	/* Can only fail when it is readable already. */
	if (wake && write(messages->descriptor, &one, sizeof(one)) < 0)
		return;
}

bool messages_have_room(struct messages *messages)
{
	bool have;

	pthread_mutex_lock(&messages->lock);
	have = messages->count <= MESSAGES_MAX / 2;
	pthread_mutex_unlock(&messages->lock);
	return have;
}

static bool drops_are_due(const struct messages *messages)
{
	return messages->dropped > 0 &&
	       (messages->count == 0 || monotonic_seconds() - messages->dropping >= TELL_SECONDS);
}

bool messages_take(struct messages *messages, enum message_level *level_r,
		   char text_r[static MESSAGE_SIZE])
{
	uint64_t posted;
	bool taken = true;

	pthread_mutex_lock(&messages->lock);
	if (drops_are_due(messages)) {
		*level_r = MESSAGE_WARNING;
		snprintf(text_r, MESSAGE_SIZE, "%lu log lines were dropped", messages->dropped);
		messages->dropped = 0;
	} else if (messages->count > 0) {
		const struct message *message = &messages->ring[messages->first];

		*level_r = message->level;
		strcpy(text_r, message->text);
		messages->first = (messages->first + 1) % MESSAGES_MAX;
		messages->count--;
	} else {
		taken = false;
		/* Under the lock, so that no post can come between. Where that is about to
		   make it readable, there is nothing to read yet, and one wake too many. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): it does not block */
		if (read(messages->descriptor, &posted, sizeof(posted)) < 0)
			posted = 0;
		messages->readable = posted == 0 && messages->readable;
	}
	pthread_mutex_unlock(&messages->lock);
	return taken;
}
