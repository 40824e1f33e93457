#define _GNU_SOURCE /* memmem() */
#include "importer.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "admin/files/file-open.h"
#include "admin/files/line-reader.h"
#include "admin/sightings/sighting-judge.h"
#include "admin/sightings/whereabouts.h"
#include "admin/store/store-week.h"
#include "admin/terminal/progress.h"
#include "import-clock.h"
#include "import-tally.h"
#include "journal-position.h"
#include "set-aside.h"

/* Of a transaction: others wait for it to end. */
#define BATCH_LINES 50000
/* A bar that stands still for long looks like a program that does. */
#define PROGRESS_LINES 1000

/* A flood of broken lines is not told line by line. */
#define REPORTS_MAX 20

/* Others that are in the way over and over again are a fault. */
#define TRIALS_MAX 10

#define NOTE_INTERVAL INT64_C(60000)
#define TELL_INTERVAL INT64_C(600000)
#define EXPIRE_INTERVAL (INT64_C(6) * 3600 * 1000)

struct importer {
	struct store *store;
	const struct policy *policy;
	struct import_clock clock;
	bool following;
	const volatile sig_atomic_t *stop;
	struct progress progress;
	struct line_reader *reader;

	struct importer_counts counts;
	/* Of the transaction. */
	struct import_tally tally;
	struct importer_counts batch;

	char whereabouts[WHEREABOUTS_SIZE]; /* of find_whereabouts() */
	unsigned int reports;
	int64_t problems_told; /* when */
	bool telling_problems;
	bool set_aside_failed;
	int64_t noted; /* when the last import was noted in the store */
	int64_t held_back;
	int64_t expired; /* when expiry_is_due() said so last */
};

struct importer *importer_create(struct store *store, const struct policy *policy,
				 const struct importer_options *options,
				 const volatile sig_atomic_t *stop)
{
	struct importer *importer = g_new0(struct importer, 1);

	importer->store = store;
	importer->policy = policy;
	importer->clock.at = options->at;
	importer->clock.forced = options->forced;
	importer->following = options->following;
	importer->stop = stop;
	importer->reader = line_reader_create();
	return importer;
}

void importer_free(struct importer *importer)
{
	importer_end_progress(importer);
	line_reader_free(importer->reader);
	g_free(importer);
}

void importer_end_progress(struct importer *importer)
{
	progress_clear(&importer->progress);
}

const struct importer_counts *importer_counts(const struct importer *importer)
{
	return &importer->counts;
}

int64_t importer_now(const struct importer *importer)
{
	return import_clock_now(&importer->clock);
}

const struct store_failure *importer_failure(const struct importer *importer)
{
	const struct store_failure *failure = &importer->clock.failure;

	return failure->status != 0 ? failure : store_failure(importer->store);
}

/* ---- what is said ---- */

