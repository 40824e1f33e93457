#include "packed-file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "xz-head.h"

/* As much as zlib throws away of what it has unpacked when it meets a damaged place. */
#define GZIP_BLOCK_SIZE ((size_t)32 << 10)
#define ARCHIVE_BLOCK_SIZE ((size_t)64 << 10)

/* zlib reads plain files and those of gzip, which are nearly all: where such a file was cut
   off it hands out all that was there, and it looks at checksums; libarchive does neither, but
   knows the other kinds, and what comes through a pipe, in which nobody can look ahead. */
struct packed_file {
	int descriptor;
	gzFile gzip; /* or: */
	struct archive *archive;
	bool opened;       /* the archive is */
	const char *block; /* of the archive: what was not given yet */
	size_t left;
	int64_t written;
	const char *problem;
};

/* Of a file that can be looked into. */
#define HEAD_LENGTH XZ_HEAD_LENGTH

static bool begins_with(const unsigned char *head, const char *magic, size_t length)
{
	return memcmp(head, magic, length) == 0;
}

static bool is_of_xz(const unsigned char *head)
{
	return begins_with(head, "\3757zXZ", 6);
}

static bool needs_archive(const unsigned char *head)
{
	return begins_with(head, "BZh", 3) || is_of_xz(head) ||
	       begins_with(head, "\x28\xb5\x2f\xfd", 4);
}

bool packed_file_is(int descriptor)
{
	unsigned char head[HEAD_LENGTH] = {0};

	return pread(descriptor, head, sizeof(head), 0) > 0 &&
	       (needs_archive(head) || begins_with(head, "\x1f\x8b", 2));
}

static int64_t gzip_time(const unsigned char *head)
{
	if (!begins_with(head, "\x1f\x8b", 2))
		return 0;
	return head[4] | head[5] << 8 | head[6] << 16 | (int64_t)head[7] << 24;
}

static struct archive *create_archive(void)
{
	struct archive *archive = archive_read_new();

	if (archive == NULL)
		g_error("out of memory");
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	return archive;
}

struct packed_file *packed_file_create(int descriptor)
{
	struct packed_file *file = g_new0(struct packed_file, 1);
	unsigned char head[HEAD_LENGTH] = {0};
	ssize_t length = pread(descriptor, head, sizeof(head), lseek(descriptor, 0, SEEK_CUR));

	file->descriptor = descriptor;
	if (length < 0 || needs_archive(head)) {
		file->archive = create_archive();
		/* libarchive grants a GiB. */
		if (length > 0 && is_of_xz(head) && xz_head_asks_for_too_much(head, (size_t)length))
			file->problem = "to unpack it takes more memory than any that xz -9 packs";
		return file;
	}
	file->written = gzip_time(head);
	file->gzip = gzdopen(descriptor, "r");
	if (file->gzip == NULL)
		g_error("out of memory");
	/* It unpacks into the reader's buffer what is twice this and more. */
	gzbuffer(file->gzip, GZIP_BLOCK_SIZE / 2);
	return file;
}

void packed_file_free(struct packed_file *file)
{
	if (file == NULL)
		return;
	if (file->gzip != NULL) {
		gzclose(file->gzip);
	} else {
		archive_read_free(file->archive);
		close(file->descriptor);
	}
	g_free(file);
}

static ssize_t read_gzip(struct packed_file *file, char *buffer, size_t size)
{
	int length = gzread(file->gzip, buffer, (unsigned)MIN(size, GZIP_BLOCK_SIZE));
	int error;

	if (length > 0)
		return length;
	gzerror(file->gzip, &error);
	switch (error) {
	case Z_OK:
	case Z_STREAM_END:
		return 0;
	case Z_BUF_ERROR:
		file->problem = "it ends within what gzip packed";
		return -1;
	case Z_ERRNO:
		file->problem = g_strerror(errno);
		return -1;
	default:
		file->problem = "what gzip packed is damaged";
		return -1;
	}
}

/* 1 there is a block, 0 the file ends, -1 it is broken. */
static int next_block(struct packed_file *file)
{
	struct archive_entry *entry;
	const void *block;
	la_int64_t offset;
	int status = ARCHIVE_OK;

	if (file->problem != NULL)
		return -1;
	if (!file->opened) {
		file->opened = true;
		status = archive_read_open_fd(file->archive, file->descriptor, ARCHIVE_BLOCK_SIZE);
		if (status == ARCHIVE_OK)
			status = archive_read_next_header(file->archive, &entry);
	}
	if (status >= ARCHIVE_WARN && status != ARCHIVE_EOF)
		status = archive_read_data_block(file->archive, &block, &file->left, &offset);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status < ARCHIVE_WARN) {
		file->problem = archive_error_string(file->archive);
		return -1;
	}
	file->block = block;
	return 1;
}

static ssize_t read_archive(struct packed_file *file, char *buffer, size_t size)
{
	size_t length;

	while (file->left == 0) {
		int more = next_block(file);

		if (more <= 0)
			return more;
	}
	length = MIN(size, file->left);
	memcpy(buffer, file->block, length);
	file->block += length;
	file->left -= length;
	return (ssize_t)length;
}

ssize_t packed_file_read(void *context, char *buffer, size_t size, uint64_t position)
{
	struct packed_file *file = context;
	(void)position;

	return file->gzip != NULL ? read_gzip(file, buffer, size)
				  : read_archive(file, buffer, size);
}

const char *packed_file_problem(const struct packed_file *file)
{
	return file->problem == NULL ? "it is broken" : file->problem;
}

uint64_t packed_file_taken(const struct packed_file *file)
{
	int64_t taken =
		file->gzip != NULL ? gzoffset(file->gzip) : archive_filter_bytes(file->archive, -1);

	return taken < 0 ? 0 : (uint64_t)taken;
}

uint64_t packed_file_size(const struct packed_file *file)
{
	struct stat status;

	return fstat(file->descriptor, &status) < 0 || !S_ISREG(status.st_mode)
		       ? 0
		       : (uint64_t)status.st_size;
}

int64_t packed_file_written(const struct packed_file *file)
{
	return file->written;
}
