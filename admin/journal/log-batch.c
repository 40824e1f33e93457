#include "log-batch.h"

#include "log-joins.h"

/* Others wait for a transaction to end. */
#define LINES_MAX 50000
#define MICROSECONDS_MAX 1000000

/* How long SQLite sleeps before who waits looks again. */
#define TURN_MICROSECONDS 100000

void log_batch_init(struct log_batch *batch, struct store *store, const struct edition *edition,
		    const struct importer_options *options, const volatile sig_atomic_t *stop)
{
	*batch = (struct log_batch){
		.store = store,
		.edition = edition,
		.stop = stop,
		.clock = {.at = options->at, .forced = options->forced},
	};
	batch->recorder = log_recorder_create(store, edition, &batch->clock, &batch->tally);
}

void log_batch_clear(struct log_batch *batch)
{
	log_reader_free(batch->reader);
	log_recorder_free(batch->recorder);
}

/* ---- logins ---- */

uint64_t log_batch_logins(const struct log_batch *batch)
{
	return log_recorder_counts(batch->recorder)->logins;
}

bool log_batch_add_logins(struct log_batch *batch, enum store_witness witness)
{
	struct log_login login;

	while (log_reader_give(batch->reader, &login)) {
		if (!log_recorder_add(batch->recorder, &login, witness))
			return false;
	}
	return true;
}

bool log_batch_take(struct log_batch *batch, const struct log_input_line *line,
		    enum store_witness witness, bool *is_end_r)
{
	*is_end_r = log_reader_take(batch->reader, line);
	batch->lines++;
	return log_batch_add_logins(batch, witness);
}

/* ---- what is known beforehand ---- */

static bool take_service(void *context, const struct store_log_service *service)
{
	struct log_batch *batch = context;

	postfix_smtpd_add_service(log_reader_smtpd(batch->reader), service);
	return store_put_log_service(batch->store, service);
}

bool log_batch_take_lore(struct log_batch *batch, const struct log_lore *lore)
{
	return log_lore_each_service(lore, take_service, batch);
}

/* ---- transactions ---- */

static bool is_full(const struct log_batch *batch)
{
	return batch->lines >= LINES_MAX ||
	       g_get_monotonic_time() - batch->begun >= MICROSECONDS_MAX;
}

bool log_batch_ends(const struct log_batch *batch)
{
	return *batch->stop || is_full(batch);
}

/* The reader stays as long as nobody else changes what the store keeps of it. A login that did
   not fit in is a file's, as most are: that matters only where both logs are read. */
static bool load_joins(struct log_batch *batch)
{
	static const struct log_reader_options options;
	struct store_log_state state;

	if (!store_log_state(batch->store, &state))
		return false;
	if (batch->reader != NULL && batch->state.change == state.change)
		return true;
	log_reader_free(batch->reader);
	batch->reader = log_joins_load(batch->store, &options, &batch->state);
	return batch->reader != NULL && log_batch_add_logins(batch, WITNESS_FILE);
}

bool log_batch_begin(struct log_batch *batch)
{
	if (batch->was_full)
		g_usleep(TURN_MICROSECONDS);
	batch->was_full = false;
	if (!store_begin(batch->store))
		return false;
	batch->lines = 0;
	batch->begun = g_get_monotonic_time();
	log_recorder_begin(batch->recorder);
	if (!import_clock_read(&batch->clock, batch->store) || !load_joins(batch)) {
		log_batch_drop(batch);
		return false;
	}
	batch->unknown = log_reader_counts(batch->reader)->unknown;
	return true;
}

/* What was read is of no use any more. */
void log_batch_drop(struct log_batch *batch)
{
	store_rollback(batch->store);
	batch->tally = (struct import_tally){0};
	g_clear_pointer(&batch->reader, log_reader_free);
}

static void note_commit(struct log_batch *batch)
{
	const struct log_recorder_counts *recorded = log_recorder_counts(batch->recorder);

	batch->counts.lines += batch->lines;
	batch->counts.unknown += log_reader_counts(batch->reader)->unknown - batch->unknown;
	batch->counts.logins += recorded->logins;
	batch->counts.too_old += recorded->too_old;
	batch->counts.too_new += recorded->too_new;
	batch->was_full = is_full(batch);
}

bool log_batch_commit(struct log_batch *batch)
{
	if (!log_recorder_finish(batch->recorder) ||
	    !log_joins_save(batch->store, batch->reader, &batch->state,
			    batch->edition->policy->default_domain) ||
	    !import_tally_store(&batch->tally, batch->store, batch->clock.machine) ||
	    !store_confirm_newest(batch->store) || !store_commit(batch->store)) {
		log_batch_drop(batch);
		return false;
	}
	note_commit(batch);
	return true;
}
