#include "file-stamp.h"

#include <sys/stat.h>

struct file_stamp file_stamp(const char *path)
{
	struct stat status;

	if (path == NULL || stat(path, &status) < 0)
		return (struct file_stamp){0};
	return (struct file_stamp){
		.device = status.st_dev,
		.inode = status.st_ino,
		.size = status.st_size,
		.modified = status.st_mtim,
		.changed = status.st_ctim,
	};
}

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool file_stamp_is_settled(const struct file_stamp *stamp)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec < stamp->modified.tv_sec || now.tv_sec > stamp->modified.tv_sec + 1;
}
