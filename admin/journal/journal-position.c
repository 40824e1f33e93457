#include "journal-position.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "import-clock.h"
#include "journal-line.h"

/* ---- what the store has ---- */

static bool keep_file(void *context, const struct store_file *file)
{
	GArray *files = context;
	struct store_file kept = *file;

	kept.name = g_strdup(file->name);
	g_array_append_val(files, kept);
	return true;
}

bool journal_positions_load(struct store *store, struct journal_positions *positions_r)
{
	GArray *files = g_array_new(FALSE, FALSE, sizeof(struct store_file));
	bool fine = store_each_file(store, keep_file, files);

	positions_r->count = files->len;
	positions_r->files = (struct store_file *)(void *)g_array_free(files, FALSE);
	if (!fine)
		journal_positions_free(positions_r);
	return fine;
}

void journal_positions_free(struct journal_positions *positions)
{
	for (size_t i = 0; i < positions->count; i++)
		g_free(positions->files[i].name);
	g_free(positions->files);
	*positions = (struct journal_positions){0};
}

/* ---- knowing a file again ---- */

static bool has_head(const struct journal_file *file, const struct store_file *row)
{
	uint64_t head;

	return journal_file_head(file, row->head_length, &head) && head == row->head;
}

bool journal_position_is_of(const struct store_file *row, const struct journal_file *file)
{
	/* After a start of the machine, a disk may have another device number. */
	return file->status.st_ino == row->inode && (file->status.st_dev == row->device ||
						     (row->head_length > 0 && has_head(file, row)));
}

static bool has_inode(const struct journal_file *file, const struct store_file *row)
{
	return journal_position_is_of(row, file) &&
	       (!row->removed || strcmp(file->name, row->name) == 0);
}

static bool is_another_copy(const struct journal_file *file, const struct store_file *row)
{
	return !file->ours && journal_names_match(file->name, row->name) && row->head_length > 0 &&
	       has_head(file, row);
}

void journal_position_find(const struct journal_positions *positions,
			   const struct journal_file *file, struct store_file *row_r,
			   bool *replaced_r)
{
	*row_r = (struct store_file){0};
	*replaced_r = false;
	for (size_t i = 0; i < positions->count; i++) {
		const struct store_file *row = &positions->files[i];

		if (!has_inode(file, row))
			continue;
		*row_r = *row;
		*replaced_r =
			(uint64_t)file->status.st_size < row->position || !has_head(file, row);
		if (!*replaced_r || row->removed)
			goto done;
	}
	for (size_t i = 0; i < positions->count; i++) {
		if (!is_another_copy(file, &positions->files[i]))
			continue;
		*row_r = positions->files[i];
		row_r->removed = false;
		*replaced_r = false;
		goto done;
	}
	if (*replaced_r) {
		row_r->position = 0;
		row_r->head_length = 0;
	}
done:
	row_r->name = file->name;
}

/* What was copied here from another host has another inode. */
static bool is_same_file(void *context, const struct store_file *row)
{
	return row->head_length > 0 && has_head(context, row);
}

bool journal_position_refuse_foreign(struct store *store, const struct journal_file *file)
{
	return store_refuse_foreign_file(store, file->status.st_ino, is_same_file, (void *)file);
}

void journal_position_set(struct store_file *row, const struct journal_file *file,
			  uint64_t position, int64_t now)
{
	uint64_t head_length =
		position < JOURNAL_HEAD_LENGTH_MAX ? position : JOURNAL_HEAD_LENGTH_MAX;

	row->name = file->name;
	row->device = file->status.st_dev;
	row->inode = file->status.st_ino;
	row->position = position;
	row->removed = false;
	row->touched = now;
	if (journal_file_head(file, head_length, &row->head))
		row->head_length = head_length;
}

/* ---- what waits ---- */

/* When what stands at a position was written; what cannot be understood, when the file was
   written to last. */
static int64_t time_at(const struct journal_file *file, uint64_t position)
{
	static const char begin[] = "{\"time\":\"";
	int64_t last = (int64_t)file->status.st_mtim.tv_sec * 1000, time;
	char line[64];
	ssize_t length = pread(file->descriptor, line, sizeof(line) - 1, (off_t)position);
	char *text = line + strlen(begin);

	line[MAX(length, 0)] = '\0';
	if (!g_str_has_prefix(line, begin))
		return last;
	text[strcspn(text, "\"")] = '\0';
	return journal_time_parse(text, &time) && time >= FIRST_TIME && time <= last ? time : last;
}

static void add_to_backlog(const struct journal_positions *positions,
			   const struct journal_file *file, struct journal_backlog *backlog)
{
	uint64_t size = (uint64_t)file->status.st_size;
	struct store_file row;
	bool replaced;
	int64_t time;

	journal_position_find(positions, file, &row, &replaced);
	if (size <= row.position)
		return;
	backlog->files++;
	backlog->bytes += size - row.position;
	time = time_at(file, row.position);
	if (backlog->oldest == 0 || time < backlog->oldest)
		backlog->oldest = time;
}

static void note_unreadable(struct journal_backlog *backlog)
{
	if (errno == EACCES)
		backlog->forbidden++;
	else
		backlog->unreadable++;
}

bool journal_backlog(const char *directory, struct store *store, struct journal_backlog *backlog_r)
{
	struct journal_positions positions = {0};
	struct journal_listing listing;

	*backlog_r = (struct journal_backlog){0};
	if (store != NULL && !journal_positions_load(store, &positions))
		return false;
	if (!journal_list(directory, &listing))
		note_unreadable(backlog_r);
	for (size_t i = 0; i < listing.count; i++) {
		struct journal_file file;
		int opened = journal_file_open(directory, listing.names[i], &file);

		if (opened < 0)
			note_unreadable(backlog_r);
		if (opened <= 0)
			continue;
		add_to_backlog(&positions, &file, backlog_r);
		journal_file_close(&file);
	}
	journal_listing_free(&listing);
	journal_positions_free(&positions);
	return true;
}
