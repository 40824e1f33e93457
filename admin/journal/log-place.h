#ifndef PORTCULLIS_LOG_PLACE_H
#define PORTCULLIS_LOG_PLACE_H

#include "log-file.h"

/* How far a log is read. It is known by what it begins with, unpacked (log-mark.h): neither a
   rotation's other name, nor a copy, nor packing makes another log of it; what was truncated, or
   begins anew, is another one. Two that begin with the same bytes are told apart by the end of
   the last line before the position, too. What is shorter than LOG_MARK_HEAD_MIN bytes has no
   login, and is not begun. Where the very file has another end than what was read, since the
   machine lost power, it is read on from that end; from the position, if more was written to it
   since. */

/* What the store knows of it; a new one, with id 0, where it knows nothing. Nothing is to be
   read where *done_r is true: the file is too short yet, is as it was when all was read, or is
   a copy that ends before the position. False with errno set: see log_file_problem(). name: as
   of struct store_log; strings of row_r are name, and static. */
bool log_place_find(struct log_file *file, struct store *store, const char *name,
		    struct store_log *row_r, bool *done_r);

/* Of one that it does not know: fails where another host has read it, as
   store_refuse_foreign_log(). */
bool log_place_refuse_foreign(struct log_file *file, struct store *store);

/* Whether the store still knows the same of it as when log_place_find() asked, or
   log_place_put(): so nobody else has read of it since. 1, 0, or -1 when the store fails. */
int log_place_is_current(const struct log_file *file, struct store *store);
/* As store_put_log(). */
bool log_place_put(struct log_file *file, struct store *store, struct store_log *row);

#endif
