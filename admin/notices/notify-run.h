#ifndef PORTCULLIS_NOTIFY_RUN_H
#define PORTCULLIS_NOTIFY_RUN_H

#include "admin/delivery/notice-transport.h"
#include "candidate-mail.h"
#include "due-list.h"
#include "run-clock.h"

/* One run of portcullis notify: writes to those who are due. Each is planned for once
   more just before, so that nobody is told what an import has overtaken. */

/* What a run works with; everything is borrowed. */
struct notify_setup {
	const struct policy *policy;
	struct store *reader;
	struct store *writer; /* NULL: nothing is recorded */
	struct notice_people *people;
	struct notice_composer *composer;
	struct address_map *addresses;
	struct notice_transport *transport;
	const char *to; /* mails go there; NULL: to the people */
	bool samples;   /* one mail for each reason */
	struct run_clock clock;
};

enum notify_stop {
	NOTIFY_DONE,
	NOTIFY_MAX_PER_RUN,
	NOTIFY_MAX_PER_HOUR,
	NOTIFY_QUIET_HOURS,
	NOTIFY_UNAVAILABLE, /* the transport, or the address map */
	NOTIFY_INTERRUPTED,
	NOTIFY_STORE_FAILED
};

/* What went wrong with one person, for the operator. */
struct notify_trouble {
	char *user;
	char *text;
};

#define NOTIFY_TROUBLES_MAX 50

struct notify_results {
	struct due_counts before; /* the run */
	enum notify_stop stop;
	int store_status; /* of sysexits.h, with NOTIFY_STORE_FAILED */
	char *error;      /* why the run ended early, in words; NULL: nothing is wrong */
	/* Mails: */
	uint64_t tried;
	uint64_t told[NOTICE_REASON_COUNT]; /* handed over */
	uint64_t refused;                   /* for good */
	uint64_t later;                     /* to be tried again */
	/* People: */
	uint64_t without_address;
	uint64_t outside;     /* of the domains that are written to */
	uint64_t unreachable; /* of both, who was never told, and is not among before.untold */
	uint64_t not_sampled; /* there was a mail for that reason */
	uint64_t overtaken;   /* due before the run, and no more */
	GArray *troubles;     /* of struct notify_trouble; the first NOTIFY_TROUBLES_MAX */
};

/* Writes to those on the list, until all are told or something stops it: a limit of the
   policy, a signal (see stop-signal.h), or a failure. The results are to be cleared. */
void notify_run(const struct notify_setup *setup, const struct due_list *list,
		struct notify_results *results_r);

/* An exit status for a store that fails: EX_TEMPFAIL is that another run is under way, which
   timers take for no fault. */
int notify_store_status(const struct store_failure *failure);

void notify_results_clear(struct notify_results *results);

#endif
