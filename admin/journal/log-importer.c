#include "log-importer.h"

#include <errno.h>
#include <glib.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/logs/log-input.h"
#include "admin/logs/log-journal.h"
#include "admin/logs/log-reader.h"
#include "admin/terminal/progress.h"
#include "admin/terminal/terminal-text.h"
#include "import-clock.h"
#include "import-tally.h"
#include "log-file.h"
#include "log-joins.h"
#include "log-recorder.h"

/* Of a transaction: others wait for it to end. */
#define BATCH_LINES 50000
#define PROGRESS_LINES 1000

/* A connection that was not heard of for so long has ended, in milliseconds. */
#define SILENCE (INT64_C(6) * 3600 * 1000)

#define TELL_INTERVAL INT64_C(600000)

struct log_importer {
	struct store *store;
	const struct edition *edition;
	struct import_clock clock;
	bool following;
	const volatile sig_atomic_t *stop;
	struct progress progress;

	/* As of the store's, until another one changes that, or a transaction fails. */
	struct log_reader *reader; /* NULL: it is to be loaded */
	struct store_log_state state;
	struct log_recorder *recorder;
	struct import_tally tally;
	uint64_t lines, unknown; /* of the transaction */

	struct log_importer_counts counts;
	GHashTable *read; /* files that are read, as they are: a struct stat by path */
	size_t problems;
	int64_t problems_told;
	bool telling_problems;
	int64_t settled; /* the day before which nothing waits */

	struct log_journal *journal; /* NULL: it is not open */
	char *cursor;                /* behind which it goes on; NULL: at its beginning */
	int64_t journal_opened;
};

static void close_journal(struct log_importer *importer)
{
	g_clear_pointer(&importer->journal, log_journal_free);
	g_clear_pointer(&importer->cursor, free);
}

struct log_importer *log_importer_create(struct store *store, const struct edition *edition,
					 const struct importer_options *options,
					 const volatile sig_atomic_t *stop)
{
	struct log_importer *importer = g_new0(struct log_importer, 1);

	importer->store = store;
	importer->edition = edition;
	importer->clock.at = options->at;
	importer->clock.forced = options->forced;
	importer->following = options->following;
	importer->stop = stop;
	importer->recorder =
		log_recorder_create(store, edition, &importer->clock, &importer->tally);
	importer->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return importer;
}

void log_importer_free(struct log_importer *importer)
{
	if (importer == NULL)
		return;
	progress_clear(&importer->progress);
	close_journal(importer);
	log_reader_free(importer->reader);
	log_recorder_free(importer->recorder);
	g_hash_table_unref(importer->read);
	g_free(importer);
}

const struct log_importer_counts *log_importer_counts(const struct log_importer *importer)
{
	return &importer->counts;
}

const struct store_failure *log_importer_failure(const struct log_importer *importer)
{
	const struct store_failure *failure = &importer->clock.failure;

	return failure->status != 0 ? failure : store_failure(importer->store);
}

static void problem(struct log_importer *importer, const char *text)
{
	importer->problems++;
	if (!importer->telling_problems)
		return;
	progress_clear(&importer->progress);
	fprintf(stderr, "portcullis import: %s\n", text);
}

static void problem_with(struct log_importer *importer, const char *path, const char *what)
{
	GString *text = g_string_new(NULL);

	terminal_text_append(text, path, SIZE_MAX);
	g_string_append_printf(text, ": %s", what);
	problem(importer, text->str);
	g_string_free(text, TRUE);
}

/* ---- transactions ---- */

static void drop_batch(struct log_importer *importer)
{
	store_rollback(importer->store);
	importer->tally = (struct import_tally){0};
	importer->lines = importer->unknown = 0;
	g_clear_pointer(&importer->reader, log_reader_free);
}

/* Adds the logins that are known by now. */
static bool add_logins(struct log_importer *importer, enum store_witness witness)
{
	struct log_login login;

	while (log_reader_give(importer->reader, &login)) {
		if (!log_recorder_add(importer->recorder, &login, witness))
			return false;
	}
	return true;
}

/* Connections are of Postfix's; those of several logs have one table, and a witness' name is of
   no importance for them but where the gate is missing, and both logs are read. */
