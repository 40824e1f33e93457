#define _GNU_SOURCE
#include "trusted-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text-file.h"

/* -1 with errno set. */
static int open_directory_of(const char *path)
{
	char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));
	int opened;

	if (directory == NULL)
		return -1;
	opened = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	free(directory);
	return opened;
}

/* Returns 0 or an errno. */
static int mistrust(int directory, int file)
{
	struct stat holder, status;

	if (fstat(directory, &holder) < 0 || fstat(file, &status) < 0)
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (!S_ISREG(status.st_mode))
		return EINVAL;
	if (status.st_nlink > 1)
		return EMLINK;
	return status.st_uid == holder.st_uid || status.st_uid == 0 ? 0 : EPERM;
}

/* -1 with errno set. */
static int open_in(int directory, const char *name)
{
	int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = file < 0 ? errno : mistrust(directory, file);

	if (error == 0)
		return file;
	if (file >= 0)
		close(file);
	errno = error;
	return -1;
}

char *trusted_file_read(const char *path, size_t size_max, size_t *length_r, const char **error_r)
{
	int directory = open_directory_of(path), error;
	int file = directory < 0 ? -1 : open_in(directory, strrchr(path, '/') + 1);
	char *text = text_file_read_close(file, size_max, length_r, error_r);

	error = errno;
	if (directory >= 0)
		close(directory);
	errno = error;
	return text;
}
