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

#include "policy/config-scanner.h"
#include "policy/text-file.h"
#include "policy/write-all.h"
#include "separate-process.h"

#define NAME_PREFIX "last-valid-"

/* So long the copy is waited for. */
#define SAVE_MILLISECONDS 2000

/* Behind the name of a copy that is being written: the process. */
#define WRITING_SUFFIX_LENGTH strlen(".4194304")

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

static const char *name_of(const char *copy)
{
	return strrchr(copy, '/') + 1;
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

/* Only a copy that this user or root made is trusted. -1 with errno set. */
static int open_copy(int directory, const char *name)
{
	int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (file < 0)
		return -1;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_uid == 0 || status.st_uid == geteuid()))
		return file;
	close(file);
	errno = EPERM;
	return -1;
}

static bool copy_is(int directory, const char *name, const char *text, size_t length)
{
	int file = open_copy(directory, name);
	size_t old_length;
	const char *problem;
	char *old;
	bool same;

	if (file < 0)
		return false;
	old = text_file_read_open(file, CONFIG_SIZE_MAX, &old_length, &problem);
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

struct kept {
	const char *directory, *path, *text;
	size_t length;
};

/* Returns 0 or an errno. */
static int bring_copy_up_to_date(const void *context)
{
	const struct kept *kept = context;
	char *copy = last_valid_path(kept->directory, kept->path);
	int directory = copy == NULL ? -1 : open_directory(kept->directory);
	int result = 0;

	if (directory < 0 || (!copy_is(directory, name_of(copy), kept->text, kept->length) &&
			      !replace_copy(directory, name_of(copy), kept->text, kept->length)))
		result = errno;
	if (directory >= 0)
		close(directory);
	free(copy);
	return result;
}

static void save_copy(const struct policy *policy, const char *path, const char *text,
		      size_t length, config_report *warning, void *context)
{
	const struct kept kept = {policy->journal, path, text, length};
	/* Logins wait for this one. */
	int result = separate_process_call(bring_copy_up_to_date, &kept, SAVE_MILLISECONDS);

	if (result != 0)
		report(warning, context,
		       "%s: cannot keep a copy of this valid configuration in %s: %s", path,
		       policy->journal,
		       result == ETIMEDOUT ? "the disk does not respond" : strerror(result));
}

/* The value of the first line that sets the journal, in whatever else the text may
   be, allocated; NULL if there is none. Cuts the text up. */
static char *find_journal(char *text)
{
	struct config_problems ignored = {.file = ""};
	char *words = malloc(CONFIG_WORDS_SIZE(strlen(text)));
	char *journal = NULL, *line, *rest;

	for (line = words == NULL ? NULL : strtok_r(text, "\r\n", &rest);
	     line != NULL && journal == NULL; line = strtok_r(NULL, "\r\n", &rest)) {
		struct config_scanner scanner;
		struct config_token key, equals, value;

		config_scanner_start(&scanner, line, words, &ignored);
		key = config_scanner_next(&scanner);
		equals = config_scanner_next(&scanner);
		value = config_scanner_next(&scanner);
		if (strcmp(key.text, "journal") == 0 && equals.type == CONFIG_TOKEN_EQUALS &&
		    value.text[0] == '/')
			journal = strdup(value.text);
	}
	config_problems_report(&ignored, ignore_report, NULL, NULL);
	free(words);
	return journal;
}

static struct policy *load_copy(const char *path, char *text, config_report *error, void *context,
				char **copy_r)
{
	char *found = text == NULL ? NULL : find_journal(text);
	const char *journal = found == NULL ? JOURNAL_DEFAULT_PATH : found;
	const char *problem;
	struct policy *policy = NULL;
	char *copy, *copy_text = NULL;
	int directory = -1, file = -1;
	size_t length;

	copy = last_valid_path(journal, path);
	if (copy != NULL && (directory = open_directory(journal)) >= 0)
		file = open_copy(directory, name_of(copy));
	problem = strerror(errno);
	if (file >= 0)
		copy_text = text_file_read_open(file, CONFIG_SIZE_MAX, &length, &problem);
	if (copy_text == NULL)
		report(error, context,
		       "%s: there is no last valid configuration to fall back on (%s: %s)", path,
		       copy == NULL ? "its name" : copy, problem);
	else
		policy = config_load_text(copy, copy_text, length, error, ignore_report, context);
	if (policy != NULL) {
		*copy_r = copy;
		copy = NULL;
	}
	if (file >= 0)
		close(file);
	if (directory >= 0)
		close(directory);
	free(copy_text);
	free(copy);
	free(found);
	return policy;
}

struct policy *last_valid_load(const char *path, config_report *error, config_report *warning,
			       void *context, char **copy_r)
{
	const char *problem;
	size_t length;
	char *text = text_file_read(path, CONFIG_SIZE_MAX, &length, &problem);
	struct policy *policy = NULL;

	*copy_r = NULL;
	if (text != NULL)
		policy = config_load_text(path, text, length, error, warning, context);
	else
		config_report_at(error, context, path, 0, problem);
	if (policy != NULL)
		save_copy(policy, path, text, length, warning, context);
	else
		policy = load_copy(path, text, error, context, copy_r);
	free(text);
	return policy;
}
