#include "file-owner.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_give_to_owner_of_directory(const char *path, int descriptor)
{
	char *copy = strdup(path);
	struct stat directory;

	if (geteuid() == 0 && copy != NULL && stat(dirname(copy), &directory) == 0 &&
	    fchown(descriptor, directory.st_uid, directory.st_gid) < 0)
		fprintf(stderr, "%s: cannot be given to the owner of its directory: %s\n", path,
			strerror(errno));
	free(copy);
}
