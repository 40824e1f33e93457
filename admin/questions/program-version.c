#define _GNU_SOURCE /* pipe2() */
#include "program-version.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/delivery/child-process.h"
#include "admin/files/file-open.h"

#define ANSWER_SECONDS 3
#define VERSION_LENGTH_MAX 63

/* Up to the end, or until there is enough. False when that takes too long. */
static bool read_answer(int file, char *text_r, size_t size)
{
	gint64 end = g_get_monotonic_time() + ANSWER_SECONDS * G_USEC_PER_SEC;
	size_t length = 0;

	while (length + 1 < size) {
		struct pollfd readable = {.fd = file, .events = POLLIN};
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		int ready = poll(&readable, 1, (int)MAX(left, 0));
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		got = read(file, text_r + length, size - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	text_r[length] = '\0';
	return true;
}

/* Its files: what it is asked by, its answer, and what it says besides, which nobody reads. */
struct pipes {
	int input, answer[2], noise[2];
};

static bool open_pipes(struct pipes *pipes_r)
{
	*pipes_r = (struct pipes){file_open_named("/dev/null"), {-1, -1}, {-1, -1}};
	return pipes_r->input >= 0 && pipe2(pipes_r->answer, O_CLOEXEC) == 0 &&
	       pipe2(pipes_r->noise, O_CLOEXEC) == 0;
}

static void close_end(int *end)
{
	file_close(*end);
	*end = -1;
}

static void close_pipes(struct pipes *pipes)
{
	close_end(&pipes->input);
	for (int i = 0; i < 2; i++) {
		close_end(&pipes->answer[i]);
		close_end(&pipes->noise[i]);
	}
}

static char *ask(const char *const arguments[], struct pipes *pipes)
{
	char text[VERSION_LENGTH_MAX + 1] = "";
	bool answered;
	int status;
	pid_t pid;

	if (child_process_start(arguments,
				(const int[]){pipes->input, pipes->answer[1], pipes->noise[1]},
				&pid) != 0)
		return NULL;
	close_end(&pipes->answer[1]);
	answered = read_answer(pipes->answer[0], text, sizeof(text));
	/* Who goes on talking is ended by that. */
	close_end(&pipes->answer[0]);
	if (!answered)
		kill(pid, SIGKILL);
	answered &= child_process_wait(pid, ANSWER_SECONDS, &status);
	text[strcspn(text, " \t\r\n")] = '\0';
	if (!answered || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || text[0] == '\0')
		return NULL;
	return g_utf8_make_valid(text, -1);
}

char *program_version(const char *const arguments[])
{
	struct pipes pipes;
	char *version = open_pipes(&pipes) ? ask(arguments, &pipes) : NULL;

	close_pipes(&pipes);
	return version;
}

/* The folder is where packages put it, or who builds it by himself. */
static char *installed_version(const char *program, const char *first, const char *second)
{
	static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin"};
	char *version = NULL;

	for (size_t i = 0; version == NULL && i < G_N_ELEMENTS(folders); i++) {
		char *path = g_build_filename(folders[i], program, NULL);
		const char *const arguments[] = {path, first, second, NULL};

		if (access(path, X_OK) == 0)
			version = program_version(arguments);
		g_free(path);
	}
	return version;
}

char *dovecot_version(void)
{
	return installed_version("dovecot", "--version", NULL);
}

char *postfix_version(void)
{
	return installed_version("postconf", "-h", "mail_version");
}
