#ifndef PORTCULLIS_NOTIFY_RUN_H
#define PORTCULLIS_NOTIFY_RUN_H

#include "admin/delivery/address-map.h"
#include "admin/delivery/notice-transport.h"
#include "admin/terminal/progress.h"
#include "admin/wording/notice-mail.h"
#include "notice-people.h"

/* One run of portcullis notify. First all people are planned for, then those who
   are due are written to, the most pressing first. Each is planned for once more
   just before, so that nobody is told what an import has overtaken. */

enum notify_stop {
	NOTIFY_DONE,
	NOTIFY_MAX_PER_RUN,
	NOTIFY_MAX_PER_HOUR,
	NOTIFY_QUIET_HOURS,
	NOTIFY_UNAVAILABLE, /* the transport, or the address map */
	NOTIFY_INTERRUPTED,
	NOTIFY_STORE_FAILED
};

struct notify_counts {
	uint64_t due;                       /* when the run began */
	uint64_t told[NOTICE_REASON_COUNT]; /* handed over */
	uint64_t refused;                   /* for good */
	uint64_t later;                     /* to be tried again */
	uint64_t without_address;
	uint64_t overtaken; /* due when the run began, and no more */
	/* People who break a rule in its notify or enforce phase, and those of them
	   who were ever told; before the run. */
	uint64_t open, open_told;
	uint64_t open_by_rule[RULES_MAX];
};

/* What went wrong with one person, for the operator. */
struct notify_trouble {
	char *user;
	char *text;
};

#define NOTIFY_TROUBLES_MAX 50

struct notify_run {
	/* Of the caller: */
	const struct policy *policy;
	struct store *reader;
	struct store *writer; /* NULL: nothing is recorded */
	struct notice_people *people;
	struct notice_composer *composer;
	struct address_map *addresses;
	struct notice_transport *transport;
	const char *to; /* all mails go there; NULL: to the people */
	time_t begin;   /* of the clock of the run */
	time_t started; /* by the clock of the machine, which cannot be set */

	/* Results: */
	enum notify_stop stop;
	int store_status; /* of sysexits.h, with NOTIFY_STORE_FAILED */
	struct notify_counts counts;
	uint64_t tried;   /* mails */
	GArray *troubles; /* of struct notify_trouble; the first ones */
	char *error;      /* why the run ended early; NULL: nothing is wrong */
	GArray *entries;  /* see notify-run.c */
	GStringChunk *names;
	struct progress progress;
};

/* The fields of the caller are set. */
void notify_run_init(struct notify_run *run);
void notify_run_clear(struct notify_run *run);

time_t notify_run_now(const struct notify_run *run);

/* Plans for all. False when the store fails. */
bool notify_run_plan(struct notify_run *run);

/* Goes through those who are due, in their order, as the plan is now. For tables. */
struct notify_due {
	const char *user;
	const char *address; /* NULL: there is none; or, when run->error is set, it is not known */
	enum notice_reason reason;
	uint64_t rules;
	time_t first_date; /* SCHEDULE_NEVER: none */
};
typedef void notify_visit_due(void *context, const struct notify_due *due);
void notify_run_each_due(struct notify_run *run, notify_visit_due *visit, void *context);

/* Writes to them. What came of it stands in the run. */
void notify_run_send(struct notify_run *run);

/* Hands a mail to the operator over; says on standard error what is wrong. */
bool notify_run_tell_operator(struct notify_run *run, const char *subject, const char *text);

/* The finished mail to a candidate, or NULL with *error_r set. The caller frees it. */
char *notify_compose(struct notice_composer *composer, const struct notice_candidate *candidate,
		     const char *recipient, const char *message_id, time_t now, size_t *length_r,
		     const char **error_r);

#endif
