#define _GNU_SOURCE /* F_GETPIPE_SZ */
#include "dovecot-compat.h"
#include "server-log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* When a log process is looked at again that has not read yet: soon at first, because one
   that is only behind takes thousands of lines a second, and then less and less often. */
#define WAIT_NANOSECONDS_MIN 500000
#define WAIT_NANOSECONDS_MAX 50000000

/* Standard error leads to the log process, in its own words: failures.c. */
static bool log_is_dovecots;
static pid_t process;

void server_log_init(void)
{
	failure_callback_t *fatal, *error, *info, *debug;

	if (process == getpid())
		return;
	i_get_failure_handlers(&fatal, &error, &info, &debug);
	log_is_dovecots = i_failure_handler_is_internal(info);
	process = getpid();
}

static enum log_type log_type(enum message_level level)
{
	switch (level) {
	case MESSAGE_INFO:
		return LOG_TYPE_INFO;
	case MESSAGE_WARNING:
		return LOG_TYPE_WARNING;
	case MESSAGE_ERROR:
		break;
	}
	return LOG_TYPE_ERROR;
}

/* The deciding thread writes Dovecot's own lines into the same pipe, and waits when
   it is full. So one half of it is left to those. */
static bool pipe_has_room(void)
{
	int size = fcntl(STDERR_FILENO, F_GETPIPE_SZ), unread;

	return size < 0 || ioctl(STDERR_FILENO, FIONREAD, &unread) < 0 || unread < size / 2;
}

static void wait_for_room(void)
{
	struct timespec wait = {.tv_nsec = WAIT_NANOSECONDS_MIN};

	while (!pipe_has_room()) {
		nanosleep(&wait, NULL);
		if (wait.tv_nsec < WAIT_NANOSECONDS_MAX)
			wait.tv_nsec *= 2;
	}
}

void server_log_write(enum message_level level, const char *text)
{
	char line[MESSAGE_SIZE + 64];
	int length;

	if (log_is_dovecots)
		length = snprintf(line, sizeof(line), "\001%c%ld portcullis: %s\n",
				  log_type(level) + 1, (long)process, text);
	else
		length = snprintf(line, sizeof(line), "portcullis: %s\n", text);
	wait_for_room();
	/* Shorter than PIPE_BUF, so all of it or nothing. */
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* there is nowhere to say so */
}
