#define _GNU_SOURCE /* memrchr() */
#include "log-place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/logs/log-file-name.h"
#include "log-file-parts.h"

#define SKIP_SIZE ((size_t)64 << 10)

static bool is_as_it_was(const struct log_file *file, const struct store_log *row)
{
	return row->size == (uint64_t)file->status.st_size &&
	       row->changed == log_file_changed(file) && row->inode == file->status.st_ino &&
	       row->device == file->status.st_dev;
}

/* What stands before a position, where lines are begun, may be a part of the first one. */
static void keep_before(struct log_file *file, const char *text, size_t length)
{
	const char *newline = memrchr(text, '\n', length);
	size_t part = newline == NULL ? length : length - (size_t)(newline + 1 - text);

	file->before_length = MIN(part, LOG_MARK_TAIL);
	memcpy(file->before, text + length - file->before_length, file->before_length);
}

/* Goes to a position of the file, by the way of what lies before it when it is packed: 1 the
   end of the line before it is as noted, 0 it is not, or the file ends before, -1 error. */
static int go_to(struct log_file *file, const struct store_log *row, bool *short_r)
{
	uint64_t place =
		file->is_packed ? 0 : row->position - MIN(row->position, LOG_MARK_TAIL + 2);
	char *text = g_malloc(SKIP_SIZE + LOG_MARK_TAIL + 2);
	size_t kept = 0, all;
	int result = -1;

	*short_r = false;
	if (file->is_packed && !log_file_unpack(file))
		goto out;
	while (place < row->position) {
		size_t wanted = (size_t)MIN(row->position - place, SKIP_SIZE);
		ssize_t length = log_file_read(file, place, text + kept, wanted);

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
		kept = MIN(all, LOG_MARK_TAIL + 2);
		memmove(text, text + all - kept, kept);
	}
	result = row->tail == 0 || log_mark_last_line(text, kept) == row->tail;
	keep_before(file, text, kept);
out:
	g_free(text);
	return result;
}

/* Those that may be of the file: by how much they agree, the best first. */
struct candidates {
	const struct log_file *file;
	GArray *rows;
};

static bool add_candidate(void *context, const struct store_log *row)
{
	struct candidates *candidates = context;
	const uint64_t *heads = candidates->file->heads;
	struct store_log kept = *row;
	guint place = 0;

	kept.name = log_file_names_match(candidates->file->path, row->name) ? candidates->file->path
									    : "";
	kept.cursor = "";
	if (log_mark_agreement(heads, row->heads) == 0)
		return true;
	while (place < candidates->rows->len &&
	       log_mark_agreement(heads,
				  g_array_index(candidates->rows, struct store_log, place).heads) >=
		       log_mark_agreement(heads, row->heads))
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

/* What log_place_is_current() compares with. False when the store fails. */
static bool know(struct log_file *file, struct store *store)
{
	if (file->known != NULL)
		g_array_unref(file->known);
	file->known = find_candidates(file, store);
	return file->known != NULL;
}

int log_place_is_current(const struct log_file *file, struct store *store)
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

bool log_place_put(struct log_file *file, struct store *store, struct store_log *row)
{
	return store_put_log(store, row) && know(file, store);
}

/* Whether it is the very file, whose end is another one than that which was read: a machine that
   lost power did not write all of it. An older copy is another file, or has another name. */
static bool has_lost_its_end(const struct log_file *file, const struct store_log *row)
{
	return !file->is_packed && row->name[0] != '\0' && row->inode == file->status.st_ino &&
	       row->device == file->status.st_dev &&
	       log_mark_agreement(file->heads, row->heads) == STORE_LOG_HEADS;
}

/* Goes on where it ends now: what it ended with was read. */
static void move_to_end(struct log_file *file, struct store_log *row)
{
	uint64_t end = (uint64_t)file->status.st_size;
	char text[LOG_MARK_TAIL + 2];
	size_t size = MIN(end, sizeof(text));
	ssize_t length = pread(file->descriptor, text, size, (off_t)(end - size));

	row->position = end;
	length = MAX(length, 0);
	row->tail = log_mark_last_line(text, (size_t)length);
	keep_before(file, text, (size_t)length);
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

bool log_place_find(struct log_file *file, struct store *store, const char *name,
		    struct store_log *row_r, bool *done_r)
{
	int found;

	*row_r = (struct store_log){.name = name, .cursor = ""};
	*done_r = true;
	if (!log_file_read_heads(file) && file->heads[0] == 0)
		return false;
	if (file->heads[0] == 0)
		return true;
	errno = 0;
	found = know(file, store) ? choose(file, row_r, done_r) : -1;
	row_r->name = name;
	if (found == 0) {
		*row_r = (struct store_log){.name = name, .cursor = ""};
		*done_r = false;
		file->before_length = 0;
		if (file->is_packed && !log_file_unpack(file))
			return false;
	}
	if (found >= 0 && !*done_r)
		log_file_begin_lines(file, row_r->position);
	return found >= 0;
}

static bool is_same_log(void *context, const struct store_log *row)
{
	const struct log_file *file = context;

	return log_mark_agreement(file->heads, row->heads) > 0;
}

bool log_place_refuse_foreign(struct log_file *file, struct store *store)
{
	return store_refuse_foreign_log(store, file->status.st_ino, is_same_log, file);
}
