#define _GNU_SOURCE /* asprintf(), memmem() */
#include "set-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/files/file-owner.h"
#include "json-unescape.h"
#include "policy/text-file.h"

#define LENGTH_MAX 4096

/* As in a heading, behind "# ". Such times can be compared as texts. */
#define TIME_LENGTH (sizeof("2024-09-20T08:15:02Z") - 1)

static const char *const names[] = {"set-aside", "set-aside.old"};

static char *path_of(const char *directory, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* Not the files themselves are locked: they are replaced. Closing gives it back. */
static int lock(const char *directory)
{
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = -1, error;

	if (descriptor < 0)
		return -1;
	do
		result = flock(descriptor, LOCK_EX);
	while (result < 0 && errno == EINTR);
	if (result == 0)
		return descriptor;
	error = errno;
	close(descriptor);
	errno = error;
	return -1;
}

static FILE *open_to_append(const char *path)
{
	int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (descriptor < 0)
		return NULL;
	file_give_to_owner_of_directory(path, descriptor);
	return fdopen(descriptor, "a");
}

static void format_time(int64_t time, char text_r[static TIME_LENGTH + 1])
{
	time_t seconds = (time_t)time;
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(text_r, TIME_LENGTH + 1, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text_r[0] = '\0';
}

/* ---- adding ---- */

static bool make_room(const char *path, const char *old_path)
{
	struct stat status;

	return stat(path, &status) < 0 || (size_t)status.st_size <= SET_ASIDE_SIZE_MAX ||
	       rename(path, old_path) == 0;
}

/* All of it, or nothing. */
static bool append(const char *path, const char *heading, const char *line, size_t length)
{
	FILE *stream = open_to_append(path);
	struct stat before;
	bool fine;
	int error;

	if (stream == NULL)
		return false;
	fine = fstat(fileno(stream), &before) == 0;
	if (fine) {
		fputs(heading, stream);
		fwrite(line, 1, length, stream);
		fputc('\n', stream);
		fine = fflush(stream) == 0 && !ferror(stream);
		error = errno;
		if (!fine && ftruncate(fileno(stream), before.st_size) < 0)
			perror(path);
		errno = error;
	}
	error = errno;
	fclose(stream);
	errno = error;
	return fine;
}

bool set_aside(const char *directory, int64_t now, const char *file, uint64_t offset,
	       const char *reason, const char *line, size_t length)
{
	char *path = path_of(directory, names[0]);
	char *old_path = path_of(directory, names[1]);
	char *heading = NULL;
	char time[TIME_LENGTH + 1];
	bool fine = false;
	int locked = -1, error;

	format_time(now, time);
	if (path == NULL || old_path == NULL ||
	    asprintf(&heading, "# %s %s at %" PRIu64 ": %s\n", time, file, offset, reason) < 0)
		goto done;
	locked = lock(directory);
	fine = locked >= 0 && make_room(path, old_path) &&
	       append(path, heading, line, length < LENGTH_MAX ? length : LENGTH_MAX);
done:
	error = errno;
	if (locked >= 0)
		close(locked);
	free(heading);
	free(old_path);
	free(path);
	errno = error;
	return fine;
}

/* ---- taking out ---- */

/* Whether a line and its heading go. */
typedef bool goes(const char *text, size_t length, const char *argument);

static bool is_older(const char *text, size_t length, const char *time)
{
	return length < 2 + TIME_LENGTH || memcmp(text + 2, time, TIME_LENGTH) < 0;
}

/* As it is, or as in JSON. */
static bool names_user(const char *text, size_t length, const char *user)
{
	size_t plain_length;
	char *plain;
	bool found = memmem(text, length, user, strlen(user)) != NULL;

	if (found)
		return true;
	plain = json_unescape(text, length, &plain_length);
	/* Out of memory: rather one too many. */
	found = plain == NULL || memmem(plain, plain_length, user, strlen(user)) != NULL;
	free(plain);
	return found;
}

/* How long a line and its heading are. */
static size_t entry_length(const char *text, size_t length)
{
	const char *end = memchr(text, '\n', length);

	if (end != NULL)
		end = memchr(end + 1, '\n', length - (size_t)(end + 1 - text));
	return end == NULL ? length : (size_t)(end + 1 - text);
}

/* Moves what stays to the front; returns how long that is. */
static size_t take_out(char *text, size_t length, goes *goes, const char *argument)
{
	size_t kept = 0;

	for (size_t begin = 0, entry; begin < length; begin += entry) {
		entry = entry_length(text + begin, length - begin);
		if (goes(text + begin, entry, argument))
			continue;
		memmove(text + kept, text + begin, entry);
		kept += entry;
	}
	return kept;
}

static bool replace(const char *path, const char *text, size_t length)
{
	char *new_path;
	FILE *stream;
	bool fine;

	if (length == 0)
		return unlink(path) == 0;
	if (asprintf(&new_path, "%s.new", path) < 0)
		return false;
	unlink(new_path);
	stream = open_to_append(new_path);
	fine = stream != NULL;
	if (fine) {
		fwrite(text, 1, length, stream);
		fine = !ferror(stream);
		fine &= fclose(stream) == 0;
		fine = fine && rename(new_path, path) == 0;
	}
	free(new_path);
	return fine;
}

static bool take_out_of_file(const char *path, goes *goes, const char *argument, bool *found)
{
	const char *error_text;
	size_t length, kept;
	char *text;
	bool fine;

	if (access(path, F_OK) < 0)
		return errno == ENOENT;
	text = text_file_read(path, 2 * SET_ASIDE_SIZE_MAX, &length, &error_text);
	if (text == NULL)
		return false;
	kept = take_out(text, length, goes, argument);
	*found |= kept < length;
	fine = kept == length || replace(path, text, kept);
	free(text);
	return fine;
}

static bool take_out_of_all(const char *directory, goes *goes, const char *argument, bool *found_r)
{
	int locked = lock(directory);
	bool fine = true;
	int error;

	*found_r = false;
	if (locked < 0)
		return errno == ENOENT;
	for (size_t i = 0; fine && i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_of(directory, names[i]);

		fine = path != NULL && take_out_of_file(path, goes, argument, found_r);
		free(path);
	}
	error = errno;
	close(locked);
	errno = error;
	return fine;
}

bool set_aside_expire(const char *directory, int64_t before)
{
	char time[TIME_LENGTH + 1];

	bool found;

	format_time(before, time);
	return take_out_of_all(directory, is_older, time, &found);
}

bool set_aside_forget(const char *directory, const char *user, bool *found_r)
{
	return take_out_of_all(directory, names_user, user, found_r);
}