static bool load_joins(struct log_importer *importer)
{
	static const struct log_reader_options options;
	struct store_log_state state;

	if (!store_log_state(importer->store, &state))
		return false;
	if (importer->reader != NULL && importer->state.change == state.change)
		return true;
	log_reader_free(importer->reader);
	importer->reader = log_joins_load(importer->store, &options, &importer->state);
	return importer->reader != NULL && add_logins(importer, WITNESS_FILE);
}

/* Nobody else changes the store until commit_batch() or drop_batch(). */
static bool begin_batch(struct log_importer *importer)
{
	if (!store_begin(importer->store))
		return false;
	log_recorder_begin(importer->recorder);
	if (import_clock_read(&importer->clock, importer->store) && load_joins(importer))
		return true;
	drop_batch(importer);
	return false;
}

static bool commit_batch(struct log_importer *importer)
{
	const struct log_recorder_counts *recorded = log_recorder_counts(importer->recorder);

	if (!log_recorder_finish(importer->recorder) ||
	    !log_joins_save(importer->store, importer->reader, &importer->state,
			    importer->edition->policy->default_domain) ||
	    !import_tally_store(&importer->tally, importer->store, importer->clock.machine) ||
	    !store_confirm_newest(importer->store) || !store_commit(importer->store)) {
		drop_batch(importer);
		return false;
	}
	importer->counts.lines += importer->lines;
	importer->counts.unknown += importer->unknown;
	importer->counts.logins += recorded->logins;
	importer->counts.too_old += recorded->too_old;
	importer->counts.too_new += recorded->too_new;
	importer->lines = importer->unknown = 0;
	return true;
}

/* ---- what is known of a log before its first login ---- */

/* Services of Postfix's whose name is that of several ports: what the last line of a log shows is
   true of its first one, too. Whether TLS is logged is not: it may be so since yesterday. Of a log
   that goes on, the store knows it already. */
struct lore {
	struct log_reader *reader;
	struct log_input *input;
};

/* A log from its beginning. */
static struct log_input *input_of(const char *path)
{
	struct log_input *input = log_input_create();

	log_input_add(input, path, NULL);
	return input;
}

/* Takes the input over. */
static void learn(struct lore *lore_r, struct log_input *input)
{
	static const struct log_reader_options options;
	struct log_login login;

	lore_r->input = input;
	lore_r->reader = log_reader_create(lore_r->input, &options);
	while (log_reader_next(lore_r->reader, &login))
		;
}

static void forget_lore(struct lore *lore)
{
	log_reader_free(lore->reader);
	log_input_free(lore->input);
}

static bool take_service(void *context, const struct store_log_service *service)
{
	struct log_importer *importer = context;
	const struct store_log_service taken = {
		.host = service->host, .program = service->program, .wraps = true};

	if (!service->wraps)
		return true;
	postfix_smtpd_add_service(log_reader_smtpd(importer->reader), &taken);
	return store_put_log_service(importer->store, &taken);
}

/* Within a transaction. */
static bool take_lore(struct log_importer *importer, struct lore *lore)
{
	return postfix_smtpd_each_service(log_reader_smtpd(lore->reader), take_service, importer);
}

/* ---- files ---- */

enum batch_result {
	BATCH_MORE,
	BATCH_DONE,
	BATCH_CHANGED, /* somebody else read it, or truncated it */
	BATCH_BROKEN,
	BATCH_FAILED
};

struct log_reading {
	const char *path;
	struct log_file *file;
	struct store_log row;
	struct lore *lore; /* NULL: it is known, or told already */
	bool half;         /* half a line stands at its end */
};

static struct log_input_line input_line(const struct log_reading *reading)
{
	return (struct log_input_line){
		.whole = true, .name = reading->path, .written = log_file_written(reading->file)};
}

/* The half line that a file ends with. What is packed does not grow; where such a line tells all
   that matters, its login counts, and the position stands behind it. */
static enum batch_result read_half(struct log_importer *importer, struct log_reading *reading,
				   const char *text, size_t length)
{
	struct log_input_line line = input_line(reading);
	uint64_t logins = log_recorder_counts(importer->recorder)->logins;

	if (!log_file_is_packed(reading->file))
		return BATCH_DONE;
	line.text = text;
	line.length = length;
	line.whole = false;
	log_line_pass_over_nuls(&line);
	log_reader_take(importer->reader, &line);
	if (!add_logins(importer, WITNESS_FILE))
		return BATCH_FAILED;
	if (log_recorder_counts(importer->recorder)->logins == logins)
		return BATCH_DONE;
	importer->lines++;
	log_file_note(reading->file, &reading->row, text, length);
	reading->row.position += length;
	reading->half = false;
	return BATCH_DONE;
}

