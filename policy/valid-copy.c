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
	size_t old_length;
	const char *problem;
	char *old = text_file_read_close(open_copy(directory, name, geteuid()), length, &old_length,
					 &problem);
	bool same = old != NULL && old_length == length && memcmp(old, text, length) == 0;

	free(old);
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

static bool has_copy(int directory, const char *name)
{
	return directory >= 0 && faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Returns 0 or an errno. */
static int keep_in(int directory, const char *name, const char *text, size_t length)
{
	if (directory < 0)
		return errno;
	return copy_is(directory, name, text, length) || replace_copy(directory, name, text, length)
		       ? 0
		       : errno;
}

static bool is_same_directory(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* Made if need be. */
static int open_own_directory(const struct valid_copies *copies, const char *journal)
{
	int directory = open_directory(copies->directory);

	if (directory >= 0 || errno != ENOENT)
		return directory;
	make_directory_like(copies->directory, journal);
	return open_directory(copies->directory);
}

/* In one of two directories, so that an older one is not taken for the last. */
static int keep_in_either(int own, int journal, const char *name, const char *text, size_t length)
{
	int result;

	if (length == 0 && (has_copy(own, name) || has_copy(journal, name)))
		return 0;
	result = keep_in(own, name, text, length);
	if (result != 0)
		return keep_in(journal, name, text, length) == 0 ? -result : result;
	if (has_copy(journal, name) && !is_same_directory(own, journal))
		unlinkat(journal, name, 0);
	return 0;
}

int valid_copy_keep(const struct valid_copies *copies, const char *journal, const char *path,
		    const char *text, size_t length)
{
	char *copy = valid_copy_path(copies->directory, copies->server, path);
	int own, other, result;

	if (copy == NULL)
		return errno;
	other = open_directory(journal);
	own = open_own_directory(copies, journal);
	result = keep_in_either(own, other, name_of(copy), text, length);
	if (own >= 0)
		close(own);
	if (other >= 0)
		close(other);
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

char *valid_copy_problem(const struct valid_copies *copies, const char *journal, int result)
{
	const char *reason =
		result == ETIMEDOUT ? "the disk does not respond" : strerror(abs(result));
	bool elsewhere = result < 0;
	char *problem;

	return asprintf(&problem, "%s: %s%s%s%s", copies->directory, reason,
			elsewhere ? "; it lies in " : "", elsewhere ? journal : "",
			elsewhere ? " instead" : "") < 0
		       ? NULL
		       : problem;
}

/* Opens the copy in a directory; -1 with errno set. *copy_r as valid_copy_read() has it. */
static int open_in(const struct valid_copies *copies, const char *directory, const char *path,
		   uid_t trusted, char **copy_r)
{
	int folder, file, saved_errno;

	*copy_r = valid_copy_path(directory, copies->server, path);
	folder = *copy_r == NULL ? -1 : open_directory(directory);
	if (folder < 0)
		return -1;
	file = open_copy(folder, name_of(*copy_r), trusted);
	saved_errno = errno;
	close(folder);
	errno = saved_errno;
	return file;
}

/* Zero where there is none. */
static struct timespec time_of_copy(const struct valid_copies *copies, const char *directory,
				    const char *path, uid_t trusted)
{
	struct stat status = {0};
	char *copy;
	int file = open_in(copies, directory, path, trusted, &copy);

	if (file >= 0 && fstat(file, &status) < 0)
		status.st_mtim.tv_sec = 0;
	if (file >= 0)
		close(file);
	free(copy);
	return status.st_mtim;
}

void valid_copy_directories(const struct valid_copies *copies, const char *journal,
			    const char *path, uid_t trusted, const char *directories_r[static 2])
{
	struct timespec own = time_of_copy(copies, copies->directory, path, trusted);
	struct timespec other = time_of_copy(copies, journal, path, trusted);
	bool other_is_newer = other.tv_sec > own.tv_sec ||
			      (other.tv_sec == own.tv_sec && other.tv_nsec > own.tv_nsec);

	directories_r[0] = other_is_newer ? journal : copies->directory;
	directories_r[1] = other_is_newer ? copies->directory : journal;
}

char *valid_copy_read(const struct valid_copies *copies, const char *directory, const char *path,
		      uid_t trusted, size_t size_max, size_t *length_r, char **copy_r,
		      const char **error_r)
{
	return text_file_read_close(open_in(copies, directory, path, trusted, copy_r), size_max,
				    length_r, error_r);
}
