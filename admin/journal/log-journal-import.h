#ifndef PORTCULLIS_LOG_JOURNAL_IMPORT_H
#define PORTCULLIS_LOG_JOURNAL_IMPORT_H

#include "log-batch.h"

/* Imports what mail servers write to systemd's journal of this host. How far it is read, its
   cursor in the store says. */
struct log_journal_import;

struct log_journal_import *log_journal_import_create(void);
void log_journal_import_free(struct log_journal_import *import);

/* All there is, or until it is stopped. *known_r: something of it was read, now or before. Of what
   is broken, errno says why. */
enum log_import_result log_journal_import_pass(struct log_journal_import *import,
					       struct log_batch *batch, bool *known_r);

#endif