/* Lines until the batch is full and the last one is no part of more. */
static enum batch_result read_lines(struct log_importer *importer, struct log_reading *reading)
{
	struct log_input_line line = input_line(reading);
	uint64_t taken = log_file_taken(reading->file);
	bool is_end = true;

	for (unsigned int i = 0; (i < BATCH_LINES && !*importer->stop) || !is_end; i++) {
		const char *text;
		size_t length;
		enum line_kind kind = log_file_next(reading->file, &text, &length);

		if (i % PROGRESS_LINES == 0) {
			progress_add(&importer->progress, log_file_taken(reading->file) - taken);
			taken = log_file_taken(reading->file);
		}
		if (kind == LINE_NONE || kind == LINE_HALF) {
			reading->half = kind == LINE_HALF || !is_end;
			return kind == LINE_HALF && is_end
				       ? read_half(importer, reading, text, length)
				       : BATCH_DONE;
		}
		if (kind == LINE_ERROR)
			return BATCH_BROKEN;
		line.text = text;
		line.length = length;
		line.whole = kind == LINE_WHOLE;
		log_line_pass_over_nuls(&line);
		is_end = log_reader_take(importer->reader, &line);
		importer->lines++;
		if (!add_logins(importer, WITNESS_FILE))
			return BATCH_FAILED;
		if (is_end) {
			const struct log_years_place place = log_reader_place(importer->reader);

			log_file_note(reading->file, &reading->row, text, length);
			reading->row.year = place.year;
			reading->row.place = place.place;
		}
	}
	return BATCH_MORE;
}

static bool begin_lines(struct log_importer *importer, struct log_reading *reading)
{
	const struct log_years_place place = {reading->row.year, reading->row.place};
	const struct log_input_line line = input_line(reading);
	bool is_new = reading->row.position == 0;
	struct log_input *again = is_new ? input_of(reading->path) : NULL;
	bool fine = reading->lore == NULL || take_lore(importer, reading->lore);

	log_reader_begin(importer->reader, &line, again, is_new ? NULL : &place);
	log_input_free(again);
	return fine;
}

/* Whether something is to be committed. */
static bool has_news(const struct log_importer *importer, const struct log_reading *reading,
		     uint64_t size_before)
{
	return importer->lines > 0 || log_recorder_counts(importer->recorder)->logins > 0 ||
	       (reading->row.id != 0 && reading->row.size != size_before);
}

/* Imports some lines of a file in one transaction, which has begun. */
static enum batch_result import_lines(struct log_importer *importer, struct log_reading *reading)
{
	uint64_t unknown = log_reader_counts(importer->reader)->unknown;
	uint64_t size_before = reading->row.size;
	enum batch_result result;

	if (!begin_lines(importer, reading))
		return BATCH_FAILED;
	/* What was looked at for its years. */
	if (reading->row.position == 0 && !log_file_has_its_path(reading->file))
		return BATCH_CHANGED;
	result = read_lines(importer, reading);
	importer->unknown += log_reader_counts(importer->reader)->unknown - unknown;
	if (result == BATCH_FAILED)
		return result;
	if (!log_file_is_same(reading->file))
		return BATCH_CHANGED;
	if (result == BATCH_DONE && !reading->half)
		log_file_note_end(reading->file, &reading->row);
	if (!has_news(importer, reading, size_before)) {
		store_rollback(importer->store);
		return result;
	}
	reading->row.touched = importer->clock.machine;
	log_file_note_place(reading->file, &reading->row);
	if ((reading->row.position > 0 && !store_put_log(importer->store, &reading->row)) ||
	    !commit_batch(importer))
		return BATCH_FAILED;
	reading->lore = NULL;
	return result;
}

