#ifndef PORTCULLIS_LOG_LORE_H
#define PORTCULLIS_LOG_LORE_H

#include <signal.h>

#include "admin/logs/log-reader.h"

/* What is known of a log before its first login is imported, because it was read through once
   before: its years, and which services of Postfix's have a name that is that of several ports.
   What the last line shows of them is true of the first one, too; whether TLS is logged is not:
   it may be so since yesterday. Of a log that goes on, the store knows it already. */
struct log_lore;

/* name: as of log_input_add(). What cannot be read tells nothing. Takes as long as to read the
   log; ends early when *stop is set, and must not be used then. */
struct log_lore *log_lore_create(const char *name, const volatile sig_atomic_t *stop);
void log_lore_free(struct log_lore *lore);

const struct log_years *log_lore_years(const struct log_lore *lore);

/* False when a visit returned false. */
bool log_lore_each_service(const struct log_lore *lore, store_visit_log_service *visit,
			   void *context);

#endif
