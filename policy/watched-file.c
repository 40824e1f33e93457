#include "watched-file.h"

#define WAIT_SECONDS_MIN 5
#define WAIT_SECONDS_MAX 60

bool watched_file_has_failed(const struct watched_file *file, const struct file_stamp *stamp)
{
	return file->wait > 0 && file_stamp_same(stamp, &file->failed);
}

bool watched_file_is_due(struct watched_file *file, const char *path, time_t now,
			 struct file_stamp *stamp_r)
{
	*stamp_r = file_stamp(path);
	if (path == NULL)
		return false;
	if (file->is_in_force && file_stamp_same(stamp_r, &file->in_force)) {
		file->wait = 0; /* it was away, and has come back */
		return false;
	}
	return file_stamp_is_settled(stamp_r) &&
	       (!watched_file_has_failed(file, stamp_r) || now >= file->next);
}

void watched_file_took(struct watched_file *file, const struct file_stamp *stamp)
{
	*file = (struct watched_file){.in_force = *stamp, .is_in_force = true};
}

void watched_file_failed(struct watched_file *file, const struct file_stamp *stamp, time_t now)
{
	if (!watched_file_has_failed(file, stamp))
		file->wait = WAIT_SECONDS_MIN;
	else if (file->wait < WAIT_SECONDS_MAX / 2)
		file->wait *= 2;
	else
		file->wait = WAIT_SECONDS_MAX;
	file->failed = *stamp;
	file->next = now + file->wait;
}
