#ifndef PORTCULLIS_SET_ASIDE_H
#define PORTCULLIS_SET_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of the journal that could not be understood, kept beside it for whoever
   wants to know: DIRECTORY/set-aside, and DIRECTORY/set-aside.old when that grew
   larger than SET_ASIDE_SIZE_MAX. Each line follows one that says when it was put
   there, where it stood and what is wrong:

   # 2024-09-20T08:15:02Z dovecot.jsonl at 4711: it is not JSON

   Nothing reads them back. Several processes may do all of this at a time: each holds
   the lock of the directory meanwhile. Functions return false with errno set, of which
   file_problem() of admin/files/file-open.h says what it means. */
#define SET_ASIDE_SIZE_MAX ((size_t)1 << 20)

/* Long lines are cut. now: seconds since 1970. file is printable: see
   journal_file_text(). */
bool set_aside(const char *directory, int64_t now, const char *file, uint64_t offset,
	       const char *reason, const char *line, size_t length);

/* Takes out what was put there before a time. */
bool set_aside_expire(const char *directory, int64_t before);

/* Takes out the lines that name a user; *found_r says whether there were any. */
bool set_aside_forget(const char *directory, const char *user, bool *found_r);

#endif
