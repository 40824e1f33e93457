#define _GNU_SOURCE /* pipe2() */

#include "address-command.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child-process.h"
#include "policy/write-all.h"

/* Enough for a directory service that is asked over a slow line. */
#define ANSWER_SECONDS 60
#define END_SECONDS 10

struct address_command {
	const char *path;
	pid_t pid; /* 0: not started */
	int questions;
	int answers;
	const char *problem; /* NULL: it answers */
};

struct address_command *address_command_create(const char *path)
{
	struct address_command *command = g_new0(struct address_command, 1);

	command->path = path;
	return command;
}

/* A pipe that the command reads, and one that it writes. */
static bool open_pipes(int to_r[static 2], int from_r[static 2])
{
	if (pipe2(to_r, O_CLOEXEC) < 0)
		return false;
	if (pipe2(from_r, O_CLOEXEC) == 0)
		return true;
	close(to_r[0]);
	close(to_r[1]);
	return false;
}

static bool start(struct address_command *command)
{
	const char *const arguments[] = {command->path, NULL};
	int to[2], from[2], error;

	if (!open_pipes(to, from))
		return false;
	signal(SIGPIPE, SIG_IGN);
	error = child_process_start(arguments, (const int[]){to[0], from[1], STDERR_FILENO},
				    &command->pid);
	close(to[0]);
	close(from[1]);
	if (error != 0) {
		command->pid = 0;
		close(to[1]);
		close(from[0]);
		return false;
	}
	command->questions = to[1];
	command->answers = from[0];
	return true;
}

void address_command_free(struct address_command *command)
{
	int status;

	if (command == NULL)
		return;
	if (command->pid != 0) {
		/* The end of its input ends a command that is made well. */
		close(command->questions);
		close(command->answers);
		if (command->problem != NULL)
			kill(command->pid, SIGTERM);
		child_process_wait(command->pid, END_SECONDS, &status);
	}
	g_free(command);
}

/* Reads one line, without its newline. It is the only one: the command was asked
   once. False when none comes in time, or more than fits. */
static bool read_line(int file, char *line_r, size_t size)
{
	size_t length = 0;

	while (length < size) {
		struct pollfd readable = {.fd = file, .events = POLLIN};
		int ready = poll(&readable, 1, ANSWER_SECONDS * 1000);
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		got = read(file, line_r + length, size - length);
		if (got <= 0)
			return false;
		length += (size_t)got;
		if (line_r[length - 1] == '\n') {
			line_r[length - 1] = '\0';
			return strlen(line_r) == length - 1 && strchr(line_r, '\n') == NULL;
		}
	}
	return false;
}

static bool converse(struct address_command *command, const char *question, char *answer_r,
		     size_t size)
{
	char *line = g_strdup_printf("%s\n", question);
	bool fine = write_all(command->questions, line, strlen(line)) &&
		    read_line(command->answers, answer_r, size);

	g_free(line);
	return fine;
}

bool address_command_ask(struct address_command *command, const char *question, char *answer_r,
			 size_t size, const char **error_r)
{
	if (command->problem == NULL && command->pid == 0 && !start(command))
		command->problem = "the address-map command could not be started";
	if (command->problem == NULL && !converse(command, question, answer_r, size))
		command->problem = "the address-map command did not answer as it should";
	*error_r = command->problem;
	return command->problem == NULL;
}
