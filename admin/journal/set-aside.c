#define _GNU_SOURCE /* memmem() */
#include "set-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "admin/logs/json-unescape.h"

#define LENGTH_MAX 4096

/* Whoever writes the journal has no need to read what others wrote. */
#define MODE 0600

/* Others do not need it longer than for a moment. */
#define LOCK_MILLISECONDS 5000

/* As in a heading, behind "# ". Such times can be compared as texts. */
#define TIME_LENGTH (sizeof("2024-09-20T08:15:02Z") - 1)

static const char name[] = "set-aside", old_name[] = "set-aside.old";

static void format_time(int64_t time, char text_r[static TIME_LENGTH + 1])
{
	time_t seconds = (time_t)time;
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(text_r, TIME_LENGTH + 1, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text_r[0] = '\0';
}

/* ---- adding ---- */

static bool make_room(int directory)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	return (size_t)status.st_size <= SET_ASIDE_SIZE_MAX ||
	       renameat(directory, name, directory, old_name) == 0;
}

/* All of it, or nothing. */
static bool append(int directory, const GString *entry)
{
	int file = file_open(directory, name, O_WRONLY | O_APPEND | O_CREAT, MODE);
	struct stat before;
	ssize_t written = -1;

	if (file < 0)
		return false;
	if (fstat(file, &before) == 0) {
		written = write(file, entry->str, entry->len);
		if (written >= 0 && (size_t)written < entry->len) {
			written = ftruncate(file, before.st_size) - 1;
			errno = ENOSPC;
		}
	}
	file_close(file);
	return written >= 0;
}

bool set_aside(const char *directory, int64_t now, const char *file, uint64_t offset,
	       const char *reason, const char *line, size_t length)
{
	int locked = directory_lock(directory, LOCK_MILLISECONDS);
	char time[TIME_LENGTH + 1];
	GString *entry;
	bool fine;

	if (locked < 0)
		return false;
	format_time(now, time);
	entry = g_string_new(NULL);
	g_string_printf(entry, "# %s %s at %" PRIu64 ": %s\n", time, file, offset, reason);
	g_string_append_len(entry, line, (gssize)MIN(length, LENGTH_MAX));
	g_string_append_c(entry, '\n');
	fine = make_room(locked) && append(locked, entry);
	file_close(locked);
	g_string_free(entry, TRUE);
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
	found = memmem(plain, plain_length, user, strlen(user)) != NULL;
	g_free(plain);
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

static bool replace(int directory, const char *file, const char *text, size_t length)
{
	if (length == 0)
		return unlinkat(directory, file, 0) == 0;
	return file_replace(directory, file, MODE, text, length);
}

static bool take_out_of_file(int directory, const char *file, goes *goes, const char *argument,
			     bool *found)
{
	const char *problem;
	size_t length, kept;
	char *text = file_read(file_open(directory, file, O_RDONLY, 0), 2 * SET_ASIDE_SIZE_MAX,
			       &length, &problem);
	bool fine;

	if (text == NULL)
		return errno == ENOENT;
	kept = take_out(text, length, goes, argument);
	*found |= kept < length;
	fine = kept == length || replace(directory, file, text, kept);
	free(text);
	return fine;
}

static bool take_out_of_all(const char *directory, goes *goes, const char *argument, bool *found_r)
{
	int locked = directory_lock(directory, LOCK_MILLISECONDS);
	bool fine;

	*found_r = false;
	if (locked < 0)
		return errno == ENOENT;
	fine = take_out_of_file(locked, name, goes, argument, found_r) &&
	       take_out_of_file(locked, old_name, goes, argument, found_r);
	file_close(locked);
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
