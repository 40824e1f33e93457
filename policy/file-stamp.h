#ifndef PORTCULLIS_FILE_STAMP_H
#define PORTCULLIS_FILE_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Which file was read last. All zero: none, it was missing. */
struct file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed; /* it may be readable now */
};

/* path may be NULL: no file. */
struct file_stamp file_stamp(const char *path);

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);

/* False while somebody may still be writing into it: it changed within this second. */
bool file_stamp_is_settled(const struct file_stamp *stamp);

#endif
