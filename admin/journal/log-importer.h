#ifndef PORTCULLIS_LOG_IMPORTER_H
#define PORTCULLIS_LOG_IMPORTER_H

#include "importer.h"
#include "policy/edition.h"

/* Takes the logins of mail logs into the store as sightings, each exactly once, whatever ends it
   in between, and whatever a rotation makes of the files: how far a log is read, and what joins
   its lines (log-joins.h), is committed together with what was read; a log is known by what is
   in it (log-file.h). What a server recorded by itself counts once, too (store-logs.h). Several
   may run at the same time.

   The half line at the end of a log is not read: the next pass takes it when it is whole. In a
   file that is packed, it counts if it tells all that matters but for its newline. Years
   of lines that have none are those of the line before, which are kept with the position. */
struct log_importer;

/* Of what was committed. */
struct log_importer_counts {
	uint64_t lines;
	uint64_t logins;
	uint64_t too_old; /* of them; as of struct importer_counts */
	uint64_t too_new;
	uint64_t unknown; /* lines that were not understood */
};

/* All are borrowed. */
struct log_importer *log_importer_create(struct store *store, const struct edition *edition,
					 const struct importer_options *options,
					 const volatile sig_atomic_t *stop);
void log_importer_free(struct log_importer *importer);

/* Imports all there is. logs: files, directories, "journal"; ends with NULL. rotated: what a
   rotation made of each file is read as well, and one that is missing for a moment is no
   problem. What is wrong with a file is said on standard error, and counted in *problems; in a
   service, once in a while. False when the store or its clock fails: see
   log_importer_failure(). */
bool log_importer_pass(struct log_importer *importer, char *const logs[], bool rotated,
		       size_t *problems);

const struct store_failure *log_importer_failure(const struct log_importer *importer);
const struct log_importer_counts *log_importer_counts(const struct log_importer *importer);

#endif
