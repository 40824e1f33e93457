#include "file-open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void file_close(int descriptor)
{
	int error = errno;

	if (descriptor >= 0)
		close(descriptor);
	errno = error;
}

static int close_with(int descriptor, int error)
{
	file_close(descriptor);
	errno = error;
	return -1;
}

static int open_regular(int directory, const char *name, int flags, mode_t mode,
			struct stat *status_r)
{
	int descriptor = openat(directory, name,
				flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);

	if (descriptor < 0) {
		/* A FIFO that nobody reads, and a socket. */
		if (errno == ENXIO)
			errno = EINVAL;
		return -1;
	}
	if (fstat(descriptor, status_r) < 0)
		return close_with(descriptor, errno);
	if (!S_ISREG(status_r->st_mode))
		return close_with(descriptor, EINVAL);
	if (status_r->st_nlink > 1)
		return close_with(descriptor, EMLINK);
	return descriptor;
}

int file_open_of_anybody(int directory, const char *name, int flags)
{
	struct stat status;

	return open_regular(directory, name, flags, 0, &status);
}

int file_open(int directory, const char *name, int flags, mode_t mode)
{
	struct stat file, holder;
	int descriptor = open_regular(directory, name, flags, mode, &file);

	if (descriptor < 0)
		return -1;
	if (fstat(directory, &holder) < 0)
		return close_with(descriptor, errno);
	if (file.st_uid != geteuid() && file.st_uid != holder.st_uid && file.st_uid != 0)
		return close_with(descriptor, EPERM);
	return descriptor;
}

int file_open_named(const char *path)
{
	return open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

int file_open_found(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (descriptor < 0)
		return -1;
	if (fstat(descriptor, &status) < 0)
		return close_with(descriptor, errno);
	return S_ISREG(status.st_mode) ? descriptor : close_with(descriptor, EINVAL);
}

const char *file_problem(int error)
{
	switch (error) {
	case ELOOP:
		return "it is a symbolic link";
	case EINVAL:
	case EISDIR:
		return "it is not a regular file";
	case EMLINK:
		return "it has another name as well (a hard link)";
	case EPERM:
		return "it belongs to another account, or may not be changed";
	case EWOULDBLOCK:
		return "it is locked by another process";
	default:
		return strerror(error);
	}
}
