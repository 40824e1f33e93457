#include "file-group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "file-open.h"

static void keep_from_group(int file, const char *path, gid_t group)
{
	struct stat status;

	if (fstat(file, &status) < 0 || status.st_gid != group || (status.st_mode & S_IRWXG) == 0)
		return;
	if (fchmod(file, status.st_mode & 07777 & ~S_IRWXG) < 0)
		fprintf(stderr, "%s: cannot be kept from its group: %s\n", path, strerror(errno));
}

void file_keep_from_writers(const char *path, const char *directory)
{
	const char *name;
	int holder = directory_open_of(path, &name);
	int file = holder < 0 ? -1 : file_open(holder, name, O_RDONLY, 0);
	struct stat status;

	if (file >= 0 && stat(directory, &status) == 0 && (status.st_mode & S_IWGRP) != 0)
		keep_from_group(file, path, status.st_gid);
	if (file >= 0)
		close(file);
	if (holder >= 0)
		close(holder);
}

bool file_let_group_read(int file, int directory)
{
	struct stat status, holder;

	if (fstat(file, &status) < 0 || fstat(directory, &holder) < 0)
		return false;
	return (holder.st_mode & (S_ISGID | S_IWGRP)) != S_ISGID ||
	       fchmod(file, (status.st_mode & 07777) | S_IRGRP) == 0;
}
