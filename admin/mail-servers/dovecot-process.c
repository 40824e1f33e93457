#define _GNU_SOURCE /* struct ucred */
#include "dovecot-process.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "policy/text-file.h"

#define PROC_SIZE_MAX ((size_t)1 << 20)

/* A file of a process; NULL: it has ended, or is not ours to see. The caller frees it with
   free(). */
static char *proc_read(pid_t pid, const char *name, size_t *length_r)
{
	char path[64];
	const char *problem;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return text_file_read(path, PROC_SIZE_MAX, length_r, &problem);
}

/* Field 22 of its stat, in clock ticks since the machine came up, and field 4. */
static bool read_stat(pid_t pid, unsigned long long *ticks_r, int *parent_r)
{
	size_t length;
	char *text = proc_read(pid, "stat", &length);
	const char *fields = text == NULL ? NULL : strrchr(text, ')');
	bool read = fields != NULL && sscanf(fields,
					     ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
					     "%*u %*u %*d %*d %*d %*d %*d %*d %llu",
					     parent_r, ticks_r) == 2;

	free(text);
	return read;
}

static int64_t milliseconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* 0: it has ended. */
static int64_t started(pid_t pid)
{
	unsigned long long ticks;
	int parent;

	if (!read_stat(pid, &ticks, &parent))
		return 0;
	return milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME) +
	       (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}

/* Who listens at a socket. 0: nobody, with errno set. */
static pid_t find_listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	pid_t pid = 0;

	if (descriptor < 0)
		return 0;
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) <
		    sizeof(address.sun_path) &&
	    connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		pid = peer.pid;
	file_close(descriptor);
	return pid;
}

/* Not one of its workers, which are called by "-w". */
static bool is_auth(pid_t pid, pid_t master)
{
	unsigned long long ticks;
	size_t length;
	int parent;
	char *name = proc_read(pid, "comm", &length);
	bool is = name != NULL && strcmp(name, "auth\n") == 0 && read_stat(pid, &ticks, &parent) &&
		  parent == master;

	free(name);
	if (!is)
		return false;
	name = proc_read(pid, "cmdline", &length);
	for (size_t i = 0; name != NULL && i < length; i++) {
		if (name[i] == '\0')
			name[i] = ' ';
	}
	is = name != NULL && strstr(name, "-w") == NULL;
	free(name);
	return is;
}

/* The youngest one counts: another may be about to end. */
static void find_auth(struct dovecot_process *process)
{
	GDir *proc = g_dir_open("/proc", 0, NULL);
	const char *name;

	while (proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
		pid_t pid = atoi(name);
		int64_t since = pid > 0 && is_auth(pid, process->master) ? started(pid) : 0;

		if (since == 0 || (process->has_auth && since < process->started))
			continue;
		process->has_auth = true;
		process->started = since;
	}
	if (proc != NULL)
		g_dir_close(proc);
}

void dovecot_process_find(struct dovecot_process *process_r, const char *base)
{
	char *path = g_build_filename(base, "master", NULL);

	*process_r = (struct dovecot_process){.master = find_listener(path)};
	process_r->hidden = process_r->master == 0 && errno == EACCES;
	g_free(path);
	if (process_r->master == 0)
		return;
	process_r->started = started(process_r->master);
	find_auth(process_r);
}
