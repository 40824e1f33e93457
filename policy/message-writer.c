#include "message-writer.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "background-thread.h"

#define STOP_SECONDS 2

struct message_writer {
	pthread_t thread;
	struct messages *messages;
	message_write *write;
	int stop_descriptor;
};

static void *write_messages(void *context)
{
	struct message_writer *writer = context;
	struct pollfd wait[] = {
		{.fd = messages_descriptor(writer->messages), .events = POLLIN},
		{.fd = writer->stop_descriptor, .events = POLLIN},
	};
	enum message_level level;
	char text[MESSAGE_SIZE];

	do {
		if (poll(wait, 2, -1) < 0)
			continue;
		while (messages_take(writer->messages, &level, text))
			writer->write(level, text);
	} while ((wait[1].revents & POLLIN) == 0);
	return NULL;
}

struct message_writer *message_writer_start(struct messages *messages, message_write *write)
{
	struct message_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	writer->messages = messages;
	writer->write = write;
	writer->stop_descriptor = eventfd(0, EFD_CLOEXEC);
	if (writer->stop_descriptor < 0)
		goto no_descriptor;
	if (!background_thread_start(&writer->thread, write_messages, writer))
		goto no_thread;
	return writer;

no_thread:
	close(writer->stop_descriptor);
no_descriptor:
	free(writer);
	return NULL;
}

bool message_writer_stop(struct message_writer *writer)
{
	const uint64_t one = 1;

	if (write(writer->stop_descriptor, &one, sizeof(one)) != (ssize_t)sizeof(one) ||
	    !background_thread_join(writer->thread, STOP_SECONDS))
		return false;
	close(writer->stop_descriptor);
	free(writer);
	return true;
}
