#define _GNU_SOURCE /* asprintf(), memmem() */
#include "set-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/text-file.h"

#define LENGTH_MAX 4096

static const char *const names[] = {"set-aside", "set-aside.old"};

static char *path_of(const char *directory, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static FILE *open_to_append(const char *path)
{
	int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	return descriptor < 0 ? NULL : fdopen(descriptor, "a");
}

bool set_aside(const char *directory, const char *file, uint64_t offset, const char *reason,
	       const char *line, size_t length)
{
	char *path = path_of(directory, names[0]);
	char *old_path = path_of(directory, names[1]);
	FILE *stream = NULL;
	struct stat status;
	bool fine = false;
	int error;

	if (path == NULL || old_path == NULL)
		goto done;
	if (stat(path, &status) == 0 && (size_t)status.st_size > SET_ASIDE_SIZE_MAX &&
	    rename(path, old_path) < 0)
		goto done;
	stream = open_to_append(path);
	if (stream == NULL)
		goto done;
	fprintf(stream, "# %s at %llu: %s\n", file, (unsigned long long)offset, reason);
	fwrite(line, 1, length < LENGTH_MAX ? length : LENGTH_MAX, stream);
	fputc('\n', stream);
	fine = fflush(stream) == 0 && !ferror(stream);
done:
	error = errno;
	if (stream != NULL)
		fclose(stream);
	free(old_path);
	free(path);
	errno = error;
	return fine;
}

void set_aside_expire(const char *directory, int64_t seconds)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_of(directory, names[i]);
		struct stat status;

		if (path != NULL && stat(path, &status) == 0 &&
		    time(NULL) - status.st_mtime > seconds)
			unlink(path);
		free(path);
	}
}

/* ---- forgetting ---- */

/* Writes what does not name the user: a line goes with its heading. */
static void copy_others(FILE *stream, const char *text, size_t length, const char *user)
{
	while (length > 0) {
		const char *heading_end = memchr(text, '\n', length);
		size_t heading = heading_end == NULL ? length : (size_t)(heading_end - text) + 1;
		const char *end = memchr(text + heading, '\n', length - heading);
		size_t whole = end == NULL ? length : (size_t)(end - text) + 1;

		if (memmem(text, whole, user, strlen(user)) == NULL)
			fwrite(text, 1, whole, stream);
		text += whole;
		length -= whole;
	}
}

static bool forget_in(const char *path, const char *user)
{
	const char *error_text;
	size_t length;
	char *text, *new_path;
	FILE *stream;
	bool fine;

	if (access(path, F_OK) < 0)
		return errno == ENOENT;
	text = text_file_read(path, 2 * SET_ASIDE_SIZE_MAX, &length, &error_text);
	if (text == NULL || asprintf(&new_path, "%s.new", path) < 0) {
		free(text);
		return false;
	}
	unlink(new_path);
	stream = open_to_append(new_path);
	fine = stream != NULL;
	if (fine) {
		copy_others(stream, text, length, user);
		fine = !ferror(stream);
		fine &= fclose(stream) == 0;
		fine = fine && rename(new_path, path) == 0;
	}
	free(new_path);
	free(text);
	return fine;
}

bool set_aside_forget(const char *directory, const char *user)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_of(directory, names[i]);
		bool fine = path != NULL && forget_in(path, user);

		free(path);
		if (!fine)
			return false;
	}
	return true;
}
