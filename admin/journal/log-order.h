#ifndef PORTCULLIS_LOG_ORDER_H
#define PORTCULLIS_LOG_ORDER_H

#include "admin/logs/log-input.h"
#include "log-file.h"

/* Which files of logs are read, and which comes next. Lines of a connection are joined in their
   order, so of one log no file is read on before what is older: also when a rotation comes
   between two of them, and when a syslog daemon goes on with the renamed one for a while. */
struct log_order;

struct log_order *log_order_create(void);
void log_order_free(struct log_order *order);

/* What is to be read, as of log_importer_pass(); borrowed. */
void log_order_set(struct log_order *order, char *const logs[], bool rotated);

/* The files that are there by now. problem: told of what is missing; NULL: nobody is. */
struct log_input *log_order_files(const struct log_order *order,
				  void (*problem)(void *context, const char *text), void *context);

/* A file was read to its end, or cannot be read, as it was then. */
void log_order_note(struct log_order *order, const char *path, const struct stat *status,
		    bool packed);
bool log_order_is_read(const struct log_order *order, const char *path, const struct stat *status);

/* Whether all that is older of the same log is read by now. Asked after a file was read, it is
   so of what was written before. */
bool log_order_is_kept(const struct log_order *order, const struct log_file *file,
		       const char *path);

/* Whether each of the files that are there by now was seen, which may have grown since. */
bool log_order_knows_all(const struct log_order *order);

#endif
