#define _GNU_SOURCE /* setresuid(), setresgid() */
#include "account.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path-owner.h"

static bool fail(uid_t user)
{
	fprintf(stderr, "portcullis: cannot work as user %lu, who owns the files: %s\n",
		(unsigned long)user, strerror(errno));
	return false;
}

static bool set_groups(const struct path_owner *owner)
{
	const struct passwd *user = getpwuid(owner->user);

	/* With the directory's group besides, which need not be one of the account's. */
	return user != NULL ? initgroups(user->pw_name, user->pw_gid) == 0
			    : setgroups(0, NULL) == 0;
}

/* Where libraries look for an account's own files, such as passwords for a store. */
static void set_home(const struct path_owner *owner)
{
	const struct passwd *user = getpwuid(owner->user);

	setenv("HOME", user != NULL ? user->pw_dir : "/", 1);
}

bool account_become_owner(const char *path)
{
	struct path_owner owner;

	if (geteuid() != 0 || !path_owner_find(path, &owner))
		return true;
	if (!set_groups(&owner) || setresgid(owner.group, owner.group, owner.group) < 0 ||
	    setresuid(owner.user, owner.user, owner.user) < 0)
		return fail(owner.user);
	set_home(&owner);
	umask(077);
	return true;
}

static struct {
	bool lent;
	gid_t group;
	gid_t *groups;
	int count;
	char *home; /* NULL: none */
} before;

static void remember_groups(void)
{
	before.group = getegid();
	before.count = getgroups(0, NULL);
	/* NOLINTNEXTLINE(clang-analyzer-optin.taint.TaintedAlloc): the kernel says so */
	before.groups = g_new(gid_t, MAX(before.count, 1));
	before.count = getgroups(before.count, before.groups);
	before.home = g_strdup(getenv("HOME"));
}

bool account_lend_owner(const char *path)
{
	struct path_owner owner;

	if (geteuid() != 0 || !path_owner_find(path, &owner))
		return true;
	remember_groups();
	before.lent = true;
	if (set_groups(&owner) && setegid(owner.group) == 0 && seteuid(owner.user) == 0) {
		set_home(&owner);
		return true;
	}
	fail(owner.user);
	account_return();
	return false;
}

void account_return(void)
{
	if (!before.lent)
		return;
	/* It was root's before: that cannot fail, and going on otherwise must not be. */
	if (seteuid(0) < 0 || setegid(before.group) < 0 ||
	    setgroups((size_t)before.count, before.groups) < 0)
		abort();
	if (before.home != NULL)
		setenv("HOME", before.home, 1);
	else
		unsetenv("HOME");
	g_free(before.home);
	g_free(before.groups);
	before.lent = false;
}
