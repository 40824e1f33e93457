#ifndef PORTCULLIS_LOG_FILE_IMPORT_H
#define PORTCULLIS_LOG_FILE_IMPORT_H

#include "admin/terminal/progress.h"
#include "log-batch.h"
#include "log-file.h"
#include "log-order.h"
#include "log-place.h"

/* Imports what is new in a log's file, which was opened by that path and not read yet: in as
   many transactions as it needs, or until it is stopped. order: NULL where any will do. What is
   wrong with a broken one, log_file_problem() says. */
enum log_import_result log_file_import(struct log_batch *batch, struct log_file *file,
				       const char *path, const struct log_order *order,
				       struct progress *progress);

#endif
