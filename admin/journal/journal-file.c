#define _GNU_SOURCE /* F_SETLEASE, renameat2() */
#include "journal-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/terminal/terminal-text.h"
#include "policy/attempt.h"
#include "policy/fnv.h"

#ifndef RENAME_NOREPLACE
/* musl has no function for it. */
#include <sys/syscall.h>
#define RENAME_NOREPLACE 1
#define renameat2(old_directory, old_name, new_directory, new_name, flags)                         \
	syscall(SYS_renameat2, old_directory, old_name, new_directory, new_name, flags)
#endif

#define SUFFIX ".jsonl"

/* A copy may stand still for long while it comes from another host. */
#define COPY_QUIET_SECONDS 3600

/* The begin of "-20240920T081502.123456Z", or NULL. */
static const char *find_stamp(const char *name)
{
	static const char stamp[] = "-00000000T000000.000000Z";
	const char *suffix = strstr(name, SUFFIX "-");

	if (suffix == NULL)
		return NULL;
	suffix += strlen(SUFFIX);
	for (size_t i = 0; stamp[i] != '\0'; i++) {
		bool fits = stamp[i] == '0' ? suffix[i] >= '0' && suffix[i] <= '9'
					    : suffix[i] == stamp[i];

		if (!fits)
			return NULL;
	}
	return suffix;
}

static bool is_journal(const char *name)
{
	size_t length = strlen(name);

	/* Copying programs hide their half copies behind a dot. */
	if (name[0] == '.')
		return false;
	return find_stamp(name) != NULL ||
	       (length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0);
}

/* Length of the name without what renaming added. */
static size_t plain_length(const char *name)
{
	const char *stamp = find_stamp(name);

	return stamp == NULL ? strlen(name) : (size_t)(stamp - name);
}

bool journal_names_match(const char *name, const char *other)
{
	size_t length = plain_length(name);

	return plain_length(other) == length && strncmp(name, other, length) == 0;
}

bool journal_name_is_ours(const char *name)
{
	size_t length = plain_length(name);

	for (int i = SOURCE_DOVECOT; i <= SOURCE_POSTFIX; i++) {
		const char *source = source_name((enum source)i);

		if (length == strlen(source) + strlen(SUFFIX) &&
		    strncmp(name, source, strlen(source)) == 0)
			return true;
	}
	return false;
}

char *journal_name_text(const char *name)
{
	GString *text = g_string_new(NULL);

	terminal_text_append(text, name, SIZE_MAX);
	return g_string_free(text, FALSE);
}

static gint compare_names(gconstpointer left, gconstpointer right)
{
	const char *one = *(char *const *)left, *other = *(char *const *)right;
	bool one_rotated = find_stamp(one) != NULL, other_rotated = find_stamp(other) != NULL;

	if (one_rotated != other_rotated)
		return one_rotated ? -1 : 1;
	return strcmp(one, other);
}

