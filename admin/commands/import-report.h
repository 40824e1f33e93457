#ifndef PORTCULLIS_IMPORT_REPORT_H
#define PORTCULLIS_IMPORT_REPORT_H

#include <stdio.h>

#include "admin/journal/importer.h"
#include "admin/journal/log-importer.h"

/* What the operator reads of an import. */

/* What was imported, on standard output. */
void import_report_records(const struct importer_counts *counts);
void import_report_logs(const struct log_importer_counts *counts);

/* What the configuration promises those who are recorded is not done: newest, the time of the
   last record to rely on. */
void import_report_held_back(FILE *file, int64_t newest);

/* Says why the store fails, and returns the exit status. */
int import_report_failure(const struct store_failure *failure);
int import_failure_status(const struct store_failure *failure);

#endif
