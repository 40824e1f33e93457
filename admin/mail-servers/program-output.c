#define _GNU_SOURCE /* pipe2() */
#include "program-output.h"

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

/* What it complains of is worth so much. */
#define COMPLAINT_LENGTH_MAX 400

#define END_SECONDS 3

/* Its answer and its complaint, while they come. */
struct stream {
	GString *text;
	size_t length_max;
	bool cut; /* more came than that */
};

struct conversation {
	struct stream streams[2];
	int pipes[2][2]; /* of each, the end to read and the one to write */
	int input;
	gint64 end;
};

static void close_end(int *end)
{
	file_close(*end);
	*end = -1;
}

static bool open_pipes(struct conversation *conversation)
{
	conversation->input = file_open_named("/dev/null");
	return conversation->input >= 0 && pipe2(conversation->pipes[0], O_CLOEXEC) == 0 &&
	       pipe2(conversation->pipes[1], O_CLOEXEC) == 0;
}

static void close_pipes(struct conversation *conversation)
{
	close_end(&conversation->input);
	for (int i = 0; i < 2; i++) {
		close_end(&conversation->pipes[i][0]);
		close_end(&conversation->pipes[i][1]);
	}
}

/* Takes what has come; closes the pipe where nothing more will. */
static void take(struct stream *stream, int *pipe)
{
	char buffer[16384];
	ssize_t got = read(*pipe, buffer, sizeof(buffer));
	size_t room = stream->length_max - stream->text->len;

	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0) {
		close_end(pipe);
		return;
	}
	stream->cut |= (size_t)got > room;
	g_string_append_len(stream->text, buffer, (gssize)MIN((size_t)got, room));
}

/* Until both end. False when that takes too long, or the answer is too long. */
static bool listen_to(struct conversation *conversation)
{
	while (conversation->pipes[0][0] >= 0 || conversation->pipes[1][0] >= 0) {
		struct pollfd ready[] = {
			{.fd = conversation->pipes[0][0], .events = POLLIN},
			{.fd = conversation->pipes[1][0], .events = POLLIN},
		};
		gint64 left = (conversation->end - g_get_monotonic_time()) / 1000;
		int count = poll(ready, 2, (int)MAX(left, 0));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		for (int i = 0; i < 2; i++) {
			if (ready[i].revents != 0)
				take(&conversation->streams[i], &conversation->pipes[i][0]);
		}
		if (conversation->streams[0].cut)
			return false;
	}
	return true;
}

/* The first line of what it complained of, and how it ended. */
static char *describe_end(const struct conversation *conversation, int status)
{
	char *complaint = g_utf8_make_valid(conversation->streams[1].text->str, -1);
	char *text;

	complaint[strcspn(complaint, "\n")] = '\0';
	if (WIFSIGNALED(status))
		text = g_strdup_printf("it was killed by signal %d", WTERMSIG(status));
	else
		text = g_strdup_printf("it ended with status %d%s%s", WEXITSTATUS(status),
				       complaint[0] == '\0' ? "" : ": ", complaint);
	g_free(complaint);
	return text;
}

static char *converse(struct conversation *conversation, const char *const arguments[],
		      unsigned int seconds)
{
	int status, error;
	bool heard;
	pid_t pid;

	error = child_process_start(arguments,
				    (const int[]){conversation->input, conversation->pipes[0][1],
						  conversation->pipes[1][1]},
				    &pid);
	if (error != 0)
		return g_strdup_printf("it cannot be started: %s", strerror(error));
	close_end(&conversation->pipes[0][1]);
	close_end(&conversation->pipes[1][1]);
	heard = listen_to(conversation);
	if (!heard)
		kill(pid, SIGKILL);
	heard &= child_process_wait(pid, END_SECONDS, &status);
	if (conversation->streams[0].cut)
		return g_strdup_printf("it prints more than %zu bytes",
				       conversation->streams[0].length_max);
	if (!heard)
		return g_strdup_printf("it does not end within %u seconds", seconds);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL
							     : describe_end(conversation, status);
}

struct program_output program_output(const char *const arguments[], unsigned int seconds,
				     size_t length_max)
{
	struct conversation conversation = {
		.streams = {{g_string_new(NULL), length_max, false},
			    {g_string_new(NULL), COMPLAINT_LENGTH_MAX, false}},
		.pipes = {{-1, -1}, {-1, -1}},
		.end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC,
	};
	struct program_output output = {0};

	if (open_pipes(&conversation))
		output.problem = converse(&conversation, arguments, seconds);
	else
		output.problem = g_strdup(strerror(errno));
	close_pipes(&conversation);
	if (output.problem == NULL)
		output.text = g_utf8_make_valid(conversation.streams[0].text->str, -1);
	g_string_free(conversation.streams[0].text, TRUE);
	g_string_free(conversation.streams[1].text, TRUE);
	return output;
}

void program_output_clear(struct program_output *output)
{
	g_clear_pointer(&output->text, g_free);
	g_clear_pointer(&output->problem, g_free);
}

char *program_path(const char *name)
{
	static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/usr/local/sbin",
					      "/usr/local/bin"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		char *path = g_build_filename(folders[i], name, NULL);

		if (access(path, X_OK) == 0)
			return path;
		g_free(path);
	}
	return NULL;
}
