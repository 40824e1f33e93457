#include "log-journal-import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/logs/log-journal.h"

/* What was found when it was opened may not be all the programs that write to it. */
#define REOPEN_INTERVAL INT64_C(60000)

static const char journal_name[] = "journal";

struct log_journal_import {
	struct log_journal *journal; /* NULL: it is not open */
	char *cursor;                /* behind which it goes on; NULL: at its beginning */
	int64_t opened;
};

struct log_journal_import *log_journal_import_create(void)
{
	return g_new0(struct log_journal_import, 1);
}

static void close_journal(struct log_journal_import *import)
{
	int error = errno;

	g_clear_pointer(&import->journal, log_journal_free);
	g_clear_pointer(&import->cursor, free);
	errno = error;
}

void log_journal_import_free(struct log_journal_import *import)
{
	if (import == NULL)
		return;
	close_journal(import);
	g_free(import);
}

/* ---- its place ---- */

static bool find_row(void *context, const struct store_log *log)
{
	struct store_log *found = context;

	if (strcmp(log->name, journal_name) != 0)
		return true;
	*found = *log;
	found->name = journal_name;
	found->cursor = strdup(log->cursor);
	return false;
}

/* As the store has it: the cursor is freed with free(), and NULL where there is none. */
static bool load_row(struct store *store, struct store_log *row_r)
{
	*row_r = (struct store_log){.name = journal_name};
	return store_each_log(store, find_row, row_r);
}

/* Opens it where the store says. False with errno set. */
static bool open_journal(struct log_journal_import *import, const struct store_log *row,
			 int64_t now)
{
	if (import->journal != NULL && g_strcmp0(import->cursor, row->cursor) == 0 &&
	    now - import->opened < REOPEN_INTERVAL) {
		log_journal_look_again(import->journal);
		return true;
	}
	close_journal(import);
	import->journal = log_journal_open(NULL, 0);
	import->opened = now;
	if (import->journal == NULL)
		return false;
	if (row->cursor == NULL)
		return true;
	import->cursor = strdup(row->cursor);
	return log_journal_seek(import->journal, row->cursor);
}

/* ---- transactions ---- */

/* From a line on that was read already. */
static enum log_import_result read_lines(struct log_journal_import *import, struct log_batch *batch,
					 struct log_input_line *line, enum line_kind kind)
{
	for (;;) {
		bool is_end;

		line->whole = kind == LINE_WHOLE;
		if (!log_batch_take(batch, line, WITNESS_JOURNAL, &is_end))
			return LOG_IMPORT_FAILED;
		if (is_end && log_batch_ends(batch))
			return LOG_IMPORT_MORE;
		kind = log_journal_next(import->journal, &line->text, &line->length);
		if (kind == LINE_NONE)
			return LOG_IMPORT_DONE;
		if (kind == LINE_ERROR)
			return LOG_IMPORT_BROKEN;
	}
}

/* Whether the store still says that it is read up to where it goes on; -1 when it fails. */
static int is_current(const struct log_journal_import *import, struct store *store,
		      struct store_log *row)
{
	free((char *)row->cursor);
	return load_row(store, row) ? g_strcmp0(row->cursor, import->cursor) == 0 : -1;
}

static enum log_import_result import_lines(struct log_journal_import *import,
					   struct log_batch *batch, struct store_log *row,
					   struct log_input_line *line, enum line_kind kind)
{
	static const struct log_years_place anywhere = {.place = -1};
	int current = is_current(import, batch->store, row);

	if (current <= 0)
		return current < 0 ? LOG_IMPORT_FAILED : LOG_IMPORT_CHANGED;
	log_reader_resume(batch->reader, line, &anywhere);
	return read_lines(import, batch, line, kind);
}

/* Takes the cursor over. */
static bool commit(struct log_journal_import *import, struct log_batch *batch,
		   struct store_log *row, char *cursor)
{
	free((char *)row->cursor);
	row->cursor = cursor;
	row->touched = batch->clock.machine;
	if (!store_put_log(batch->store, row)) {
		log_batch_drop(batch);
		return false;
	}
	free(import->cursor);
	import->cursor = strdup(cursor);
	return log_batch_commit(batch);
}

static bool is_same_journal(void *context, const struct store_log *row)
{
	return log_journal_has(context, row->cursor);
}

/* Of one that the store does not know: whether another host has read it. Fails then. */
static bool refuse_foreign(struct store *store)
{
	struct log_journal *journal = log_journal_open(NULL, 0);
	bool fine = journal == NULL || store_refuse_foreign_log(store, 0, is_same_journal, journal);

	if (journal != NULL)
		log_journal_free(journal);
	return fine;
}

static enum log_import_result import_batch(struct log_journal_import *import,
					   struct log_batch *batch, struct store_log *row)
{
	struct log_input_line line = {.name = "the systemd journal",
				      .written = batch->clock.present / 1000};
	enum line_kind kind = log_journal_next(import->journal, &line.text, &line.length);
	enum log_import_result result;
	char *cursor;
	int error;

	if (kind == LINE_NONE || kind == LINE_ERROR)
		return kind == LINE_NONE ? LOG_IMPORT_DONE : LOG_IMPORT_BROKEN;
	if ((row->cursor == NULL && !refuse_foreign(batch->store)) || !log_batch_begin(batch))
		return LOG_IMPORT_FAILED;
	result = import_lines(import, batch, row, &line, kind);
	if (result == LOG_IMPORT_FAILED || result == LOG_IMPORT_CHANGED) {
		log_batch_drop(batch);
		return result;
	}
	error = errno;
	cursor = log_journal_cursor(import->journal);
	if (cursor == NULL) {
		error = errno;
		log_batch_drop(batch);
		result = LOG_IMPORT_BROKEN;
	} else if (!commit(import, batch, row, cursor)) {
		result = LOG_IMPORT_FAILED;
	}
	errno = error;
	return result;
}

/* ---- the whole ---- */

/* What is known before its first line is read. False when the store fails. */
static bool learn(struct log_batch *batch)
{
	struct log_lore *lore = log_lore_create(journal_name, batch->stop);
	bool fine = true;

	if (!*batch->stop) {
		fine = log_batch_begin(batch);
		if (fine && !log_batch_take_lore(batch, lore)) {
			log_batch_drop(batch);
			fine = false;
		}
		fine = fine && log_batch_commit(batch);
	}
	log_lore_free(lore);
	return fine;
}

static enum log_import_result import_from(struct log_journal_import *import,
					  struct log_batch *batch, struct store_log *row)
{
	enum log_import_result result = LOG_IMPORT_MORE;

	if (row->cursor == NULL && !learn(batch))
		return LOG_IMPORT_FAILED;
	if (*batch->stop)
		return LOG_IMPORT_MORE;
	if (!open_journal(import, row, batch->clock.machine))
		return LOG_IMPORT_BROKEN;
	while (result == LOG_IMPORT_MORE && !*batch->stop)
		result = import_batch(import, batch, row);
	return result;
}

enum log_import_result log_journal_import_pass(struct log_journal_import *import,
					       struct log_batch *batch, bool *known_r)
{
	struct store_log row;
	enum log_import_result result;

	*known_r = false;
	if (!load_row(batch->store, &row))
		return LOG_IMPORT_FAILED;
	result = import_from(import, batch, &row);
	if (result != LOG_IMPORT_DONE && result != LOG_IMPORT_MORE)
		close_journal(import);
	*known_r = row.cursor != NULL;
	free((char *)row.cursor);
	return result;
}
