#define _GNU_SOURCE /* setresuid(), setresgid() */
#include "account-access.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns 0 or an errno. */
static int try_access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : errno;
}

/* In the child: what access(2) says to the account. */
static int try_to_read(const struct passwd *user, const gid_t *group, const char *path)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, group == NULL ? user->pw_gid : *group, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return 0;
	return try_access(path, R_OK);
}

int account_access(const char *account, const char *directory, const char *path)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(account) : NULL;
	struct stat status;
	const gid_t *group = stat(directory, &status) == 0 ? &status.st_gid : NULL;
	pid_t child, ended;
	int result;

	if (user == NULL)
		return 0;
	child = fork();
	if (child == 0)
		_exit(try_to_read(user, group, path));
	do
		ended = child < 0 ? -1 : waitpid(child, &result, 0);
	while (ended < 0 && errno == EINTR);
	return ended > 0 && WIFEXITED(result) ? WEXITSTATUS(result) : 0;
}

bool access_is_denied(const char *path, int mode)
{
	return try_access(path, mode) == EACCES;
}
