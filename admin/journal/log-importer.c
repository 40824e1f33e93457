#include "log-importer.h"

#include <errno.h>
#include <glib.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/logs/log-input.h"
#include "admin/terminal/terminal-text.h"
#include "log-file-import.h"
#include "log-journal-import.h"

/* A connection that was not heard of for so long has ended, in milliseconds; where something
   cannot be read, it may go on there. */
#define SILENCE (INT64_C(6) * 3600 * 1000)
#define LONG_SILENCE (INT64_C(48) * 3600 * 1000)

#define TELL_INTERVAL INT64_C(600000)

/* Somebody who reads or truncates a log over and over again shall not keep others waiting. */
#define TRIALS_MAX 10
static const char restless[] = "it changed again and again while it was read; the next import goes "
			       "on with it";

struct log_importer {
	struct log_batch batch;
	struct log_journal_import *journal;
	bool following;
	struct progress progress;
	struct log_order *order;
	unsigned int rounds; /* of a pass that were begun */
	bool is_early;       /* a rotation came in between, so that another one is needed */
	int64_t settled;     /* the day before which nothing waits */

	size_t problems;
	int64_t problems_told;
	bool telling_problems;
};

struct log_importer *log_importer_create(struct store *store, const struct edition *edition,
					 const struct importer_options *options,
					 const volatile sig_atomic_t *stop)
{
	struct log_importer *importer = g_new0(struct log_importer, 1);

	log_batch_init(&importer->batch, store, edition, options, stop);
	importer->journal = log_journal_import_create();
	importer->following = options->following;
	importer->order = log_order_create();
	return importer;
}

void log_importer_free(struct log_importer *importer)
{
	if (importer == NULL)
		return;
	progress_clear(&importer->progress);
	log_journal_import_free(importer->journal);
	log_batch_clear(&importer->batch);
	log_order_free(importer->order);
	g_free(importer);
}

const struct log_importer_counts *log_importer_counts(const struct log_importer *importer)
{
	return &importer->batch.counts;
}

const struct store_failure *log_importer_failure(const struct log_importer *importer)
{
	const struct store_failure *failure = &importer->batch.clock.failure;

	return failure->status != 0 ? failure : store_failure(importer->batch.store);
}

static bool is_stopped(const struct log_importer *importer)
{
	return *importer->batch.stop;
}

/* ---- what is said ---- */

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

/* ---- one log ---- */

/* Others need not wait for it. */
static void pass_over(struct log_importer *importer, const char *path)
{
	struct stat status;

	cannot_open(importer, path);
	if (stat(path, &status) == 0)
		log_order_note(importer->order, path, &status, false);
}

static enum log_import_result import_file(struct log_importer *importer, const char *path)
{
	struct log_file *file = log_file_open(path);
	enum log_import_result result;
	const struct stat *status;

	if (file == NULL) {
		/* A rotation gave it another name. */
		if (errno == ENOENT)
			return LOG_IMPORT_EARLY;
		pass_over(importer, path);
		return LOG_IMPORT_DONE;
	}
	status = log_file_status(file);
	result = log_order_is_read(importer->order, path, status)
			 ? LOG_IMPORT_DONE
			 : log_file_import(&importer->batch, file, path,
					   importer->rounds < TRIALS_MAX ? importer->order : NULL,
					   &importer->progress);
	if (result == LOG_IMPORT_BROKEN)
		problem_with(importer, path, log_file_problem(file));
	if (result == LOG_IMPORT_DONE || result == LOG_IMPORT_BROKEN)
		log_order_note(importer->order, path, status, log_file_is_packed(file));
	log_file_free(file);
	return result;
}

static enum log_import_result import_journal(struct log_importer *importer)
{
	static const char name[] = "the systemd journal";
	bool known;
	enum log_import_result result =
		log_journal_import_pass(importer->journal, &importer->batch, &known);

	if (result == LOG_IMPORT_BROKEN)
		problem_with(importer, name, file_problem(errno));
	/* What may not be read is not there, as systemd has it. */
	if (result == LOG_IMPORT_DONE && !known)
		problem_with(importer, name,
			     "it has no line of Dovecot or Postfix, or none that this account may "
			     "read; portcullis(1), import --log, says how it may");
	return result;
}

/* path: NULL is systemd's journal. False when the store fails. */
static bool visit(struct log_importer *importer, const char *path)
{
	enum log_import_result result = LOG_IMPORT_CHANGED;

	for (int i = 0; i < TRIALS_MAX && result == LOG_IMPORT_CHANGED && !is_stopped(importer);
	     i++)
		result = path == NULL ? import_journal(importer) : import_file(importer, path);
	if (result == LOG_IMPORT_CHANGED && !is_stopped(importer))
		problem_with(importer, path == NULL ? "the systemd journal" : path, restless);
	importer->is_early = result == LOG_IMPORT_EARLY;
	return result != LOG_IMPORT_FAILED;
}