static void report(struct importer *importer, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void report(struct importer *importer, const char *file, const char *format, ...)
{
	va_list arguments;
	char *name;

	importer->reports++;
	if (importer->reports > REPORTS_MAX)
		return;
	progress_clear(&importer->progress);
	name = journal_name_text(file);
	fprintf(stderr, "%s/%s: ", importer->policy->journal, name);
	g_free(name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void report_the_rest(struct importer *importer)
{
	progress_clear(&importer->progress);
	if (importer->reports > REPORTS_MAX)
		fprintf(stderr, "portcullis: %u more such messages are left out\n",
			importer->reports - REPORTS_MAX);
	importer->reports = 0;
}

static void problem(struct importer *importer, struct importer_rest *rest, const char *file,
		    const char *what)
{
	rest->problems++;
	rest->status = errno == EACCES || errno == EPERM || errno == EROFS ? EX_NOPERM : EX_IOERR;
	if (importer->telling_problems)
		report(importer, file, "%s: %s", what, file_problem(errno));
}

/* ---- lines ---- */

/* Whether the line's time lets it in; it is made to fit where a clock was wrong. */
static bool fit_time(struct importer *importer, struct journal_line *line)
{
	const struct import_clock *clock = &importer->clock;

	if (line->until > clock->present + MILLISECONDS_A_DAY) {
		line->until = clock->present;
		line->time = MIN(line->time, line->until);
		importer->batch.too_new++;
	}
	if (line->until < FIRST_TIME ||
	    import_clock_is_past(clock, line->until, importer->policy->keep_sightings)) {
		importer->batch.too_old++;
		return false;
	}
	if (line->time < FIRST_TIME)
		line->time = line->until;
	return true;
}

/* As of struct store_sighting. What lies between is not known. */
static uint64_t weeks_of(const struct journal_line *line)
{
	int64_t ago = store_week(line->until) - store_week(line->time);

	return 1 | (ago < 64 ? UINT64_C(1) << ago : 0);
}

static uint64_t days_of(const struct journal_line *line)
{
	return line->time / MILLISECONDS_A_DAY == line->until / MILLISECONDS_A_DAY ? 1 : 2;
}

static bool add_line(struct importer *importer, struct journal_line *line)
{
	char client[ADDRESS_TEXT_SIZE] = "", whereabouts[WHEREABOUTS_SIZE];
	struct store_sighting sighting = {
		.user = journal_line_names_nobody(line) ? NULL : line->user,
		.verified = line->verified,
		.habit = &line->habit,
		.rules = &line->rule_set,
		.count = line->count,
		.rejected = line->rejected ? line->count : 0,
		.last_client = client,
		.whereabouts = whereabouts_format(importer->policy, &line->client, whereabouts),
		.tls_below = sighting_tls_below(importer->policy, line->habit.tls, &line->rule_set),
	};

	if (!fit_time(importer, line)) {
		importer->tally.totals.lines++;
		importer->tally.totals.lost += line->lost;
		return true;
	}
	sighting.first_seen = line->time;
	sighting.last_seen = line->until;
	sighting.weeks = weeks_of(line);
	sighting.days = days_of(line);
	if (!import_clock_is_past(&importer->clock, line->until, importer->policy->keep_addresses))
		address_format(&line->client, client);
	return store_add(importer->store, &sighting) &&
	       import_tally_add(&importer->tally, importer->store, line);
}

static bool put_aside(struct importer *importer, const char *file, uint64_t offset,
		      const char *reason, const char *text, size_t length)
{
	const char *directory = importer->policy->journal;
	char *name = journal_name_text(file);

	if (!set_aside(directory, importer->clock.machine / 1000, name, offset, reason, text,
		       length)) {
		if (importer->telling_problems)
			fprintf(stderr, "%s/set-aside: a line cannot be set aside: %s\n", directory,
				file_problem(errno));
		importer->set_aside_failed = true;
		g_free(name);
		return false;
	}
	g_free(name);
	report(importer, file, "the line at %llu was set aside: %s", (unsigned long long)offset,
	       reason);
	return import_tally_add_set_aside(&importer->tally, importer->store,
					  importer->clock.machine);
}

/* A writer that died, or whose disk was full, leaves half a line, and the next one
   may go on behind it. No line has these characters within a string. */
static const char *find_line_within(const char *text, size_t length)
{
	static const char begin[] = "{\"time\":";
	const char *found = NULL, *next = text + 1;

	while (next < text + length &&
	       (next = memmem(next, (size_t)(text + length - next), begin, strlen(begin))) != NULL)
		found = next++;
	return found;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	}
	return true;
}

static bool take_line(struct importer *importer, const char *file, uint64_t offset,
		      const char *text, size_t length)
{
	struct journal_line line;
	const char *reason, *within, *reason_within;
	bool fine;

	if (is_blank(text, length))
		return true;
	if (!journal_line_parse(text, length, &line, &reason)) {
		within = find_line_within(text, length);
		if (within == NULL || !journal_line_parse(within, length - (size_t)(within - text),
							  &line, &reason_within))
			return put_aside(importer, file, offset, reason, text, length);
		if (!put_aside(importer, file, offset, "it is half a line", text,
			       (size_t)(within - text))) {
			journal_line_free(&line);
			return false;
		}
	}
	fine = add_line(importer, &line);
	journal_line_free(&line);
	return fine;
}

/* ---- files ---- */

enum batch_result { BATCH_MORE, BATCH_DONE, BATCH_SKIPPED, BATCH_UNREADABLE, BATCH_FAILED };

/* Reads up to BATCH_LINES lines. sealed: nothing will be appended any more, so
   half a line at the end is all there will be of it. */
static enum batch_result read_batch(struct importer *importer, const struct journal_file *file,
				    bool sealed, uint64_t *position_r)
{
	uint64_t shown = *position_r;
	const char *text;
	size_t length;

	for (unsigned int i = 0; i < BATCH_LINES && !*importer->stop; i++) {
		uint64_t offset = line_reader_position(importer->reader);
		enum line_kind kind = line_reader_next(importer->reader, &text, &length);

		*position_r = line_reader_position(importer->reader);
		if (i % PROGRESS_LINES == 0) {
			progress_add(&importer->progress, *position_r - shown);
			shown = *position_r;
		}
		if (kind == LINE_NONE || (kind == LINE_HALF && !sealed))
			return BATCH_DONE;
		if (kind == LINE_ERROR)
			return BATCH_UNREADABLE;
		if (kind == LINE_CUT || length > LINE_LENGTH_MAX) {
			if (!put_aside(importer, file->name, offset, "it is too long", text,
				       length))
				return BATCH_FAILED;
		} else if (!take_line(importer, file->name, offset, text, length)) {
			return BATCH_FAILED;
		}
		if (kind == LINE_HALF) {
			*position_r = (uint64_t)file->status.st_size;
			return BATCH_DONE;
		}
	}
	return BATCH_MORE;
}

static void drop_batch(struct importer *importer)
{
	store_rollback(importer->store);
	importer->tally = (struct import_tally){0};
	importer->batch = (struct importer_counts){0};
}

static bool commit_batch(struct importer *importer)
{
	struct store_totals totals = importer->tally.totals;

	if (!import_tally_store(&importer->tally, importer->store, importer->clock.machine) ||
	    !store_confirm_newest(importer->store) || !store_commit(importer->store)) {
		drop_batch(importer);
		return false;
	}
	importer->counts.lines += totals.lines;
	importer->counts.lost += totals.lost;
	importer->counts.set_aside += totals.set_aside;
	importer->counts.too_old += importer->batch.too_old;
	importer->counts.too_new += importer->batch.too_new;
	importer->batch = (struct importer_counts){0};
	return true;
}

/* What the store knows of a file. Within a transaction nobody else changes it. False
   when the store fails. */
static bool find_position(struct importer *importer, const struct journal_file *file,
			  struct store_file *row_r, bool *replaced_r)
{
	struct journal_positions positions;

	if (!journal_positions_load(importer->store, &positions))
		return false;
	journal_position_find(&positions, file, row_r, replaced_r);
	journal_positions_free(&positions);
	return true;
}

/* Imports some lines of a file in one transaction. */
static enum batch_result import_batch(struct importer *importer, struct journal_file *file,
				      bool sealed)
{
	enum batch_result result = BATCH_FAILED;
	struct store_file row;
	uint64_t position, before;
	bool replaced;
	int error;

	if (!store_begin(importer->store))
		return BATCH_FAILED;
	if (!journal_file_look(file)) {
		result = BATCH_UNREADABLE;
		goto nothing;
	}
	if (!import_clock_read(&importer->clock, importer->store) ||
	    !find_position(importer, file, &row, &replaced))
		goto nothing;
	if (row.removed || file->status.st_nlink == 0 ||
	    (uint64_t)file->status.st_size <= row.position) {
		result = BATCH_SKIPPED;
		goto nothing;
	}
	if (row.id == 0 && !journal_position_refuse_foreign(importer->store, file))
		goto nothing;
	if (replaced)
		report(importer, file->name,
		       "it was replaced or cut short; it is read from its beginning");
	before = position = row.position;
	line_reader_begin(importer->reader, file->descriptor, position);
	result = read_batch(importer, file, sealed, &position);
	if (result == BATCH_FAILED || result == BATCH_UNREADABLE)
		goto nothing;
	if (position == before && row.id != 0 && !replaced) {
		result = BATCH_SKIPPED;
		goto nothing;
	}
	journal_position_set(&row, file, position, importer->clock.machine);
	if (!store_put_file(importer->store, &row)) {
		result = BATCH_FAILED;
		goto nothing;
	}
	return commit_batch(importer) ? result : BATCH_FAILED;
nothing:
	error = errno;
	drop_batch(importer);
	errno = error;
	return result;
}

static bool import_file(struct importer *importer, struct journal_file *file, bool sealed,
			struct importer_rest *rest)
{
	enum batch_result result;

	do
		result = import_batch(importer, file, sealed);
	while (result == BATCH_MORE && !*importer->stop);
	if (result == BATCH_UNREADABLE)
		problem(importer, rest, file->name, "cannot read");
	return result != BATCH_FAILED;
}

/* ---- renaming and removing ---- */

static void rotate(struct importer *importer, struct journal_file *file, uint64_t rotate_size,
		   struct importer_rest *rest)
{
	uint64_t size = (uint64_t)file->status.st_size;

	if (size == 0)
		return;
	if (file->ours) {
		if (size < rotate_size)
			return;
	} else {
		switch (journal_file_is_left(file)) {
		case JOURNAL_IN_USE:
			rest->in_use++;
			return;
		case JOURNAL_LEFT_SOON:
			rest->soon++;
			return;
		case JOURNAL_LEFT:
			break;
		}
	}
	if (journal_file_rotate(importer->policy->journal, file) < 0)
		problem(importer, rest, file->name, "cannot rename");
}

/* Removes a file if it still is the one that the store means. False with errno set. */
static bool remove_file(const char *directory, const struct store_file *row)
{
	struct journal_file file;
	int opened = journal_file_open(directory, row->name, &file);
	bool fine;

	if (opened <= 0)
		return opened == 0;
	fine = !journal_position_is_of(row, &file) || journal_file_remove(directory, &file);
	journal_file_close(&file);
	return fine;
}

/* Removes what the store says is imported, and forgets it; also what an importer
   that was killed has left. Copies are remembered, in case that they come again. */
static bool remove_files(struct importer *importer, struct importer_rest *rest)
{
	struct journal_positions positions;
	bool fine = true, begun = false;

	if (!journal_positions_load(importer->store, &positions))
		return false;
	for (size_t i = 0; fine && i < positions.count; i++) {
		const struct store_file *row = &positions.files[i];

		if (!row->removed)
			continue;
		if (!remove_file(importer->policy->journal, row)) {
			problem(importer, rest, row->name, "cannot remove");
			continue;
		}
		if (!journal_name_is_ours(row->name))
			continue;
		fine = begun || store_begin(importer->store);
		begun |= fine;
		fine = fine && store_drop_file(importer->store, row->id);
	}
	journal_positions_free(&positions);
	if (begun && fine)
		return store_commit(importer->store);
	if (begun)
		store_rollback(importer->store);
	return fine;
}

/* Notes that a file is done with, when all of it is imported. */
static bool mark_removed(struct importer *importer, struct journal_file *file)
{
	struct store_file row;
	bool replaced;

	if (!store_begin(importer->store))
		return false;
	if (!journal_file_look(file) || !find_position(importer, file, &row, &replaced)) {
		store_rollback(importer->store);
		return false;
	}
	if (row.removed || file->status.st_nlink == 0 ||
	    (uint64_t)file->status.st_size > row.position) {
		store_rollback(importer->store);
		return true;
	}
	/* Of an older copy, the longer one's position is kept. */
	journal_position_set(&row, file, row.position, importer->clock.machine);
	row.removed = true;
	if (store_put_file(importer->store, &row) && store_commit(importer->store))
		return true;
	store_rollback(importer->store);
	return false;
}

/* A renamed file: when nobody will append to it, imports the last of it. */
static bool finish_file(struct importer *importer, struct journal_file *file,
			struct importer_rest *rest)
{
	switch (journal_file_is_left(file)) {
	case JOURNAL_IN_USE:
		rest->in_use++;
		return true;
	case JOURNAL_LEFT_SOON:
		rest->soon++;
		return true;
	case JOURNAL_LEFT:
		break;
	}
	return import_file(importer, file, true, rest) &&
	       (*importer->stop || mark_removed(importer, file));
}

static bool visit_file(struct importer *importer, const char *name, uint64_t rotate_size,
		       struct importer_rest *rest)
{
	struct journal_file file;
	int opened = journal_file_open(importer->policy->journal, name, &file);
	bool fine;

	if (opened < 0)
		problem(importer, rest, name, "cannot open");
	if (opened <= 0)
		return true;
	if (!file.rotated)
		rotate(importer, &file, rotate_size, rest);
	fine = import_file(importer, &file, false, rest);
	if (fine && file.rotated && !*importer->stop)
		fine = finish_file(importer, &file, rest);
	journal_file_close(&file);
	return fine;
}

/* ---- the whole ---- */

static const char *find_whereabouts(void *context, const char *client)
{
	struct importer *importer = context;
	struct address address;

	address_parse(client, &address);
	return whereabouts_format(importer->policy, &address, importer->whereabouts);
}

/* Those of addresses that came when the networks were others. */
static bool note_whereabouts(struct importer *importer)
{
	return store_note_whereabouts(importer->store, whereabouts_definition(importer->policy),
				      find_whereabouts, importer);
}

/* That there was nothing to import is worth knowing, too. */
static bool note_import(struct importer *importer)
{
	int64_t now = importer->clock.machine;

	if (importer->noted != 0 && llabs(now - importer->noted) < NOTE_INTERVAL)
		return true;
	importer->noted = now;
	return store_begin(importer->store) && commit_batch(importer);
}

static bool pass(struct importer *importer, uint64_t rotate_size, struct importer_rest *rest_r)
{
	const char *directory = importer->policy->journal;
	struct journal_listing listing;
	struct journal_backlog backlog;
	bool fine;

	*rest_r = (struct importer_rest){0};
	importer->set_aside_failed = false;
	importer->telling_problems =
		!importer->following || importer->problems_told == 0 ||
		llabs(importer_now(importer) - importer->problems_told) >= TELL_INTERVAL;
	if (!import_clock_read(&importer->clock, importer->store) || !note_whereabouts(importer) ||
	    !remove_files(importer, rest_r) ||
	    !journal_backlog(directory, importer->store, &backlog))
		return false;
	progress_begin(&importer->progress, backlog.bytes);
	/* A server that records nothing by itself has logs alone. */
	if (!journal_list(directory, &listing) &&
	    (errno != ENOENT || importer->policy->log_count == 0)) {
		rest_r->problems++;
		rest_r->status = errno == EACCES ? EX_NOPERM : EX_NOINPUT;
		if (importer->telling_problems)
			fprintf(stderr, "%s: %s\n", directory, file_problem(errno));
	}
	fine = true;
	for (size_t i = 0; fine && i < listing.count && !*importer->stop; i++)
		fine = visit_file(importer, listing.names[i], rotate_size, rest_r);
	journal_listing_free(&listing);
	report_the_rest(importer);
	if ((rest_r->problems > 0 || importer->set_aside_failed) && importer->telling_problems)
		importer->problems_told = importer_now(importer);
	return fine && remove_files(importer, rest_r) && note_import(importer);
}

bool importer_pass(struct importer *importer, uint64_t rotate_size, struct importer_rest *rest_r)
{
	bool fine;
	int trials = 0;

	/* Of what was committed, the store knows the position. */
	do
		fine = pass(importer, rotate_size, rest_r);
	while (!fine && importer_failure(importer)->again && ++trials < TRIALS_MAX &&
	       !*importer->stop);
	return fine;
}

/* What takes its time is done every six hours, and what was found then is remembered. */
static bool expiry_is_due(struct importer *importer)
{
	int64_t now = importer_now(importer);

	if (importer->expired != 0 && llabs(now - importer->expired) < EXPIRE_INTERVAL)
		return false;
	importer->expired = now;
	return true;
}

static void expire_set_aside(const struct importer *importer, int64_t now)
{
	if (!set_aside_expire(importer->policy->journal,
			      now / 1000 - importer->policy->keep_addresses))
		fprintf(stderr, "%s: what was set aside cannot be erased: %s\n",
			importer->policy->journal, file_problem(errno));
}

/* False when the store fails. */
static bool find_held_back(struct importer *importer, const struct store_expiry *expiry)
{
	bool found;

	if (!store_has_expired(importer->store, expiry, importer_now(importer), &found))
		return false;
	importer->held_back = found ? importer->clock.newest.time : 0;
	return true;
}

bool importer_expire(struct importer *importer)
{
	const struct store_expiry expiry = {
		.keep_addresses = importer->policy->keep_addresses * 1000,
		.keep_sightings = importer->policy->keep_sightings * 1000,
	};
	const struct import_clock *clock = &importer->clock;
	bool due = expiry_is_due(importer);
	int64_t now;

	if (!import_clock_read(&importer->clock, importer->store) ||
	    (due && import_clock_is_sure(clock) &&
	     !store_correct_future(importer->store, clock->machine)))
		return false;
	now = clock->forced ? importer_now(importer) : import_clock_reference(clock);
	if (due)
		expire_set_aside(importer, now);
	return store_expire(importer->store, &expiry, now) &&
	       (!due || find_held_back(importer, &expiry));
}

int64_t importer_held_back(const struct importer *importer)
{
	return importer->held_back;
}
