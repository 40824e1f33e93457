#ifndef PORTCULLIS_LOG_JOINS_H
#define PORTCULLIS_LOG_JOINS_H

#include "admin/logs/log-reader.h"
#include "admin/store/store-logs.h"

/* What a reader of logs has to remember between lines, and keeps in the store, so that whoever
   goes on later reads on as if nothing had been between: Postfix's connections that have not
   ended, and what is known of its services. It is committed together with positions and
   sightings, whole: so the position can stand behind the last line, whatever is open, and
   no line is read twice. It holds names of users until their connection ends, six hours after its
   last line at the latest; what is kept is bounded by postfix-smtpd's tables. */

/* A reader that goes on where the store says. What did not fit in is to be asked for. NULL when
   the store fails. */
struct log_reader *log_joins_load(struct store *store, const struct log_reader_options *options,
				  struct store_log_state *state_r);

/* Within a transaction. state is changed, so that others know that it is another one; whoever
   rolls back must load again. False when the store fails. */
bool log_joins_save(struct store *store, struct log_reader *reader, struct store_log_state *state,
		    const char *default_domain);

#endif
