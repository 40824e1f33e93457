#include "log-file-import.h"

#include <errno.h>

#define PROGRESS_LINES 1000

struct reading {
	struct log_batch *batch;
	const char *path;
	struct log_file *file;
	const struct log_order *order;
	struct progress *progress;
	struct store_log row;
	const struct log_lore *lore; /* NULL: it is known, or told already */
	bool half;                   /* half a line stands at its end */
};

/* ---- lines ---- */

static struct log_input_line input_line(const struct reading *reading)
{
	return (struct log_input_line){
		.whole = true, .name = reading->path, .written = log_file_written(reading->file)};
}

static void note_place(struct reading *reading, const char *text, size_t length)
{
	const struct log_years_place place = log_reader_place(reading->batch->reader);

	log_file_note(reading->file, &reading->row, text, length);
	reading->row.year = place.year;
	reading->row.place = place.place;
}

/* The half line that a file ends with. What is packed does not grow; where such a line tells all
   that matters, its login counts, and the position stands behind it. */
static enum log_import_result read_half(struct reading *reading, struct log_input_line *line)
{
	struct log_batch *batch = reading->batch;
	const char *text = line->text;
	size_t length = line->length;
	uint64_t logins = log_batch_logins(batch);

	if (!log_file_is_packed(reading->file))
		return LOG_IMPORT_DONE;
	line->whole = false;
	log_line_pass_over_nuls(line);
	log_reader_take(batch->reader, line);
	if (!log_batch_add_logins(batch, WITNESS_FILE))
		return LOG_IMPORT_FAILED;
	if (log_batch_logins(batch) == logins)
		return LOG_IMPORT_DONE;
	batch->lines++;
	note_place(reading, text, length);
	reading->row.position += length;
	reading->half = false;
	return LOG_IMPORT_DONE;
}

static void show_progress(const struct reading *reading, uint64_t *shown)
{
	uint64_t taken = log_file_taken(reading->file);

	progress_add(reading->progress, taken - *shown);
	*shown = taken;
}

static bool take_line(struct reading *reading, struct log_input_line *line, bool *is_end_r)
{
	const char *text = line->text;
	size_t length = line->length;

	log_line_pass_over_nuls(line);
	if (!log_batch_take(reading->batch, line, WITNESS_FILE, is_end_r))
		return false;
	if (*is_end_r)
		note_place(reading, text, length);
	return true;
}

/* Until the batch is full and the last line is no part of more. */
static enum log_import_result read_lines(struct reading *reading)
{
	struct log_input_line line = input_line(reading);
	uint64_t shown = log_file_taken(reading->file);
	bool is_end = true;

	for (unsigned int i = 0; !is_end || !log_batch_ends(reading->batch); i++) {
		enum line_kind kind = log_file_next(reading->file, &line.text, &line.length);

		if (i % PROGRESS_LINES == 0)
			show_progress(reading, &shown);
		if (kind == LINE_NONE || kind == LINE_HALF) {
			reading->half = kind == LINE_HALF || !is_end;
			return kind == LINE_HALF && is_end ? read_half(reading, &line)
							   : LOG_IMPORT_DONE;
		}
		if (kind == LINE_ERROR)
			return LOG_IMPORT_BROKEN;
		line.whole = kind == LINE_WHOLE;
		if (!take_line(reading, &line, &is_end))
			return LOG_IMPORT_FAILED;
	}
	return LOG_IMPORT_MORE;
}

/* ---- transactions ---- */

/* False when the store fails. */
static bool begin_lines(const struct reading *reading)
{
	const struct log_years_place place = {reading->row.year, reading->row.place};
	const struct log_input_line line = input_line(reading);
	struct log_batch *batch = reading->batch;

	if (reading->lore == NULL) {
		log_reader_resume(batch->reader, &line, &place);
		return true;
	}
	log_reader_begin(batch->reader, &line, log_lore_years(reading->lore));
	return log_batch_take_lore(batch, reading->lore);
}

