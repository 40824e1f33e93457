#define _GNU_SOURCE /* asprintf(), setresuid() */
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool fail(char **error_r, const char *user, const char *problem)
{
	if (asprintf(error_r, "user %s: %s", user, problem) < 0)
		*error_r = NULL;
	return false;
}

bool identity_is_root(void)
{
	return geteuid() == 0;
}

bool identity_become(const char *user, char **error_r)
{
	const struct passwd *account;

	errno = 0;
	account = getpwnam(user);
	if (account == NULL)
		return fail(error_r, user, errno == 0 ? "there is none" : strerror(errno));
	if (account->pw_uid == 0)
		return fail(error_r, user, "is root; name one who is not");
	if (!identity_is_root() && geteuid() == account->pw_uid)
		return true;
	if (initgroups(user, account->pw_gid) < 0 ||
	    setresgid(account->pw_gid, account->pw_gid, account->pw_gid) < 0 ||
	    setresuid(account->pw_uid, account->pw_uid, account->pw_uid) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(error_r, user, strerror(errno));
	if (setuid(0) == 0 || setgid(0) == 0)
		return fail(error_r, user, "root's rights can be taken back");
	return true;
}
