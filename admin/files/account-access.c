#define _GNU_SOURCE /* setresuid(), getgrouplist() */
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

/* More are none of a server's. */
#define GROUPS_MAX 64

/* The account's own groups, and these. Returns how many. */
static int find_groups(const struct passwd *user, const char *const names[],
		       gid_t groups_r[static GROUPS_MAX])
{
	int count = GROUPS_MAX;

	if (getgrouplist(user->pw_name, user->pw_gid, groups_r, &count) < 0)
		count = GROUPS_MAX;
	for (; names != NULL && *names != NULL && count < GROUPS_MAX; names++) {
		const struct group *group = getgrnam(*names);

		if (group != NULL)
			groups_r[count++] = group->gr_gid;
	}
	return count;
}

/* In a child, as the account: what access(2) says to it. glibc before 2.33 asks for the real
   ids, whatever it is told. */
static int try_as(const struct passwd *user, const gid_t *groups, int count, const char *path,
		  int mode)
{
	pid_t child = fork(), ended;
	int result;

	if (child == 0)
		_exit(setgroups((size_t)count, groups) < 0 ||
				      setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
				      setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0
			      ? 0
			      : try_access(path, mode));
	do
		ended = child < 0 ? -1 : waitpid(child, &result, 0);
	while (ended < 0 && errno == EINTR);
	return ended > 0 && WIFEXITED(result) ? WEXITSTATUS(result) : 0;
}

int account_access_as(const char *account, const char *const groups[], const char *path, int mode)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(account) : NULL;
	gid_t numbers[GROUPS_MAX];

	return user == NULL ? 0
			    : try_as(user, numbers, find_groups(user, groups, numbers), path, mode);
}

int account_access(const char *account, const char *directory, const char *path)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(account) : NULL;
	gid_t numbers[GROUPS_MAX];
	struct stat status;
	int count;

	if (user == NULL)
		return 0;
	count = find_groups(user, NULL, numbers);
	if (stat(directory, &status) == 0 && count < GROUPS_MAX)
		numbers[count++] = status.st_gid;
	return try_as(user, numbers, count, path, R_OK);
}

bool access_is_denied(const char *path, int mode)
{
	return try_access(path, mode) == EACCES;
}
