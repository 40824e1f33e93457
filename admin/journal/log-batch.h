#ifndef PORTCULLIS_LOG_BATCH_H
#define PORTCULLIS_LOG_BATCH_H

#include <signal.h>

#include "admin/logs/log-reader.h"
#include "import-clock.h"
#include "import-tally.h"
#include "log-importer.h"
#include "log-lore.h"
#include "log-recorder.h"

/* What one transaction takes of mail logs into the store, and what is remembered from one to
   the next. */
struct log_batch {
	/* Borrowed. */
	struct store *store;
	const struct edition *edition;
	const volatile sig_atomic_t *stop;

	struct import_clock clock;
	struct log_importer_counts counts; /* of what was committed */

	/* Of the transaction. Of several logs, Postfix's connections have one table. */
	struct log_reader *reader;
	uint64_t lines;

	/* Those of log-batch.c. */
	struct store_log_state state;
	struct log_recorder *recorder;
	struct import_tally tally;
	uint64_t unknown; /* of the reader, before */
	int64_t begun;    /* by a monotonic clock, in microseconds */
	bool was_full;    /* the last one */
};

/* How a part of a log, or all there is of it, was imported. */
enum log_import_result {
	LOG_IMPORT_MORE, /* there is more of it */
	LOG_IMPORT_DONE,
	LOG_IMPORT_CHANGED, /* somebody else read it, or truncated it: to be tried again */
	LOG_IMPORT_EARLY,   /* what is older is to be read before */
	LOG_IMPORT_BROKEN,  /* it cannot be read */
	LOG_IMPORT_FAILED   /* the store fails, or its clock */
};

void log_batch_init(struct log_batch *batch, struct store *store, const struct edition *edition,
		    const struct importer_options *options, const volatile sig_atomic_t *stop);
void log_batch_clear(struct log_batch *batch);

/* Nobody else changes the store until it is committed or dropped. False, with nothing begun, when
   the store or its clock fails; commit: with all dropped. Behind one that was full, others have
   their turn. */
bool log_batch_begin(struct log_batch *batch);
bool log_batch_commit(struct log_batch *batch);
void log_batch_drop(struct log_batch *batch);

/* Whether it is to be committed, because it is full, or all is to be stopped. */
bool log_batch_ends(const struct log_batch *batch);

/* What is known beforehand. False when the store fails, as below. */
bool log_batch_take_lore(struct log_batch *batch, const struct log_lore *lore);
/* Takes a line, and adds the logins that are known by it. *is_end_r as log_reader_take(). */
bool log_batch_take(struct log_batch *batch, const struct log_input_line *line,
		    enum store_witness witness, bool *is_end_r);
/* Adds the logins that are known by now. */
bool log_batch_add_logins(struct log_batch *batch, enum store_witness witness);

/* How many of them were added. */
uint64_t log_batch_logins(const struct log_batch *batch);

#endif