static enum log_import_result import_lines(struct reading *reading)
{
	int current = log_place_is_current(reading->file, reading->batch->store);
	enum log_import_result result;

	if (current < 0 || !begin_lines(reading))
		return LOG_IMPORT_FAILED;
	/* What was learnt is of what is found by the path. */
	if (current == 0 || (reading->lore != NULL && !log_file_has_its_path(reading->file)))
		return LOG_IMPORT_CHANGED;
	result = read_lines(reading);
	if (result == LOG_IMPORT_FAILED)
		return result;
	if (!log_file_is_same(reading->file))
		return LOG_IMPORT_CHANGED;
	if (reading->batch->lines > 0 && reading->order != NULL &&
	    !log_order_is_kept(reading->order, reading->file, reading->path))
		return LOG_IMPORT_EARLY;
	if (result == LOG_IMPORT_DONE && !reading->half)
		log_file_note_end(reading->file, &reading->row);
	return result;
}

/* Whether something is to be committed. */
static bool has_news(const struct reading *reading, const struct store_log *before)
{
	return reading->batch->lines > 0 || log_batch_logins(reading->batch) > 0 ||
	       (before->id != 0 &&
		(reading->row.size != before->size || reading->row.inode != before->inode));
}

static bool commit(struct reading *reading)
{
	struct log_batch *batch = reading->batch;

	reading->row.touched = batch->clock.machine;
	log_file_note_place(reading->file, &reading->row);
	if (reading->row.position > 0 &&
	    !log_place_put(reading->file, batch->store, &reading->row)) {
		log_batch_drop(batch);
		return false;
	}
	reading->lore = NULL;
	return log_batch_commit(batch);
}

static enum log_import_result import_batch(struct reading *reading)
{
	const struct store_log before = reading->row;
	enum log_import_result result;

	if (!log_batch_begin(reading->batch))
		return LOG_IMPORT_FAILED;
	result = import_lines(reading);
	if (result == LOG_IMPORT_FAILED || result == LOG_IMPORT_CHANGED ||
	    result == LOG_IMPORT_EARLY || !has_news(reading, &before)) {
		log_batch_drop(reading->batch);
		return result;
	}
	return commit(reading) ? result : LOG_IMPORT_FAILED;
}

/* ---- the whole ---- */

/* From the position of its row. */
static enum log_import_result import_from_there(struct reading *reading)
{
	enum log_import_result result;

	do
		result = import_batch(reading);
	while (result == LOG_IMPORT_MORE && !*reading->batch->stop);
	return result;
}

static enum log_import_result import_new(struct reading *reading)
{
	struct log_lore *lore = log_lore_create(reading->path, reading->batch->stop);
	enum log_import_result result = LOG_IMPORT_MORE;

	reading->lore = lore;
	if (!*reading->batch->stop)
		result = import_from_there(reading);
	log_lore_free(lore);
	return result;
}

static enum log_import_result no_place(const struct log_batch *batch)
{
	if (store_failure(batch->store)->status != 0)
		return LOG_IMPORT_FAILED;
	return errno == ESTALE ? LOG_IMPORT_CHANGED : LOG_IMPORT_BROKEN;
}

enum log_import_result log_file_import(struct log_batch *batch, struct log_file *file,
				       const char *path, const struct log_order *order,
				       struct progress *progress)
{
	struct reading reading = {
		.batch = batch, .path = path, .file = file, .order = order, .progress = progress};
	bool done;

	errno = 0;
	if (!log_place_find(file, batch->store, path, &reading.row, &done))
		return no_place(batch);
	if (done)
		return LOG_IMPORT_DONE;
	if (reading.row.id != 0)
		return import_from_there(&reading);
	return log_place_refuse_foreign(file, batch->store) ? import_new(&reading)
							    : LOG_IMPORT_FAILED;
}