/* ---- what waits ---- */

static bool note_oldest(void *context, const struct store_log_connection *connection)
{
	int64_t *oldest = context;

	*oldest = MIN(*oldest, connection->heard);
	return true;
}

/* Connections that do not go on. */
static bool end_silent(struct log_importer *importer)
{
	struct log_batch *batch = &importer->batch;
	bool whole = importer->problems == 0 && log_order_knows_all(importer->order);
	int64_t silence = whole ? SILENCE : LONG_SILENCE;
	int64_t since = batch->clock.present - silence, oldest = INT64_MAX;

	if (!store_each_log_connection(batch->store, note_oldest, &oldest))
		return false;
	if (oldest >= since)
		return true;
	if (!log_batch_begin(batch))
		return false;
	postfix_smtpd_end_silent(log_reader_smtpd(batch->reader), since);
	log_reader_smtpd_may_have(batch->reader);
	if (log_batch_add_logins(batch, WITNESS_FILE))
		return log_batch_commit(batch);
	log_batch_drop(batch);
	return false;
}

static bool settle_some(struct store *store, int64_t before, bool *more_r)
{
	if (!store_begin(store))
		return false;
	if (store_settle(store, before, more_r) && store_commit(store))
		return true;
	store_rollback(store);
	return false;
}

static bool settle(struct log_importer *importer)
{
	int64_t before = importer->batch.clock.present / MILLISECONDS_A_DAY - STORE_SETTLE_DAYS;
	bool more = importer->settled != before;

	while (more && !is_stopped(importer)) {
		if (!settle_some(importer->batch.store, before, &more))
			return false;
	}
	if (!more)
		importer->settled = before;
	return true;
}

/* ---- the whole ---- */

static bool visit_all(struct log_importer *importer, const struct log_input *input)
{
	const GPtrArray *sources = log_input_sources(input);
	bool fine = true;

	for (guint i = 0; fine && i < sources->len && !importer->is_early && !is_stopped(importer);
	     i++) {
		const struct log_source *source = g_ptr_array_index(sources, i);

		if (source->kind == LOG_SOURCE_JOURNAL && source->path != NULL)
			problem_with(importer, source->path, "only \"journal\" is known here");
		else if (source->kind != LOG_SOURCE_PIPE)
			fine = visit(importer, source->path);
	}
	return fine;
}

static void tell_missing(void *importer, const char *text)
{
	problem(importer, text);
}

/* As far as no rotation comes in between. */
static bool begin_round(struct log_importer *importer)
{
	struct log_input *input = log_order_files(
		importer->order, importer->problems == 0 ? tell_missing : NULL, importer);
	uint64_t done, total;
	bool fine;

	importer->rounds++;
	importer->is_early = false;
	log_input_progress(input, &done, &total);
	progress_begin(&importer->progress, total);
	fine = visit_all(importer, input);
	log_input_free(input);
	return fine;
}

static bool pass(struct log_importer *importer, char *const logs[], bool rotated, size_t *problems)
{
	struct import_clock *clock = &importer->batch.clock;
	bool fine;

	log_order_set(importer->order, logs, rotated);
	importer->rounds = 0;
	importer->problems = 0;
	if (!import_clock_read(clock, importer->batch.store))
		return false;
	importer->telling_problems =
		!importer->following || importer->problems_told == 0 ||
		llabs(clock->machine - importer->problems_told) >= TELL_INTERVAL;
	do
		fine = begin_round(importer);
	while (fine && importer->is_early && importer->rounds < TRIALS_MAX &&
	       !is_stopped(importer));
	fine = fine && (is_stopped(importer) || (end_silent(importer) && settle(importer)));
	progress_clear(&importer->progress);
	if (importer->problems > 0 && importer->telling_problems)
		importer->problems_told = clock->machine;
	*problems += importer->problems;
	return fine;
}

bool log_importer_pass(struct log_importer *importer, char *const logs[], bool rotated,
		       size_t *problems)
{
	bool fine;
	int trials = 0;

	/* Of what was committed, the store knows the position. */
	do
		fine = pass(importer, logs, rotated, problems);
	while (!fine && log_importer_failure(importer)->again && ++trials < TRIALS_MAX &&
	       !is_stopped(importer));
	return fine;
}
