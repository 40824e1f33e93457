#include "child-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/open-files.h"

#define STANDARD_FILES 3

/* How long the end of a child may go unnoticed. */
#define PAUSE_MILLISECONDS_MAX 10

/* Programs listen to many variables, and whoever calls us may have set them. */
static char **child_environment(void)
{
	char **environment = g_environ_setenv(NULL, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
	const char *zone = g_getenv("TZ");

	environment = g_environ_setenv(environment, "LANG", "C.UTF-8", TRUE);
	return zone == NULL ? environment : g_environ_setenv(environment, "TZ", zone, TRUE);
}

/* Our own are made so; a library's or our caller's may not be. */
static void close_on_exec(int file, const void *context)
{
	(void)context;
	fcntl(file, F_SETFD, FD_CLOEXEC);
}

static int set_files(posix_spawn_file_actions_t *actions, const int files[static STANDARD_FILES])
{
	int error = open_files_each(STANDARD_FILES, close_on_exec, NULL);

	for (int i = 0; i < STANDARD_FILES && error == 0; i++)
		error = posix_spawn_file_actions_adddup2(actions, files[i], i);
	return error;
}

static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t signals;

	sigfillset(&signals);
	posix_spawnattr_setsigdefault(attributes, &signals);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(attributes, &signals);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* None of the files is a standard one. */
static int spawn(const char *const arguments[], const int files[static STANDARD_FILES],
		 pid_t *pid_r)
{
	char **environment = child_environment();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_signals(&attributes);
	error = set_files(&actions, files);
	/* It wants the arguments without const, but changes nothing. */
	if (error == 0)
		error = posix_spawn(pid_r, arguments[0], &actions, &attributes,
				    (char *const *)arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	g_strfreev(environment);
	return error;
}

int child_process_start(const char *const arguments[], const int files[static 3], pid_t *pid_r)
{
	int copies[STANDARD_FILES], error = 0;

	/* One that is a standard file of ours could be overwritten by the one before it. */
	for (int i = 0; i < STANDARD_FILES; i++) {
		copies[i] = fcntl(files[i], F_DUPFD_CLOEXEC, STANDARD_FILES);
		if (copies[i] < 0)
			error = errno;
	}
	if (error == 0)
		error = spawn(arguments, copies, pid_r);
	for (int i = 0; i < STANDARD_FILES; i++) {
		if (copies[i] >= 0)
			close(copies[i]);
	}
	return error;
}

bool child_process_wait(pid_t pid, unsigned int seconds, int *status_r)
{
	gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	unsigned int pause = 1;
	pid_t ended;

	while ((ended = waitpid(pid, status_r, WNOHANG)) == 0 && g_get_monotonic_time() < end) {
		g_usleep(pause * 1000);
		pause = MIN(pause * 2, PAUSE_MILLISECONDS_MAX);
	}
	if (ended != 0)
		return true;
	kill(pid, SIGKILL);
	while (waitpid(pid, status_r, 0) < 0 && errno == EINTR)
		continue;
	return false;
}
