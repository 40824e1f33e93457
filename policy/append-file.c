#define _GNU_SOURCE
#include "append-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monotonic-clock.h"

#define REPORT_INTERVAL_SECONDS 60

void append_file_init(struct append_file *file, const char *path, struct messages *messages)
{
	*file = (struct append_file){.path = path, .messages = messages, .descriptor = -1};
}

void append_file_close(struct append_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
	file->half_line = false;
}

/* ---- what is said ---- */

static void report_failure(struct append_file *file, const char *what)
{
	int error = errno;
	time_t now = monotonic_seconds();

	if (file->failing && now - file->failure_reported < REPORT_INTERVAL_SECONDS)
		return;
	messages_post(file->messages, MESSAGE_ERROR,
		      "journal %s: %s: %s%s; sightings wait in memory", file->path, what,
		      strerror(error),
		      error == EACCES ? " (is this process in the directory's group?)" : "");
	file->failing = true;
	file->failure_reported = now;
}

/* Lines are written nevertheless. */
static void report_mode(const struct append_file *file)
{
	messages_post(file->messages, MESSAGE_WARNING,
		      "journal %s: cannot set its mode: %s; 'portcullis import' may not be able to "
		      "read it",
		      file->path, strerror(errno));
}

static void report_recovery(struct append_file *file)
{
	if (!file->failing)
		return;
	messages_post(file->messages, MESSAGE_INFO, "journal %s: writing again", file->path);
	file->failing = false;
}

static void report_full(struct append_file *file)
{
	time_t now = monotonic_seconds();

	if (file->full_reported != 0 && now - file->full_reported < REPORT_INTERVAL_SECONDS)
		return;
	messages_post(file->messages, MESSAGE_ERROR,
		      "journal %s: is as large as it may be (1 GiB); sightings are lost until "
		      "'portcullis import' has taken it",
		      file->path);
	file->full_reported = now;
}

/* ---- opening ---- */

static bool open_named_file(struct append_file *file)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	struct stat status;

	file->descriptor = open(file->path, flags);
	if (file->descriptor < 0 && errno == ENOENT) {
		file->descriptor = open(file->path, flags | O_CREAT | O_EXCL, 0640);
		/* The importer reads it as the group; Dovecot's umask forbids that. */
		if (file->descriptor >= 0 && fchmod(file->descriptor, 0640) < 0)
			report_mode(file);
		/* Another process of the server's was faster. */
		if (file->descriptor < 0 && errno == EEXIST)
			file->descriptor = open(file->path, flags);
	}
	if (file->descriptor < 0) {
		report_failure(file, "cannot open");
		return false;
	}
	if (fstat(file->descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
		append_file_close(file);
		errno = EINVAL;
		report_failure(file, "is not a regular file");
		return false;
	}
	return true;
}

/* The importer renames the file away; whoever writes then makes a new one. Looks
   also how large it is: others may write to it, too. */
static bool file_was_replaced(struct append_file *file)
{
	struct stat opened, named;

	if (fstat(file->descriptor, &opened) < 0 || stat(file->path, &named) < 0)
		return true;
	file->size = opened.st_size;
	file->device = opened.st_dev;
	file->inode = opened.st_ino;
	return opened.st_ino != named.st_ino || opened.st_dev != named.st_dev;
}

bool append_file_was_renamed(const struct append_file *file)
{
	struct stat named;

	return file->inode != 0 && (stat(file->path, &named) < 0 || named.st_ino != file->inode ||
				    named.st_dev != file->device);
}

/* The importer removes a file only when it has it locked exclusively, after it
   renamed it. False when it does just that. Where the file system has no locks,
   the importer can only go by the time. */
static bool lock_file(const struct append_file *file)
{
	return flock(file->descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

static bool open_file(struct append_file *file)
{
	/* The file may be renamed between being opened and being locked. */
	for (int tries = 0; tries < 3; tries++) {
		if (!open_named_file(file))
			return false;
		if (lock_file(file) && !file_was_replaced(file)) {
			file->written = monotonic_seconds();
			file->edition[0] = '\0';
			return true;
		}
		append_file_close(file);
	}
	errno = EWOULDBLOCK;
	report_failure(file, "cannot lock");
	return false;
}

static bool ready_to_write(struct append_file *file)
{
	time_t now = monotonic_seconds();

	if (file->descriptor >= 0 && now != file->checked && file_was_replaced(file))
		append_file_close(file);
	file->checked = now;
	return file->descriptor >= 0 || open_file(file);
}

/* ---- writing ---- */

/* A line that does not fit is passed over, which its cuts are there to prevent. */
static bool write_line(struct append_file *file, const struct sighting_line *line)
{
	char buffer[1 + SIGHTING_LINE_SIZE];
	char *text = buffer + 1;
	size_t length = sighting_line_format(line, text);
	ssize_t written;

	if (file->half_line) {
		*--text = '\n';
		length++;
	}
	written = write(file->descriptor, text, length);
	if (written == (ssize_t)length) {
		file->half_line = false;
		file->size += (off_t)length;
		return true;
	}
	if (written >= 0)
		errno = ENOSPC;
	/* The next try begins a line of its own. The importer sets the half one aside. */
	if (written > 0) {
		file->half_line = text[written - 1] != '\n';
		file->size += (off_t)written;
	}
	report_failure(file, "cannot write");
	return false;
}

enum append_result append_file_append(struct append_file *file, struct sighting_line *line,
				      const char *edition)
{
	if (!ready_to_write(file))
		return APPEND_FAILED;
	if (file->size > APPEND_FILE_MAX - SIGHTING_LINE_SIZE) {
		report_full(file);
		return APPEND_FULL;
	}
	if (edition[0] != '\0' && strcmp(edition, file->edition) != 0)
		line->edition = edition;
	if (!write_line(file, line))
		return APPEND_FAILED;
	if (line->edition != NULL)
		strcpy(file->edition, edition);
	file->written = monotonic_seconds();
	report_recovery(file);
	return APPEND_DONE;
}
