#include "file-lock.h"

#include <errno.h>
#include <glib.h>
#include <sys/file.h>

#include "directory.h"
#include "file-open.h"

#define STEP_MILLISECONDS 20

bool file_lock(int descriptor, unsigned int milliseconds)
{
	unsigned int waited = 0;

	while (flock(descriptor, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || waited >= milliseconds)
			return false;
		g_usleep(STEP_MILLISECONDS * 1000);
		waited += STEP_MILLISECONDS;
	}
	return true;
}

int directory_lock(const char *path, unsigned int milliseconds)
{
	int directory = directory_open(path);

	if (directory < 0 || file_lock(directory, milliseconds))
		return directory;
	file_close(directory);
	return -1;
}
