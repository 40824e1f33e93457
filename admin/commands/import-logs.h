#ifndef PORTCULLIS_IMPORT_LOGS_H
#define PORTCULLIS_IMPORT_LOGS_H

#include "admin/journal/log-importer.h"
#include "admin/questions/loaded-policy.h"

/* What import makes of mail logs. */

/* One pass over the logs that a configuration names. Adds to *problems. False when the store
   fails: see log_importer_failure(). */
bool import_logs_pass(struct log_importer *importer, const struct policy *policy, size_t *problems);

/* import --log: what stands on the command line, once; ends with NULL. Returns an exit status. */
int import_logs_once(struct store *store, const struct loaded_policy *loaded,
		     const struct importer_options *options, char *const logs[], bool quiet);

#endif
