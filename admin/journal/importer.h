#ifndef PORTCULLIS_IMPORTER_H
#define PORTCULLIS_IMPORTER_H

#include <signal.h>

#include "admin/terminal/progress.h"
#include "import-tally.h"
#include "journal-position.h"
#include "line-reader.h"

/* Takes the journal's lines into the store, each exactly once: how far a file is
   read is committed together with what was read. Several may run at the same
   time. Its members are the importer's; what was counted may be read. */
struct importer {
	struct store *store;
	const struct policy *policy;
	int64_t at; /* what counts as now, in milliseconds; 0: the clock */
	const volatile sig_atomic_t *stop;
	bool following; /* trouble with files is told every ten minutes only */
	struct progress progress;

	/* Since importer_create(); of what was committed. */
	uint64_t lines;
	uint64_t lost;      /* that the writers could not write */
	uint64_t set_aside; /* that could not be understood */
	uint64_t too_old;   /* older than keep-sightings, so not kept */
	uint64_t too_new;   /* more than a day in the future, taken as of now */

	struct line_reader *reader;
	struct import_tally tally;
	struct importer_batch {
		uint64_t too_old, too_new;
	} batch;
	unsigned int reports;
	int64_t problems_told; /* when */
	bool telling_problems;
	bool set_aside_failed;
	int64_t noted;   /* when the last import was noted in the store */
	int64_t expired; /* when old lines that were set aside were erased */
};

/* What is left to do after a pass. */
struct importer_rest {
	size_t soon;     /* files that can be removed within JOURNAL_QUIET_SECONDS */
	size_t in_use;   /* files that were renamed or copied, and may still grow */
	size_t problems; /* files that could not be read, renamed or removed */
	int status;      /* of sysexits.h, for the last of them */
};

/* NULL when out of memory. Borrows all. */
struct importer *importer_create(struct store *store, const struct policy *policy, int64_t at,
				 const volatile sig_atomic_t *stop);
void importer_free(struct importer *importer);

/* Imports all there is, renames the files of our writers that have at least so
   many bytes (0: all with a line; UINT64_MAX: none), and removes renamed files
   that are done with. What is wrong with a file is said on standard error. False
   when the store fails; nothing is lost then. */
bool importer_pass(struct importer *importer, uint64_t rotate_size, struct importer_rest *rest_r);

/* Erases what is older than the configuration wants it kept. */
bool importer_expire(struct importer *importer);

int64_t importer_now(const struct importer *importer);

#endif