bool journal_list(const char *directory, struct journal_listing *listing_r)
{
	int descriptor = directory_open(directory);
	DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
	GPtrArray *names = g_ptr_array_new();
	const struct dirent *entry;
	int error;

	while (stream != NULL && (errno = 0, (entry = readdir(stream)) != NULL)) {
		if (is_journal(entry->d_name))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	error = errno;
	if (stream != NULL)
		closedir(stream);
	else if (descriptor >= 0)
		close(descriptor);
	g_ptr_array_sort(names, compare_names);
	listing_r->count = names->len;
	listing_r->names = (char **)g_ptr_array_free(names, FALSE);
	errno = error;
	if (error != 0)
		journal_listing_free(listing_r);
	return error == 0;
}

void journal_listing_free(struct journal_listing *listing)
{
	int error = errno;

	for (size_t i = 0; i < listing->count; i++)
		g_free(listing->names[i]);
	g_free(listing->names);
	*listing = (struct journal_listing){0};
	errno = error;
}

int journal_file_open(const char *directory, const char *name, struct journal_file *file_r)
{
	int descriptor = directory_open(directory);

	*file_r = (struct journal_file){.descriptor = -1,
					.rotated = find_stamp(name) != NULL,
					.ours = journal_name_is_ours(name),
					.name = g_strdup(name)};
	if (descriptor >= 0) {
		/* Each writer has its own account. */
		file_r->descriptor = file_open_of_anybody(descriptor, name, O_RDONLY);
		file_close(descriptor);
	}
	if (file_r->descriptor >= 0 && journal_file_look(file_r))
		return 1;
	journal_file_close(file_r);
	return errno == ENOENT ? 0 : -1;
}

void journal_file_close(struct journal_file *file)
{
	file_close(file->descriptor);
	g_free(file->name);
	file->name = NULL;
	file->descriptor = -1;
}

bool journal_file_look(struct journal_file *file)
{
	return fstat(file->descriptor, &file->status) == 0;
}

bool journal_file_head(const struct journal_file *file, uint64_t length, uint64_t *head_r)
{
	char head[JOURNAL_HEAD_LENGTH_MAX];

	if (length > sizeof(head) ||
	    pread(file->descriptor, head, (size_t)length, 0) != (ssize_t)length)
		return false;
	*head_r = fnv_hash(FNV_START, head, (size_t)length);
	return true;
}

/* ---- renaming ---- */

/* Whether the name still means the file that is open. */
static bool has_its_name(int directory, const struct journal_file *file)
{
	struct stat named;

	return fstatat(directory, file->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_ino == file->status.st_ino && named.st_dev == file->status.st_dev;
}

/* The name must never have been another file's: the store remembers by it what
   is to be removed. */
static int rename_to_unique(int directory, const char *name, char **new_name_r)
{
	struct timespec now;
	struct tm utc;
	char stamp[32];
	char *new_name;
	int error;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &utc);
	new_name = g_strdup_printf("%s-%s.%06ldZ", name, stamp, now.tv_nsec / 1000);
	if (renameat2(directory, name, directory, new_name, RENAME_NOREPLACE) == 0) {
		*new_name_r = new_name;
		return 1;
	}
	error = errno;
	g_free(new_name);
	errno = error;
	return error == ENOENT ? 0 : -1;
}

static int rotate(int directory, struct journal_file *file)
{
	char *new_name;
	int renamed = has_its_name(directory, file)
			      ? rename_to_unique(directory, file->name, &new_name)
			      : 0;

	if (renamed <= 0)
		return renamed;
	g_free(file->name);
	file->name = new_name;
	file->rotated = true;
	/* Another file may have taken the name in between; that one was renamed then,
	   and is found under its new name. */
	return has_its_name(directory, file);
}

int journal_file_rotate(const char *directory, struct journal_file *file)
{
	int descriptor = directory_open(directory);
	int renamed;

	if (descriptor < 0)
		return -1;
	renamed = rotate(descriptor, file);
	file_close(descriptor);
	return renamed;
}

bool journal_file_remove(const char *directory, const struct journal_file *file)
{
	int descriptor = directory_open(directory);
	bool fine;

	if (descriptor < 0)
		return false;
	fine = !has_its_name(descriptor, file) || unlinkat(descriptor, file->name, 0) == 0 ||
	       errno == ENOENT;
	file_close(descriptor);
	return fine;
}

/* ---- is somebody still writing? ---- */

enum lease { LEASE_FREE, LEASE_IN_USE, LEASE_UNKNOWN };

/* The kernel knows whether anyone has the file open for writing, but tells only
   the file's owner and root. Whoever opens it within this moment is held up until
   the lease is given back. */
static enum lease ask_lease(const struct journal_file *file)
{
	if (fcntl(file->descriptor, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(file->descriptor, F_SETLEASE, F_UNLCK);
		return LEASE_FREE;
	}
	return errno == EAGAIN ? LEASE_IN_USE : LEASE_UNKNOWN;
}

enum journal_left journal_file_is_left(const struct journal_file *file)
{
	bool locked = file_lock(file->descriptor, 0);
	/* Of a time to come it says as little as of one that is long gone. */
	time_t quiet = labs(time(NULL) - file->status.st_mtime);
	time_t needed = JOURNAL_QUIET_SECONDS;
	enum lease lease;

	if (!locked && errno == EWOULDBLOCK)
		return JOURNAL_IN_USE;
	lease = ask_lease(file);
	if (lease == LEASE_IN_USE)
		return JOURNAL_IN_USE;
	if (lease == LEASE_FREE && file->rotated)
		return JOURNAL_LEFT;
	if (lease == LEASE_UNKNOWN && (!locked || !file->ours))
		needed = COPY_QUIET_SECONDS;
	if (quiet >= needed)
		return JOURNAL_LEFT;
	return needed == JOURNAL_QUIET_SECONDS ? JOURNAL_LEFT_SOON : JOURNAL_IN_USE;
}
