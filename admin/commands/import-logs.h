#ifndef PORTCULLIS_IMPORT_LOGS_H
#define PORTCULLIS_IMPORT_LOGS_H

#include "admin/journal/log-importer.h"
#include "admin/questions/loaded-policy.h"

/* What import makes of mail logs. */

/* Prints what was imported. */
void import_logs_print(const struct log_importer_counts *counts);

/* import --log: what stands on the command line, once; ends with NULL. Returns an exit status. */
int import_logs_once(struct store *store, const struct loaded_policy *loaded,
		     const struct importer_options *options, char *const logs[], bool quiet);

#endif
