#ifndef PORTCULLIS_LOG_RECORDER_H
#define PORTCULLIS_LOG_RECORDER_H

#include "admin/logs/log-login.h"
#include "admin/store/store-logs.h"
#include "policy/edition.h"

#include "import-clock.h"
#include "import-tally.h"

/* Takes the logins of logs into the store as sightings, between store_begin() and
   store_commit(). */
struct log_recorder;

struct log_recorder_counts {
	uint64_t logins;
	uint64_t too_old; /* of them; as of struct importer_counts */
	uint64_t too_new;
};

/* All are borrowed. */
struct log_recorder *log_recorder_create(struct store *store, const struct edition *edition,
					 const struct import_clock *clock,
					 struct import_tally *tally);
void log_recorder_free(struct log_recorder *recorder);

/* Others may have changed what it remembers of the store. */
void log_recorder_begin(struct log_recorder *recorder);

/* False when the store fails, as below. */
bool log_recorder_add(struct log_recorder *recorder, const struct log_login *login,
		      enum store_witness witness);

/* Before the commit. */
bool log_recorder_finish(struct log_recorder *recorder);

/* Since log_recorder_begin(). */
const struct log_recorder_counts *log_recorder_counts(const struct log_recorder *recorder);

#endif
