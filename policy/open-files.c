#include "open-files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

int open_files_each(int first, void (*function)(int file, const void *context), const void *context)
{
	/* close_range() is newer than many a C library, and kernel. */
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (directory == NULL)
		return errno;
	while ((entry = readdir(directory)) != NULL) {
		int file = (int)strtol(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && file >= first && file != dirfd(directory))
			function(file, context);
	}
	closedir(directory);
	return 0;
}
