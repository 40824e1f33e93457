#include "file-replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "file-open.h"
#include "policy/write-all.h"

struct file_replacement {
	int directory;
	char *name;     /* in the end */
	char *new_name; /* until then */
	int descriptor;
};

static void free_replacement(struct file_replacement *replacement)
{
	file_close(replacement->descriptor);
	g_free(replacement->name);
	g_free(replacement->new_name);
	g_free(replacement);
}

/* Hidden from whatever looks for files of the old name's kind. */
static char *new_name_prefix(const char *name)
{
	return g_strdup_printf(".%s.new-", name);
}

static char *new_name(const char *name)
{
	char *prefix = new_name_prefix(name);
	char *random = g_strdup_printf("%s%08x%08x", prefix, g_random_int(), g_random_int());

	g_free(prefix);
	return random;
}

static void remove_what_was_left(int directory, const char *name)
{
	int descriptor = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
	char *prefix = new_name_prefix(name);
	const struct dirent *entry;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (g_str_has_prefix(entry->d_name, prefix))
			unlinkat(directory, entry->d_name, 0);
	}
	if (stream != NULL)
		closedir(stream);
	else if (descriptor >= 0)
		close(descriptor);
	g_free(prefix);
}

static bool take_over(int descriptor, const struct stat *old, mode_t mode)
{
	if (old == NULL)
		return fchmod(descriptor, mode) == 0;
	return fchown(descriptor, old->st_uid, old->st_gid) == 0 &&
	       fchmod(descriptor, old->st_mode & 07777) == 0;
}

struct file_replacement *file_replace_begin(int directory, const char *name, const struct stat *old,
					    mode_t mode)
{
	struct file_replacement *replacement = g_new0(struct file_replacement, 1);

	replacement->directory = directory;
	replacement->name = g_strdup(name);
	replacement->new_name = new_name(name);
	remove_what_was_left(directory, name);
	replacement->descriptor =
		openat(directory, replacement->new_name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (replacement->descriptor >= 0 && take_over(replacement->descriptor, old, mode))
		return replacement;
	if (replacement->descriptor >= 0)
		file_replace_abandon(replacement);
	else
		free_replacement(replacement);
	return NULL;
}

const char *file_replace_name(const struct file_replacement *replacement)
{
	return replacement->new_name;
}

bool file_replace_write(struct file_replacement *replacement, const char *text, size_t length)
{
	return write_all(replacement->descriptor, text, length);
}

bool file_replace_commit(struct file_replacement *replacement)
{
	bool fine;

	if (fsync(replacement->descriptor) < 0 ||
	    renameat(replacement->directory, replacement->new_name, replacement->directory,
		     replacement->name) < 0) {
		file_replace_abandon(replacement);
		return false;
	}
	fine = fsync(replacement->directory) == 0;
	free_replacement(replacement);
	return fine;
}

void file_replace_abandon(struct file_replacement *replacement)
{
	int error = errno;

	unlinkat(replacement->directory, replacement->new_name, 0);
	free_replacement(replacement);
	errno = error;
}

bool file_replace_finish(struct file_replacement *replacement, const char *text, size_t length)
{
	if (file_replace_write(replacement, text, length))
		return file_replace_commit(replacement);
	file_replace_abandon(replacement);
	return false;
}

bool file_replace(int directory, const char *name, mode_t mode, const char *text, size_t length)
{
	struct file_replacement *replacement = file_replace_begin(directory, name, NULL, mode);

	return replacement != NULL && file_replace_finish(replacement, text, length);
}
