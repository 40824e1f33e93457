#include "log-file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "log-file-parts.h"

/* ---- reading bytes ---- */

bool log_file_is(const struct log_file *file, const struct stat *status)
{
	return status->st_ino == file->status.st_ino && status->st_dev == file->status.st_dev;
}

bool log_file_has_its_path(const struct log_file *file)
{
	struct stat status;

	return stat(file->path, &status) == 0 && log_file_is(file, &status);
}

/* The file once more, from its beginning; -1 with errno set, ESTALE where its path is another
   one's by now. */
static int open_again(const struct log_file *file)
{
	int descriptor = file_open_found(file->path);
	struct stat status;

	if (descriptor < 0 || (fstat(descriptor, &status) == 0 && log_file_is(file, &status)))
		return descriptor;
	close(descriptor);
	errno = ESTALE;
	return -1;
}

bool log_file_unpack(struct log_file *file)
{
	int descriptor = open_again(file);

	g_clear_pointer(&file->packed, packed_file_free);
	if (descriptor < 0)
		return false;
	file->packed = packed_file_create(descriptor);
	return true;
}

ssize_t log_file_read(struct log_file *file, uint64_t place, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t length = file->is_packed ? packed_file_read(file->packed, buffer + done,
								    size - done, place + done)
						 : pread(file->descriptor, buffer + done,
							 size - done, (off_t)(place + done));

		if (length < 0 && !file->is_packed && errno == EINTR)
			continue;
		if (length < 0)
			return -1;
		if (length == 0)
			break;
		done += (size_t)length;
	}
	return (ssize_t)done;
}

bool log_file_read_heads(struct log_file *file)
{
	char text[LOG_MARK_HEAD];
	ssize_t length;

	if (file->is_packed && !log_file_unpack(file))
		return false;
	length = log_file_read(file, 0, text, sizeof(text));
	/* Of one that is broken within, the begin may be missing; it has its own message. */
	log_mark_heads(text, (size_t)MAX(length, 0), file->heads);
	return length >= 0;
}

/* ---- opening ---- */

struct log_file *log_file_open(const char *path)
{
	int descriptor = file_open_found(path);
	struct log_file *file;

	if (descriptor < 0)
		return NULL;
	file = g_new0(struct log_file, 1);
	file->path = g_strdup(path);
	file->descriptor = descriptor;
	file->lines = line_reader_create();
	file->is_packed = packed_file_is(descriptor);
	if (fstat(descriptor, &file->status) == 0)
		return file;
	log_file_free(file);
	return NULL;
}

void log_file_free(struct log_file *file)
{
	int error = errno;

	if (file->known != NULL)
		g_array_unref(file->known);
	packed_file_free(file->packed);
	line_reader_free(file->lines);
	close(file->descriptor);
	g_free(file->path);
	g_free(file);
	errno = error;
}

bool log_file_is_packed(const struct log_file *file)
{
	return file->is_packed;
}

const struct stat *log_file_status(const struct log_file *file)
{
	return &file->status;
}

int64_t log_file_written(const struct log_file *file)
{
	int64_t before = file->packed != NULL ? packed_file_written(file->packed) : 0;
	int64_t written = file->status.st_mtime;

	/* A copy is younger than what it was made of. */
	return before > 0 && before < written ? before : written;
}

const char *log_file_problem(const struct log_file *file)
{
	return file->packed != NULL ? packed_file_problem(file->packed) : file_problem(errno);
}

int64_t log_file_changed(const struct log_file *file)
{
	return (int64_t)file->status.st_mtim.tv_sec * 1000000000 + file->status.st_mtim.tv_nsec;
}

/* ---- lines ---- */

void log_file_begin_lines(struct log_file *file, uint64_t position)
{
	file->begin = position;
	if (file->is_packed)
		line_reader_begin_source(file->lines, packed_file_read, file->packed);
	else
		line_reader_begin(file->lines, file->descriptor, position);
}

enum line_kind log_file_next(struct log_file *file, const char **text_r, size_t *length_r)
{
	file->is_first = log_file_position(file) == file->begin;
	return line_reader_next(file->lines, text_r, length_r);
}

uint64_t log_file_position(const struct log_file *file)
{
	return line_reader_position(file->lines) + (file->is_packed ? file->begin : 0);
}

uint64_t log_file_taken(const struct log_file *file)
{
	if (file->packed != NULL)
		return packed_file_taken(file->packed);
	return line_reader_position(file->lines);
}

void log_file_note(struct log_file *file, struct store_log *row, const char *text, size_t length)
{
	size_t tail = MIN(length, LOG_MARK_TAIL);
	size_t before = file->is_first ? MIN(file->before_length, LOG_MARK_TAIL - tail) : 0;

	row->position = log_file_position(file);
	/* Of this file, and no more of a copy that is shorter; but not all of it is read. */
	row->device = file->status.st_dev;
	row->inode = file->status.st_ino;
	row->size = 0;
	memcpy(file->tail, file->before + file->before_length - before, before);
	memcpy(file->tail + before, text + length - tail, tail);
	file->tail_length = before + tail;
	file->noted = true;
	/* Of a line that was cut, the end is not known. */
	file->tail_is_known = length < LINE_LENGTH_MAX;
}

void log_file_note_place(const struct log_file *file, struct store_log *row)
{
	if (!file->noted)
		return;
	row->tail = file->tail_is_known ? log_mark_line(file->tail, file->tail_length) : 0;
	memcpy(row->heads, file->heads, sizeof(row->heads));
}

void log_file_note_end(const struct log_file *file, struct store_log *row)
{
	row->device = file->status.st_dev;
	row->inode = file->status.st_ino;
	row->size = (uint64_t)file->status.st_size;
	row->changed = log_file_changed(file);
}

bool log_file_is_same(const struct log_file *file)
{
	char text[LOG_MARK_HEAD];
	uint64_t heads[STORE_LOG_HEADS];
	ssize_t length = pread(file->descriptor, text, sizeof(text), 0);
	bool same = true;

	log_mark_heads(text, (size_t)MAX(length, 0), heads);
	for (size_t i = 0; i < STORE_LOG_HEADS && file->heads[i] != 0; i++)
		same &= heads[i] == file->heads[i];
	return same || file->is_packed;
}