/* change: what the store's was when the position was looked for. */
static enum batch_result import_batch(struct log_importer *importer, struct log_reading *reading,
				      int64_t *change)
{
	enum batch_result result;

	if (!begin_batch(importer))
		return BATCH_FAILED;
	result =
		importer->state.change == *change ? import_lines(importer, reading) : BATCH_CHANGED;
	if (result == BATCH_FAILED || result == BATCH_CHANGED)
		drop_batch(importer);
	else
		*change = importer->state.change;
	return result;
}

static enum batch_result no_place(const struct log_importer *importer)
{
	if (store_failure(importer->store)->status != 0)
		return BATCH_FAILED;
	return errno == ESTALE ? BATCH_CHANGED : BATCH_BROKEN;
}

/* An open file. */
static enum batch_result import_file(struct log_importer *importer, struct log_reading *reading)
{
	struct store_log_state state;
	enum batch_result result;
	struct lore lore;
	bool done, is_new;

	if (!store_log_state(importer->store, &state))
		return BATCH_FAILED;
	errno = 0;
	if (!log_file_find(reading->file, importer->store, reading->path, &reading->row, &done))
		return no_place(importer);
	if (done)
		return BATCH_DONE;
	is_new = reading->row.id == 0;
	if (is_new) {
		learn(&lore, input_of(reading->path));
		reading->lore = &lore;
	}
	do
		result = import_batch(importer, reading, &state.change);
	while (result == BATCH_MORE && !*importer->stop);
	reading->lore = NULL;
	if (is_new)
		forget_lore(&lore);
	return result;
}

static bool is_read(const struct log_importer *importer, const char *path,
		    const struct stat *status)
{
	const struct stat *before = g_hash_table_lookup(importer->read, path);

	return before != NULL && before->st_dev == status->st_dev &&
	       before->st_ino == status->st_ino && before->st_size == status->st_size &&
	       before->st_mtim.tv_sec == status->st_mtim.tv_sec &&
	       before->st_mtim.tv_nsec == status->st_mtim.tv_nsec;
}

/* With what to do: mail logs are not for everybody. */
static void cannot_open(struct log_importer *importer, const char *path)
{
	const char *what = file_problem(errno);
	const struct passwd *account;
	char *text;

	if (errno != EACCES) {
		problem_with(importer, path, what);
		return;
	}
	account = getpwuid(geteuid());
	text = g_strdup_printf(
		"%s: this works as the account '%s', which has to be in the group of those who may "
		"read it; portcullis(1), import --log, says how",
		what, account == NULL ? "?" : account->pw_name);
	problem_with(importer, path, text);
	g_free(text);
}

/* Somebody who reads or truncates it over and over again shall not keep others waiting. */
#define TRIALS_MAX 10

/* False when the store fails. */
static bool visit_file(struct log_importer *importer, const char *path)
{
	enum batch_result result = BATCH_CHANGED;

	for (int i = 0; i < TRIALS_MAX && result == BATCH_CHANGED && !*importer->stop; i++) {
		struct log_reading reading = {.path = path, .file = log_file_open(path)};
		const struct stat *status;

		if (reading.file == NULL) {
			/* A rotation gave it another name. */
			if (errno != ENOENT)
				cannot_open(importer, path);
			return true;
		}
		status = log_file_status(reading.file);
		result = is_read(importer, path, status) ? BATCH_DONE
							 : import_file(importer, &reading);
		if (result == BATCH_BROKEN)
			problem_with(importer, path, log_file_problem(reading.file));
		if (result == BATCH_DONE || result == BATCH_BROKEN)
			g_hash_table_replace(importer->read, g_strdup(path),
					     g_memdup2(status, sizeof(*status)));
		log_file_free(reading.file);
	}
	return result != BATCH_FAILED;
}

/* ---- systemd's journal ---- */

/* What was found when it was opened may not be all the programs that write to it. */
#define REOPEN_INTERVAL INT64_C(60000)

static const char journal_name[] = "journal";

static bool find_journal(void *context, const struct store_log *log)
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
static bool load_journal(struct log_importer *importer, struct store_log *row_r)
{
	*row_r = (struct store_log){.name = journal_name};
	return store_each_log(importer->store, find_journal, row_r);
}

