#ifndef PORTCULLIS_IMPORTER_H
#define PORTCULLIS_IMPORTER_H

#include <signal.h>

#include "admin/store/store.h"

/* Takes the journal's lines into the store, each exactly once: how far a file is read
   is committed together with what was read. Several may run at the same time. */
struct importer;

/* Of what was committed, since importer_create(). */
struct importer_counts {
	uint64_t lines;
	uint64_t lost;      /* that the writers could not write */
	uint64_t set_aside; /* that could not be understood */
	uint64_t too_old;   /* older than keep-sightings or than Portcullis, so not kept */
	uint64_t too_new;   /* more than a day in the future, taken as of now */
};

/* Within which a server whose file was taken writes what it has only counted. */
#define IMPORTER_COUNTED_MILLISECONDS 3000

/* What is left to do after a pass. */
struct importer_rest {
	size_t soon;     /* files that can be removed within JOURNAL_QUIET_SECONDS */
	size_t in_use;   /* files that were renamed or copied, and may still grow */
	size_t problems; /* files that could not be read, renamed or removed */
	int status;      /* of sysexits.h, for the last of them */
};

struct importer_options {
	int64_t at;  /* what ages are judged by, in milliseconds since 1970; 0: the clock */
	bool forced; /* at, or the clock, is right, whatever the store says */
	/* It goes on for long, so trouble with files is told every ten minutes only. */
	bool following;
};

/* Borrows store, policy and stop. What is in hand is finished when *stop is set. */
struct importer *importer_create(struct store *store, const struct policy *policy,
				 const struct importer_options *options,
				 const volatile sig_atomic_t *stop);
void importer_free(struct importer *importer);

/* Imports all there is, renames the files of our writers that have at least so many bytes
   (0: all with a line; UINT64_MAX: none), and removes renamed files that are done with.
   Shows how far it is, on a terminal, until importer_free() or importer_end_progress().
   What is wrong with a file is said on standard error. False when the store fails, when a
   line could not be set aside, or when, unless forced, the clock is more than a day behind
   what the store knows; nothing is lost then. */
bool importer_pass(struct importer *importer, uint64_t rotate_size, struct importer_rest *rest_r);

/* Erases what is older than the configuration wants it kept: by the clock or, unless forced,
   two days after the newest line that can be relied on, whichever is earlier, since a clock
   that has jumped ahead would erase everything. What is dated ahead of a clock that is sure
   is taken as of now. False when the store fails. */
bool importer_expire(struct importer *importer);

/* Why a function returned false. Without a text, it was said already. */
const struct store_failure *importer_failure(const struct importer *importer);

/* The time of that line, if the last importer_expire() left something for its sake;
   otherwise 0. In milliseconds since 1970. */
int64_t importer_held_back(const struct importer *importer);

/* So that something else can be said. */
void importer_end_progress(struct importer *importer);

const struct importer_counts *importer_counts(const struct importer *importer);

/* Milliseconds since 1970. */
int64_t importer_now(const struct importer *importer);

#endif
