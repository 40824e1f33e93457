#include "path-owner.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

/* As the kernel has it. */
#define LINKS_MAX 40

/* The way that goes on, behind a link, where the link leads; NULL when that cannot be
   read. */
static char *follow(const char *link, const char *rest)
{
	char *target = g_file_read_link(link, NULL);
	char *directory = g_path_get_dirname(link);
	char *joined = target == NULL ? NULL : g_strconcat(target, rest, NULL);
	char *followed = joined == NULL ? NULL : g_canonicalize_filename(joined, directory);

	g_free(joined);
	g_free(directory);
	g_free(target);
	return followed;
}

/* The length of the part of an absolute path that ends behind a place. */
static size_t next_part(const char *path, size_t place)
{
	place += strspn(path + place, "/");
	return place + strcspn(path + place, "/");
}

/* Goes along a path without "." and "..". Returns 1 with the owner, 0 when all is root's,
   -1 at a link, whose target and what follows it are *way_r then; the caller frees it. */
static int walk(const char *path, struct path_owner *owner_r, char **way_r)
{
	for (size_t length = 0; path[length] != '\0';) {
		char *part;
		struct stat status;
		bool is_there;

		length = next_part(path, length);
		part = g_strndup(path, length);
		is_there = lstat(part, &status) == 0;
		if (is_there && status.st_uid == 0 && S_ISLNK(status.st_mode)) {
			*way_r = follow(part, path + length);
			g_free(part);
			return -1;
		}
		g_free(part);
		/* What is not there is nobody's yet. */
		if (!is_there)
			return 0;
		if (status.st_uid != 0 && (path[length] != '\0' || S_ISDIR(status.st_mode))) {
			*owner_r = (struct path_owner){status.st_uid, status.st_gid};
			return 1;
		}
	}
	return 0;
}

bool path_owner_find(const char *path, struct path_owner *owner_r)
{
	char *way = g_canonicalize_filename(path, NULL);
	int found = -1;

	for (unsigned int links = 0; found < 0 && way != NULL && links <= LINKS_MAX; links++) {
		char *next = NULL;

		found = walk(way, owner_r, &next);
		g_free(way);
		way = next;
	}
	g_free(way);
	return found > 0;
}
