#define _GNU_SOURCE /* memfd_create() */

#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* A mail system that takes longer for a mail into its queue stands still. */
#define PATIENCE_SECONDS 120

/* What the program says is worth so much. */
#define SAID_SIZE 256

/* A file in memory with the message, to be read from its begin. -1 and errno
   when that fails. Unlike a pipe it never blocks, and nobody can close it. */
static int message_file(const struct mail_envelope *envelope)
{
	int file = memfd_create("message", MFD_CLOEXEC);
	size_t written = 0;

	if (file < 0)
		return -1;
	while (written < envelope->length) {
		ssize_t n = write(file, envelope->message + written, envelope->length - written);

		if (n < 0 && errno != EINTR) {
			close(file);
			return -1;
		}
		if (n > 0)
			written += (size_t)n;
	}
	lseek(file, 0, SEEK_SET);
	return file;
}

/* Starts the program with its files. Returns 0 or an errno. */
static int start(const char *path, const struct mail_envelope *envelope, int input, int output,
		 pid_t *pid_r)
{
	/* posix_spawn() wants them without const, but changes nothing. "--": an
	   address may begin with a hyphen. */
	char *const arguments[] = {
		(char *)path, "-i", "-f", (char *)envelope->from, "--", (char *)envelope->recipient,
		NULL};
	/* Not the caller's environment: sendmail listens to some of it. */
	char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int error;

	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	error = posix_spawn_file_actions_init(&files);
	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error != 0)
		goto free_files;
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	error = posix_spawn(pid_r, path, &files, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
free_files:
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Waits for the end and kills what does not end. Returns false then. */
static bool wait_for(pid_t pid, int *status_r)
{
	struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int ready;

	do {
		ready = ended.fd < 0 ? 1 : poll(&ended, 1, PATIENCE_SECONDS * 1000);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, status_r, 0) < 0 && errno == EINTR)
		continue;
	if (ended.fd >= 0)
		close(ended.fd);
	return ready != 0;
}

/* The begin of what the program wrote. */
static void read_said(int output, char said_r[static SAID_SIZE])
{
	ssize_t length = pread(output, said_r, SAID_SIZE - 1, 0);

	said_r[length > 0 ? length : 0] = '\0';
}

static enum hand_over judge_status(int status)
{
	if (WIFSIGNALED(status))
		return HAND_OVER_UNKNOWN;
	switch (WEXITSTATUS(status)) {
	case EX_OK:
		return HAND_OVER_TAKEN;
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST:
		return HAND_OVER_REFUSED;
	case EX_TEMPFAIL:
	case EX_OSERR:
	case EX_IOERR:
		return HAND_OVER_LATER;
	}
	/* EX_UNAVAILABLE, EX_CONFIG, EX_NOPERM, EX_USAGE and unheard-of ones:
	   the others would fare no better. */
	return HAND_OVER_UNAVAILABLE;
}

enum hand_over sendmail_hand_over(const char *path, const struct mail_envelope *envelope,
				  char error_r[static HAND_OVER_ERROR_SIZE])
{
	enum hand_over result = HAND_OVER_UNAVAILABLE;
	int input = message_file(envelope);
	int output = memfd_create("output", MFD_CLOEXEC);
	char said[SAID_SIZE], what[64];
	int error, status;
	pid_t pid;

	if (input < 0 || output < 0) {
		hand_over_error(error_r, path, strerror(errno));
		goto done;
	}
	error = start(path, envelope, input, output, &pid);
	if (error != 0) {
		hand_over_error(error_r, path, strerror(error));
		goto done;
	}
	if (!wait_for(pid, &status)) {
		hand_over_error(error_r, path, "did not end in two minutes, and was killed");
		result = HAND_OVER_UNKNOWN;
		goto done;
	}
	result = judge_status(status);
	if (result == HAND_OVER_TAKEN)
		goto done;
	read_said(output, said);
	snprintf(what, sizeof(what),
		 WIFSIGNALED(status) ? "sendmail was killed by signal %d"
				     : "sendmail ended with %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	hand_over_error(error_r, what, said);
done:
	if (input >= 0)
		close(input);
	if (output >= 0)
		close(output);
	return result;
}
