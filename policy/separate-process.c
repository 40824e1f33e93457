#define _GNU_SOURCE
#include "separate-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "open-files.h"

static void close_other(int file, const void *kept)
{
	if (file != *(const int *)kept)
		close(file);
}

/* In the child: leaves the work to a child of its own, so that nobody need wait for
   the end of it. */
static void work(int (*function)(const void *context), const void *context, int answer)
{
	int result;

	if (fork() != 0)
		return;
	/* What it keeps open others might wait to see closed: logs, listening sockets. */
	(void)open_files_each(0, close_other, &answer);
	result = function(context);
	if (write(answer, &result, sizeof(result)) < 0)
		_exit(1);
}

static int read_answer(int file, int milliseconds)
{
	struct pollfd answer = {.fd = file, .events = POLLIN};
	const struct timespec timeout = {.tv_sec = milliseconds / 1000,
					 .tv_nsec = milliseconds % 1000 * 1000000L};
	sigset_t all;
	int result, ready;

	/* A signal would begin the wait anew. */
	sigfillset(&all);
	ready = ppoll(&answer, 1, &timeout, &all);
	if (ready <= 0)
		return ready < 0 ? errno : ETIMEDOUT;
	return read(file, &result, sizeof(result)) == sizeof(result) ? result : ECHILD;
}

int separate_process_call(int (*function)(const void *context), const void *context,
			  int milliseconds)
{
	int ends[2], result;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		work(function, context, ends[1]);
		_exit(0);
	}
	result = child < 0 ? errno : 0;
	close(ends[1]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (result == 0)
		result = read_answer(ends[0], milliseconds);
	close(ends[0]);
	return result;
}
