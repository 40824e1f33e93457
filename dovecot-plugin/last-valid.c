#define _GNU_SOURCE
#include "last-valid.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "last-valid-"

/* A configuration larger than this is no configuration. */
#define SIZE_LIMIT (16 * 1024 * 1024)

static void report(config_report *function, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void report(config_report *function, void *context, const char *format, ...)
{
	char *message;
	va_list args;
	int length;

	if (function == NULL)
		return;
	va_start(args, format);
	length = vasprintf(&message, format, args);
	va_end(args);
	if (length < 0) {
		function(context, "out of memory");
		return;
	}
	function(context, message);
	free(message);
}

static void ignore_report(void *context, const char *message)
{
	(void)context;
	(void)message;
}

char *last_valid_path(const char *directory, const char *path)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
	size_t name_start = strlen(directory) + 1 + strlen(NAME_PREFIX);
	char *copy = malloc(name_start + 3 * strlen(path) + 1);
	char *end;

	if (copy == NULL)
		return NULL;
	end = copy + sprintf(copy, "%s/" NAME_PREFIX, directory);
	for (; *path != '\0'; path++) {
		const char *format = strchr(plain, *path) != NULL ? "%c" : "%%%02X";

		end += sprintf(end, format, (unsigned char)*path);
	}
	/* Room for what mkostemp() needs behind it. */
	if (strlen(strrchr(copy, '/') + 1) + strlen(".XXXXXX") > NAME_MAX) {
		free(copy);
		errno = ENAMETOOLONG;
		return NULL;
	}
	return copy;
}

/* Reads a whole file, with a NUL behind it. NULL with errno set. */
static char *read_file(const char *path, size_t *size_r)
{
	char *text = NULL;
	struct stat status;
	ssize_t length = 0;
	size_t size = 0;
	int saved_errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) < 0)
		goto failed;
	if (!S_ISREG(status.st_mode) || status.st_size > SIZE_LIMIT) {
		errno = EINVAL;
		goto failed;
	}
	text = malloc((size_t)status.st_size + 1);
	if (text == NULL)
		goto failed;
	while (size < (size_t)status.st_size &&
	       (length = read(fd, text + size, (size_t)status.st_size - size)) > 0)
		size += (size_t)length;
	if (length < 0)
		goto failed;
	text[size] = '\0';
	*size_r = size;
	close(fd);
	return text;

failed:
	saved_errno = errno;
	free(text);
	close(fd);
	errno = saved_errno;
	return NULL;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t length = write(fd, data, size);

		if (length < 0)
			return false;
		data += length;
		size -= (size_t)length;
	}
	return true;
}

/* By rename, so that a crash leaves the old copy or the new one. False with
   errno set. */
static bool replace_file(const char *path, const char *data, size_t size)
{
	char *temporary = NULL;
	int saved_errno;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return false;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		goto failed;
	if (!write_all(fd, data, size) || fsync(fd) < 0 || rename(temporary, path) < 0)
		goto failed_written;
	close(fd);
	free(temporary);
	return true;

failed_written:
	saved_errno = errno;
	unlink(temporary);
	close(fd);
	errno = saved_errno;
failed:
	saved_errno = errno;
	free(temporary);
	errno = saved_errno;
	return false;
}

static void save_copy(const struct policy *policy, const char *path, const char *text, size_t size,
		      config_report *warning, void *context)
{
	char *copy = last_valid_path(policy->journal, path);
	char *old = NULL;
	size_t old_size;

	if (copy == NULL)
		goto failed;
	old = read_file(copy, &old_size);
	if (old != NULL && old_size == size && memcmp(old, text, size) == 0)
		goto done;
	if (!replace_file(copy, text, size))
		goto failed;
	goto done;

failed:
	report(warning, context, "%s: cannot keep a copy of this valid configuration in %s: %s",
	       path, policy->journal, strerror(errno));
done:
	free(old);
	free(copy);
}

/* The value of the first line that sets the journal, in whatever else the text
   may be; NULL if there is none. Cuts the text up. */
static char *find_journal(char *text)
{
	static const char key[] = "journal";
	char *line, *rest;

	for (line = strtok_r(text, "\r\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\r\n", &rest)) {
		char *value = line + strspn(line, " \t");

		if (strncmp(value, key, strlen(key)) != 0)
			continue;
		value += strlen(key);
		value += strspn(value, " \t");
		if (*value++ != '=')
			continue;
		value += strspn(value, " \t");
		if (*value != '"' && *value != '\'')
			continue;
		value[1 + strcspn(value + 1, "\"'")] = '\0';
		if (value[1] == '/')
			return value + 1;
	}
	return NULL;
}

/* Only a copy that this user or root made is trusted: the directory may belong
   to a group. */
static bool is_trusted(const char *copy)
{
	struct stat status;

	if (lstat(copy, &status) < 0)
		return false;
	if (S_ISREG(status.st_mode) && (status.st_uid == 0 || status.st_uid == geteuid()))
		return true;
	errno = EPERM;
	return false;
}

static struct policy *load_copy(const char *path, char *text, config_report *error, void *context,
				char **copy_r)
{
	char *directory = text == NULL ? NULL : find_journal(text);
	char *copy =
		last_valid_path(directory != NULL ? directory : LAST_VALID_DEFAULT_DIRECTORY, path);
	struct policy *policy = NULL;

	if (copy == NULL || !is_trusted(copy)) {
		report(error, context,
		       "%s: there is no last valid configuration to go on with (%s: %s)", path,
		       copy == NULL ? "its name" : copy, strerror(errno));
		goto done;
	}
	policy = config_load(copy, error, ignore_report, context);
	if (policy != NULL) {
		*copy_r = copy;
		copy = NULL;
	}
done:
	free(copy);
	return policy;
}

struct policy *last_valid_load(const char *path, config_report *error, config_report *warning,
			       void *context, char **copy_r)
{
	size_t size, size_after;
	char *text = read_file(path, &size);
	char *text_after = NULL;
	struct policy *policy = config_load(path, error, warning, context);

	*copy_r = NULL;
	if (policy == NULL) {
		policy = load_copy(path, text, error, context, copy_r);
		goto done;
	}
	/* It may have been edited meanwhile; then what was read here need not
	   be what was found valid, and the next start will keep it. */
	text_after = read_file(path, &size_after);
	if (text != NULL && text_after != NULL && size == size_after &&
	    memcmp(text, text_after, size) == 0)
		save_copy(policy, path, text, size, warning, context);
done:
	free(text_after);
	free(text);
	return policy;
}
