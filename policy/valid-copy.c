#define _GNU_SOURCE
#include "valid-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "separate-process.h"
#include "text-file.h"
#include "write-all.h"

/* So long the copy is waited for. */
#define SAVE_MILLISECONDS 2000

/* Behind the name of a copy that is being written: the process. */
#define WRITING_SUFFIX_LENGTH strlen(".4194304")

static const char *name_of(const char *copy)
{
	return strrchr(copy, '/') + 1;
}

char *valid_copy_path(const char *directory, enum source server, const char *path)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
	const char *prefix = server == SOURCE_DOVECOT ? "last-valid-" : "last-valid-postfix-";
	char *copy = malloc(strlen(directory) + 1 + strlen(prefix) + 3 * strlen(path) + 1);
	char *end;

	if (copy == NULL)
		return NULL;
	end = copy + sprintf(copy, "%s/%s", directory, prefix);
	for (; *path != '\0'; path++) {
		const char *format = strchr(plain, *path) != NULL ? "%c" : "%%%02X";

		end += sprintf(end, format, (unsigned char)*path);
	}
	if (strlen(name_of(copy)) + WRITING_SUFFIX_LENGTH > NAME_MAX) {
		free(copy);
		errno = ENAMETOOLONG;
		return NULL;
	}
	return copy;
}

/* The directory may belong to a group, and this process may be root: names in it,
   and its own, must not lead elsewhere. */
static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* -1 with errno set. */
static int open_copy(int directory, const char *name, uid_t trusted)
{
	int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (file < 0)
		return -1;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == trusted))
		return file;
	close(file);
	errno = EPERM;
	return -1;
}

static bool copy_is(int directory, const char *name, const char *text, size_t length)
{
	int file = open_copy(directory, name, geteuid());
	size_t old_length;
	const char *problem;
	char *old;
	bool same;

	if (file < 0)
		return false;
	old = text_file_read_open(file, length, &old_length, &problem);
	same = old != NULL && old_length == length && memcmp(old, text, length) == 0;
	free(old);
	close(file);
	return same;
}

/* By rename, so that a crash leaves the old copy or the new one. False with
   errno set. */
static bool replace_copy(int directory, const char *name, const char *text, size_t length)
{
	char temporary[NAME_MAX + 1];
	int saved_errno, file;

	snprintf(temporary, sizeof(temporary), "%s.%ld", name, (long)getpid());
	/* A crash has left it, or somebody has put it there. */
	unlinkat(directory, temporary, 0);
	file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	if (!write_all(file, text, length) || fsync(file) < 0 ||
	    renameat(directory, temporary, directory, name) < 0)
		goto failed;
	close(file);
	return true;

failed:
	saved_errno = errno;
	unlinkat(directory, temporary, 0);
	close(file);
	errno = saved_errno;
	return false;
}

static void make_parent(const char *path)
{
	char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));

	if (parent != NULL)
		(void)mkdir(parent, 0755);
	free(parent);
}

/* Makes a directory for those who may write to another. */
static void make_directory_like(const char *path, const char *other)
{
	int model = open_directory(other), made;
	struct stat like, status;

	if (model < 0)
		return;
	make_parent(path);
	if (mkdir(path, 0700) == 0 && fstat(model, &like) == 0 &&
	    (made = open_directory(path)) >= 0) {
		/* Nobody has put another in its place. */
		if (fstat(made, &status) == 0 && status.st_uid == geteuid() &&
		    fchown(made, like.st_uid, like.st_gid) == 0)
			(void)!fchmod(made, like.st_mode & 07777);
		close(made);
	}
	close(model);
}

/* Returns 0 or an errno. */
static int keep_in(int directory, const char *name, const char *text, size_t length)
{
	int result;

	if (directory < 0)
		return errno;
	result = copy_is(directory, name, text, length) ||
				 replace_copy(directory, name, text, length)
			 ? 0
			 : errno;
	close(directory);
	return result;
}

int valid_copy_keep(const struct valid_copies *copies, const char *journal, const char *path,
		    const char *text, size_t length)
{
	char *copy = valid_copy_path(copies->directory, copies->server, path);
	int directory, result;

	if (copy == NULL)
		return errno;
	directory = open_directory(copies->directory);
	if (directory < 0 && errno == ENOENT) {
		make_directory_like(copies->directory, journal);
		directory = open_directory(copies->directory);
	}
	result = keep_in(directory, name_of(copy), text, length);
	if (result != 0 && keep_in(open_directory(journal), name_of(copy), text, length) == 0)
		result = 0;
	free(copy);
	return result;
}

struct kept {
	const struct valid_copies *copies;
	const char *journal, *path, *text;
	size_t length;
};

static int keep(const void *context)
{
	const struct kept *kept = context;

	return valid_copy_keep(kept->copies, kept->journal, kept->path, kept->text, kept->length);
}

int valid_copy_keep_at_start(const struct valid_copies *copies, const char *journal,
			     const char *path, const char *text, size_t length)
{
	const struct kept kept = {copies, journal, path, text, length};

	/* Logins wait for this one. */
	return separate_process_call(keep, &kept, SAVE_MILLISECONDS);
}

const char *valid_copy_error(int number)
{
	return number == ETIMEDOUT ? "the disk does not respond" : strerror(number);
}

char *valid_copy_read(const struct valid_copies *copies, const char *directory, const char *path,
		      uid_t trusted, size_t size_max, size_t *length_r, char **copy_r,
		      const char **error_r)
{
	char *copy = valid_copy_path(directory, copies->server, path), *text = NULL;
	int folder = copy == NULL ? -1 : open_directory(directory);
	int file = folder < 0 ? -1 : open_copy(folder, name_of(copy), trusted);

	if (file < 0)
		*error_r = strerror(errno);
	else
		text = text_file_read_open(file, size_max, length_r, error_r);
	if (file >= 0)
		close(file);
	if (folder >= 0)
		close(folder);
	*copy_r = copy;
	return text;
}
