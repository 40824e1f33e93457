#define _GNU_SOURCE /* memfd_create() */

#include "sendmail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "child-process.h"

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

/* What came of a program that ended by itself. */
static enum hand_over judge(int status, int output, char error_r[static HAND_OVER_ERROR_SIZE])
{
	enum hand_over result = judge_status(status);
	char said[SAID_SIZE], what[64];

	if (result == HAND_OVER_TAKEN)
		return result;
	read_said(output, said);
	if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "sendmail was killed by signal %d", WTERMSIG(status));
	else
		snprintf(what, sizeof(what), "sendmail ended with %d", WEXITSTATUS(status));
	hand_over_error(error_r, what, said);
	return result;
}

/* input and output are files that were opened. */
static enum hand_over run(const char *path, const struct mail_envelope *envelope, int input,
			  int output, char error_r[static HAND_OVER_ERROR_SIZE])
{
	/* "--": an address may begin with a hyphen. */
	const char *const arguments[] = {
		path, "-i", "-f", envelope->from, "--", envelope->recipient, NULL};
	int status, error;
	pid_t pid;

	error = child_process_start(arguments, (const int[]){input, output, output}, &pid);
	if (error != 0) {
		hand_over_error(error_r, path, strerror(error));
		return HAND_OVER_UNAVAILABLE;
	}
	if (child_process_wait(pid, PATIENCE_SECONDS, &status))
		return judge(status, output, error_r);
	hand_over_error(error_r, path, "did not finish within two minutes, and was killed");
	return HAND_OVER_UNKNOWN;
}

enum hand_over sendmail_hand_over(const char *path, const struct mail_envelope *envelope,
				  char error_r[static HAND_OVER_ERROR_SIZE])
{
	enum hand_over result = HAND_OVER_UNAVAILABLE;
	int input = message_file(envelope);
	int output = memfd_create("output", MFD_CLOEXEC);

	if (input < 0 || output < 0)
		hand_over_error(error_r, path, strerror(errno));
	else
		result = run(path, envelope, input, output, error_r);
	if (input >= 0)
		close(input);
	if (output >= 0)
		close(output);
	return result;
}
