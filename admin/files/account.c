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

/* As the kernel has it. */
#define LINKS_MAX 40

/* ---- whose file it is ---- */

struct owner {
	uid_t user;
	gid_t group;
};

/* The path with a link, of length characters from its begin, replaced by what it leads
   to; NULL when that cannot be read. */
static char *follow_link(const char *path, size_t length)
{
	char *link = g_strndup(path, length);
	char *target = g_file_read_link(link, NULL);
	char *directory = g_path_get_dirname(link);
	char *joined = target == NULL ? NULL : g_strconcat(target, path + length, NULL);
	char *followed = joined == NULL ? NULL : g_canonicalize_filename(joined, directory);

	g_free(joined);
	g_free(directory);
	g_free(target);
	g_free(link);
	return followed;
}

/* The length of the part of an absolute path that ends behind a place. */
static size_t next_part(const char *path, size_t place)
{
	place += strspn(path + place, "/");
	return place + strcspn(path + place, "/");
}

/* A link that root made may be followed: nobody else can change where it leads. */
static bool find_owner(const char *path, struct owner *owner_r)
{
	char *way = g_canonicalize_filename(path, NULL);
	unsigned int links = 0;
	size_t length = 0;
	bool found = false;

	while (!found && way != NULL && way[length] != '\0') {
		struct stat status;
		char saved;

		length = next_part(way, length);
		saved = way[length];
		way[length] = '\0';
		/* What is not there is nobody's yet. */
		if (lstat(way, &status) < 0)
			break;
		way[length] = saved;
		if (status.st_uid != 0 && (saved != '\0' || S_ISDIR(status.st_mode))) {
			*owner_r = (struct owner){status.st_uid, status.st_gid};
			found = true;
		} else if (S_ISLNK(status.st_mode)) {
			char *followed = ++links > LINKS_MAX ? NULL : follow_link(way, length);

			g_free(way);
			way = followed;
			length = 0;
		}
	}
	g_free(way);
	return found;
}

/* ---- becoming ---- */

static bool fail(uid_t user)
{
	fprintf(stderr, "portcullis: cannot work as user %lu, who owns the files: %s\n",
		(unsigned long)user, strerror(errno));
	return false;
}

static bool set_groups(const struct owner *owner)
{
	const struct passwd *user = getpwuid(owner->user);

	return user != NULL ? initgroups(user->pw_name, owner->group) == 0
			    : setgroups(0, NULL) == 0;
}

bool account_become_owner(const char *path)
{
	struct owner owner;

	if (geteuid() != 0 || !find_owner(path, &owner))
		return true;
	if (!set_groups(&owner) || setresgid(owner.group, owner.group, owner.group) < 0 ||
	    setresuid(owner.user, owner.user, owner.user) < 0)
		return fail(owner.user);
	umask(077);
	return true;
}

/* ---- lending ---- */

static struct {
	bool lent;
	gid_t group;
	gid_t *groups;
	int count;
} before;

static void remember_groups(void)
{
	before.group = getegid();
	before.count = getgroups(0, NULL);
	before.groups = g_new(gid_t, MAX(before.count, 1));
	before.count = getgroups(before.count, before.groups);
}

bool account_lend_owner(const char *path)
{
	struct owner owner;

	if (geteuid() != 0 || !find_owner(path, &owner))
		return true;
	remember_groups();
	before.lent = true;
	if (set_groups(&owner) && setegid(owner.group) == 0 && seteuid(owner.user) == 0)
		return true;
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
	g_free(before.groups);
	before.lent = false;
}
