#define _GNU_SOURCE /* memrchr() */
#include "log-file.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/files/packed-file.h"
#include "admin/logs/log-file-name.h"

#define HEAD_MIN 64
#define HEAD_MAX (HEAD_MIN << (STORE_LOG_HEADS - 1))

/* So much of a line's end is hashed. */
#define TAIL_MAX 256

#define SKIP_SIZE ((size_t)64 << 10)

struct log_file {
	char *path;
	int descriptor;
	struct stat status;
	bool is_packed;
	struct packed_file *packed; /* NULL: it is not, or nothing is read yet */
	GArray *known; /* what the store has of it, a struct store_log without strings each */
	struct line_reader *lines;
	uint64_t begin; /* where they were begun */
	uint64_t heads[STORE_LOG_HEADS];
	/* The end of the line that was noted last. */
	char tail[TAIL_MAX];
	size_t tail_length;
	bool noted, tail_is_known;
};

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

static bool begin_unpacking(struct log_file *file)
{
	int descriptor = open_again(file);

	g_clear_pointer(&file->packed, packed_file_free);
	if (descriptor < 0)
		return false;
	file->packed = packed_file_create(descriptor);
	return true;
}

/* As read(2) until the room is full, from a place of a plain file, or the next of a packed
   one. */
static ssize_t read_bytes(struct log_file *file, uint64_t place, char *buffer, size_t size)
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

/* ---- what it is known by ---- */

/* The first bytes of SHA-256: whoever writes into a log shall not be able to make one that is
   taken for another. Never 0. */
static uint64_t hash(const char *text, size_t length)
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize size = sizeof(digest);
	uint64_t number;

	g_checksum_update(checksum, (const guchar *)text, (gssize)length);
	g_checksum_get_digest(checksum, digest, &size);
	g_checksum_free(checksum);
	memcpy(&number, digest, sizeof(number));
	return number == 0 ? 1 : number;
}

static bool read_heads(struct log_file *file)
{
	char text[HEAD_MAX];
	ssize_t length;

	if (file->is_packed && !begin_unpacking(file))
		return false;
	length = read_bytes(file, 0, text, sizeof(text));
	/* Of one that is broken within, the begin may be missing; it has its own message. */
	for (size_t i = 0; i < STORE_LOG_HEADS && length >= (HEAD_MIN << i); i++)
		file->heads[i] = hash(text, (size_t)HEAD_MIN << i);
	return length >= 0;
}

/* How many of the hashes that both have agree; 0: it is another log. */
static size_t agreement(const struct log_file *file, const struct store_log *row)
{
	size_t count = 0;

	while (count < STORE_LOG_HEADS && file->heads[count] != 0 && row->heads[count] != 0) {
		if (file->heads[count] != row->heads[count])
			return 0;
		count++;
	}
	return count;
}

static uint64_t hash_tail(const char *text, size_t length)
{
	size_t tail = MIN(length, TAIL_MAX);

	return hash(text + length - tail, tail);
}