/* Opens it where the store says. False with errno set. */
static bool open_journal(struct log_importer *importer, const struct store_log *row)
{
	if (importer->journal != NULL && g_strcmp0(importer->cursor, row->cursor) == 0 &&
	    importer->clock.machine - importer->journal_opened < REOPEN_INTERVAL) {
		log_journal_look_again(importer->journal);
		return true;
	}
	close_journal(importer);
	importer->journal = log_journal_open(NULL, 0);
	importer->journal_opened = importer->clock.machine;
	if (importer->journal == NULL)
		return false;
	if (row->cursor == NULL)
		return true;
	importer->cursor = strdup(row->cursor);
	return log_journal_seek(importer->journal, row->cursor);
}

/* From a line on that was read already. BATCH_DONE: there are no more. */
static enum batch_result read_journal(struct log_importer *importer, struct log_input_line *line,
				      enum line_kind kind)
{
	bool is_end = true;

	for (unsigned int i = 0;; i++) {
		line->whole = kind == LINE_WHOLE;
		is_end = log_reader_take(importer->reader, line);
		importer->lines++;
		if (!add_logins(importer, WITNESS_JOURNAL))
			return BATCH_FAILED;
		if (is_end && (i >= BATCH_LINES || *importer->stop))
			return BATCH_MORE;
		kind = log_journal_next(importer->journal, &line->text, &line->length);
		if (kind == LINE_NONE)
			return BATCH_DONE;
		if (kind == LINE_ERROR)
			return BATCH_BROKEN;
	}
}

/* Whether the store still says that it is read up to where it goes on. */
static bool is_current(struct log_importer *importer, struct store_log *row)
{
	free((char *)row->cursor);
	return load_journal(importer, row) && g_strcmp0(row->cursor, importer->cursor) == 0;
}

static bool commit_journal(struct log_importer *importer, struct store_log *row)
{
	char *cursor = log_journal_cursor(importer->journal);
	bool fine;

	if (cursor == NULL)
		return false;
	free((char *)row->cursor);
	row->cursor = cursor;
	row->touched = importer->clock.machine;
	fine = store_put_log(importer->store, row) && commit_batch(importer);
	free(importer->cursor);
	importer->cursor = strdup(cursor);
	return fine;
}

/* In one transaction, which has begun. */
static enum batch_result import_entries(struct log_importer *importer, struct store_log *row,
					struct log_input_line *line, enum line_kind kind)
{
	uint64_t unknown = log_reader_counts(importer->reader)->unknown;
	enum batch_result result;

	if (!is_current(importer, row))
		return store_failure(importer->store)->status != 0 ? BATCH_FAILED : BATCH_CHANGED;
	log_reader_begin(importer->reader, line, NULL, &(struct log_years_place){.place = -1});
	result = read_journal(importer, line, kind);
	importer->unknown += log_reader_counts(importer->reader)->unknown - unknown;
	if (result != BATCH_FAILED && !commit_journal(importer, row))
		return BATCH_FAILED;
	return result;
}

static enum batch_result import_journal_batch(struct log_importer *importer, struct store_log *row)
{
	struct log_input_line line = {.name = "the systemd journal",
				      .written = importer->clock.present / 1000};
	enum line_kind kind = log_journal_next(importer->journal, &line.text, &line.length);
	enum batch_result result;

	if (kind == LINE_NONE || kind == LINE_ERROR)
		return kind == LINE_NONE ? BATCH_DONE : BATCH_BROKEN;
	if (!begin_batch(importer))
		return BATCH_FAILED;
	result = import_entries(importer, row, &line, kind);
	if (result == BATCH_FAILED || result == BATCH_CHANGED)
		drop_batch(importer);
	return result;
}

/* What is known before its first line is read. False when the store fails. */
static bool learn_of_journal(struct log_importer *importer)
{
	struct lore lore;
	bool fine;

	learn(&lore, input_of(journal_name));
	fine = begin_batch(importer);
	if (fine && (!take_lore(importer, &lore) || !commit_batch(importer))) {
		drop_batch(importer);
		fine = false;
	}
	forget_lore(&lore);
	return fine;
}

