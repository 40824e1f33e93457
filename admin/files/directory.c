#include "directory.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>

#define FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int directory_open(const char *path)
{
	return open(path, FLAGS | O_NOFOLLOW);
}

int directory_open_of(const char *path, const char **name_r)
{
	const char *slash = strrchr(path, '/');
	char *directory = g_path_get_dirname(path);
	int descriptor = open(directory, FLAGS);

	g_free(directory);
	*name_r = slash == NULL ? path : slash + 1;
	return descriptor;
}