/* Of what stands before a position, without the newline. */
static uint64_t hash_last_line(const char *text, size_t length)
{
	const char *newline;

	if (length > 0 && text[length - 1] == '\n')
		length--;
	newline = memrchr(text, '\n', length);
	if (newline != NULL) {
		length -= (size_t)(newline + 1 - text);
		text = newline + 1;
	}
	return hash_tail(text, length);
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

/* ---- its place ---- */

static int64_t changed(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

static bool is_as_it_was(const struct log_file *file, const struct store_log *row)
{
	return row->size == (uint64_t)file->status.st_size &&
	       row->changed == changed(&file->status) && row->inode == file->status.st_ino &&
	       row->device == file->status.st_dev;
}

/* Goes to a position of the file, by the way of what lies before it when it is packed: 1 the
   end of the line before it is as noted, 0 it is not, or the file ends before, -1 error. */
static int go_to(struct log_file *file, const struct store_log *row, bool *short_r)
{
	uint64_t place = file->is_packed ? 0 : row->position - MIN(row->position, TAIL_MAX + 2);
	char *text = g_malloc(SKIP_SIZE + TAIL_MAX + 2);
	size_t kept = 0, all;
	int result = -1;

	*short_r = false;
	if (file->is_packed && !begin_unpacking(file))
		goto out;
	while (place < row->position) {
		size_t wanted = (size_t)MIN(row->position - place, SKIP_SIZE);
		ssize_t length = read_bytes(file, place, text + kept, wanted);

		if (length < 0 && !file->is_packed)
			goto out;
		/* What is packed may just be in the making; of what is broken all is known. */
		if (length < (ssize_t)wanted) {
			*short_r = true;
			result = 0;
			goto out;
		}
		all = kept + (size_t)length;
		place += (uint64_t)length;
		kept = MIN(all, TAIL_MAX + 2);
		memmove(text, text + all - kept, kept);
	}
	result = row->tail == 0 || hash_last_line(text, kept) == row->tail;
out:
	g_free(text);
	return result;
}

/* Lines are read from a position, up to which all that is packed was read. */
static void begin_lines(struct log_file *file, uint64_t position)
{
	file->begin = file->is_packed ? position : 0;
	if (file->is_packed)
		line_reader_begin_source(file->lines, packed_file_read, file->packed);
	else
		line_reader_begin(file->lines, file->descriptor, position);
}

/* Those that may be of the file: by how much they agree, the best first. */
struct candidates {
	const struct log_file *file;
	GArray *rows;
};

static bool add_candidate(void *context, const struct store_log *row)
{
	struct candidates *candidates = context;
	struct store_log kept = *row;
	guint place = 0;

	kept.name = log_file_names_match(candidates->file->path, row->name) ? candidates->file->path
									    : "";
	kept.cursor = "";
	if (agreement(candidates->file, row) == 0)
		return true;
	while (place < candidates->rows->len &&
	       agreement(candidates->file,
			 &g_array_index(candidates->rows, struct store_log, place)) >=
		       agreement(candidates->file, row))
		place++;
	g_array_insert_val(candidates->rows, place, kept);
	return true;
}

/* NULL when the store fails. */
static GArray *find_candidates(const struct log_file *file, struct store *store)
{
	struct candidates candidates = {file, g_array_new(FALSE, FALSE, sizeof(struct store_log))};

	if (store_each_log(store, add_candidate, &candidates))
		return candidates.rows;
	g_array_unref(candidates.rows);
	return NULL;
}

/* What log_file_is_current() compares with. False when the store fails. */
static bool know(struct log_file *file, struct store *store)
{
	if (file->known != NULL)
		g_array_unref(file->known);
	file->known = find_candidates(file, store);
	return file->known != NULL;
}

int log_file_is_current(const struct log_file *file, struct store *store)
{
	GArray *rows = find_candidates(file, store);
	bool same;

	if (rows == NULL)
		return -1;
	same = rows->len == file->known->len;
	for (guint i = 0; same && i < rows->len; i++) {
		const struct store_log *row = &g_array_index(rows, struct store_log, i);
		const struct store_log *known = &g_array_index(file->known, struct store_log, i);

		same = row->id == known->id && row->position == known->position;
	}
	g_array_unref(rows);
	return same;
}

bool log_file_put(struct log_file *file, struct store *store, struct store_log *row)
{
	return store_put_log(store, row) && know(file, store);
}

/* Whether it is the very file, whose end is another one than that which was read: a machine that
   lost power did not write all of it. An older copy is another file, or has another name. */
static bool has_lost_its_end(const struct log_file *file, const struct store_log *row)
{
	return !file->is_packed && row->name[0] != '\0' && row->inode == file->status.st_ino &&
	       row->device == file->status.st_dev && agreement(file, row) == STORE_LOG_HEADS;
}

/* Goes on where it ends now: what it ended with was read. */
static void move_to_end(const struct log_file *file, struct store_log *row)
{
	uint64_t end = (uint64_t)file->status.st_size;
	char text[TAIL_MAX + 2];
	size_t size = MIN(end, sizeof(text));
	ssize_t length = pread(file->descriptor, text, size, (off_t)(end - size));

	row->position = end;
	row->tail = length > 0 ? hash_last_line(text, (size_t)length) : 0;
}

/* Chooses one of them: 1 it is found, and *done_r set, 0 none is of the file, -1 error. */
static int choose(struct log_file *file, struct store_log *row_r, bool *done_r)
{
	for (guint i = 0; i < file->known->len; i++) {
		const struct store_log *row = &g_array_index(file->known, struct store_log, i);
		bool is_short = false;
		int reached;

		*row_r = *row;
		*done_r = is_as_it_was(file, row);
		if (*done_r)
			return 1;
		reached = go_to(file, row, &is_short);
		if (reached < 0)
			return -1;
		if (reached == 0 && has_lost_its_end(file, row)) {
			if (is_short)
				move_to_end(file, row_r);
			return 1;
		}
		/* An older copy, or one that is being made. */
		*done_r = is_short;
		if (reached > 0 || is_short)
			return 1;
	}
	return 0;
}

bool log_file_find(struct log_file *file, struct store *store, const char *name,
		   struct store_log *row_r, bool *done_r)
{
	int found;

	*row_r = (struct store_log){.name = name, .cursor = ""};
	*done_r = true;
	if (!read_heads(file) && file->heads[0] == 0)
		return false;
	if (file->heads[0] == 0)
		return true;
	errno = 0;
	found = know(file, store) ? choose(file, row_r, done_r) : -1;
	row_r->name = name;
	if (found == 0) {
		*row_r = (struct store_log){.name = name, .cursor = ""};
		*done_r = false;
		if (file->is_packed && !begin_unpacking(file))
			return false;
	}
	if (found >= 0 && !*done_r)
		begin_lines(file, row_r->position);
	return found >= 0;
}

/* ---- lines ---- */

enum line_kind log_file_next(struct log_file *file, const char **text_r, size_t *length_r)
{
	return line_reader_next(file->lines, text_r, length_r);
}

uint64_t log_file_position(const struct log_file *file)
{
	return file->begin + line_reader_position(file->lines);
}

uint64_t log_file_taken(const struct log_file *file)
{
	if (file->packed != NULL)
		return packed_file_taken(file->packed);
	return line_reader_position(file->lines);
}

void log_file_note(struct log_file *file, struct store_log *row, const char *text, size_t length)
{
	size_t tail = MIN(length, TAIL_MAX);

	row->position = log_file_position(file);
	row->size = 0;
	memcpy(file->tail, text + length - tail, tail);
	file->tail_length = tail;
	file->noted = true;
	/* Of a line that was cut, the end is not known. */
	file->tail_is_known = length < LINE_LENGTH_MAX;
}

void log_file_note_place(const struct log_file *file, struct store_log *row)
{
	if (!file->noted)
		return;
	row->tail = file->tail_is_known ? hash(file->tail, file->tail_length) : 0;
	memcpy(row->heads, file->heads, sizeof(row->heads));
}

void log_file_note_end(const struct log_file *file, struct store_log *row)
{
	row->device = file->status.st_dev;
	row->inode = file->status.st_ino;
	row->size = (uint64_t)file->status.st_size;
	row->changed = changed(&file->status);
}

bool log_file_is_same(const struct log_file *file)
{
	char text[HEAD_MAX];
	size_t last = STORE_LOG_HEADS - 1, length;

	while (last > 0 && file->heads[last] == 0)
		last--;
	length = (size_t)HEAD_MIN << last;
	return file->is_packed || (pread(file->descriptor, text, length, 0) == (ssize_t)length &&
				   hash(text, length) == file->heads[last]);
}