/* False when the store fails. */
static bool visit_journal(struct log_importer *importer)
{
	enum batch_result result = BATCH_CHANGED;

	for (int i = 0; i < TRIALS_MAX && result == BATCH_CHANGED && !*importer->stop; i++) {
		struct store_log row;

		if (!load_journal(importer, &row) ||
		    (row.cursor == NULL && !learn_of_journal(importer)))
			return false;
		if (open_journal(importer, &row)) {
			do
				result = import_journal_batch(importer, &row);
			while (result == BATCH_MORE && !*importer->stop);
		} else {
			result = BATCH_BROKEN;
		}
		if (result == BATCH_BROKEN)
			problem_with(importer, "the systemd journal", file_problem(errno));
		/* What may not be read is not there, as systemd has it. */
		if (result == BATCH_DONE && row.cursor == NULL)
			problem_with(
				importer, "the systemd journal",
				"it has no line of Dovecot or Postfix, or none that this "
				"account may read; portcullis(1), import --log, says how it may");
		if (result != BATCH_DONE && result != BATCH_MORE)
			close_journal(importer);
		free((char *)row.cursor);
	}
	return result != BATCH_FAILED;
}

/* ---- connections that do not go on ---- */

static bool note_oldest(void *context, const struct store_log_connection *connection)
{
	int64_t *oldest = context;

	*oldest = MIN(*oldest, connection->heard);
	return true;
}

static bool end_silent(struct log_importer *importer)
{
	int64_t since = importer->clock.present - SILENCE, oldest = INT64_MAX;

	if (!store_each_log_connection(importer->store, note_oldest, &oldest))
		return false;
	if (oldest >= since)
		return true;
	if (!begin_batch(importer))
		return false;
	postfix_smtpd_end_silent(log_reader_smtpd(importer->reader), since);
	log_reader_smtpd_may_have(importer->reader);
	if (add_logins(importer, WITNESS_FILE))
		return commit_batch(importer);
	drop_batch(importer);
	return false;
}

static bool settle(struct log_importer *importer)
{
	int64_t before = importer->clock.present / MILLISECONDS_A_DAY - STORE_SETTLE_DAYS;

	if (importer->settled == before)
		return true;
	for (bool more = true; more && !*importer->stop;) {
		if (!store_begin(importer->store))
			return false;
		if (!store_settle(importer->store, before, &more) ||
		    !store_commit(importer->store)) {
			store_rollback(importer->store);
			return false;
		}
		if (!more)
			importer->settled = before;
	}
	return true;
}

/* ---- the whole ---- */

typedef bool add_function(struct log_input *input, const char *path, char **problem_r);

static struct log_input *find_files(struct log_importer *importer, char *const logs[],
				    add_function *add)
{
	struct log_input *input = log_input_create();

	for (size_t i = 0; logs[i] != NULL; i++) {
		char *text = NULL;

		if (add(input, logs[i], &text))
			continue;
		problem(importer, text);
		g_free(text);
	}
	return input;
}

static bool visit_files(struct log_importer *importer, const struct log_input *input)
{
	bool fine = true;

	for (size_t i = 0; fine && i < log_input_files(input) && !*importer->stop; i++) {
		const char *path;

		switch (log_input_file(input, i, &path)) {
		case LOG_INPUT_FILE:
			fine = visit_file(importer, path);
			break;
		case LOG_INPUT_JOURNAL:
			if (path == NULL)
				fine = visit_journal(importer);
			else
				problem_with(importer, path, "only \"journal\" is known here");
			break;
		case LOG_INPUT_PIPE:
			break;
		}
	}
	return fine;
}

bool log_importer_pass(struct log_importer *importer, char *const logs[], bool rotated,
		       size_t *problems)
{
	struct log_input *input;
	uint64_t done, total;
	bool fine;

	importer->problems = 0;
	if (!import_clock_read(&importer->clock, importer->store))
		return false;
	importer->telling_problems =
		!importer->following || importer->problems_told == 0 ||
		llabs(importer->clock.machine - importer->problems_told) >= TELL_INTERVAL;
	input = find_files(importer, logs, rotated ? log_input_add_rotated : log_input_add);
	log_input_progress(input, &done, &total);
	progress_begin(&importer->progress, total);
	fine = visit_files(importer, input) &&
	       (*importer->stop || (end_silent(importer) && settle(importer)));
	progress_clear(&importer->progress);
	log_input_free(input);
	if (importer->problems > 0 && importer->telling_problems)
		importer->problems_told = importer->clock.machine;
	*problems += importer->problems;
	return fine;
}
