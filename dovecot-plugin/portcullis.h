#ifndef PORTCULLIS_PORTCULLIS_H
#define PORTCULLIS_PORTCULLIS_H

#include "policy/decision-log.h"
#include "policy/journal.h"
#include "policy/keeper.h"
#include "policy/last-valid.h"

/* One portcullis.conf in force, with its journal. Gates that name the same file
   share it. */
struct portcullis {
	struct portcullis *next;
	char *path;

	struct messages *messages;
	struct keeper *keeper;
	struct journal *journal;
	struct decision_log *decisions;
	struct timeout *telling;       /* what of them was counted */
	struct message_writer *writer; /* NULL: not started */
	bool started;
};

/* Reads the configuration, while still root. NULL with *error_r in the data
   stack when neither it nor its last valid copy can be used, or memory is short.
   Lives until
   portcullis_close_all(). */
struct portcullis *portcullis_open(const char *path, const char **error_r);

/* Starts the threads, in the process that decides. */
void portcullis_start(struct portcullis *portcullis);

void portcullis_close_all(void);

/* All of them, for what no gate was asked about. */
extern struct portcullis *portcullis_list;

#endif
