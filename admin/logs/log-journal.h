#ifndef PORTCULLIS_LOG_JOURNAL_H
#define PORTCULLIS_LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/files/line-reader.h"

/* What mail servers wrote to systemd's journal, as lines of a log:

   2026-11-29T10:00:00.123456+00:00 mx1 dovecot[123]: imap-login: Login: ...

   Whoever else writes to the journal is passed over. */
struct log_journal;

/* This host's journal, of all namespaces, where the path is NULL; or a journal's file or
   directory. Begins with what came at that time, in milliseconds since 1970. NULL with errno set. */
struct log_journal *log_journal_open(const char *path, int64_t since);
void log_journal_free(struct log_journal *journal);

/* Goes on behind an entry; behind those that came before it, where there is none such any more.
   False with errno set. */
bool log_journal_seek(struct log_journal *journal, const char *cursor);

/* Whether it has this entry. What is read next is anywhere then. */
bool log_journal_has(struct log_journal *journal, const char *cursor);

/* Where the last line stands, for log_journal_seek(); NULL with errno set. The caller frees it
   with free(). */
char *log_journal_cursor(const struct log_journal *journal);

/* After the last line: looks whether there are more by now. */
void log_journal_look_again(struct log_journal *journal);

/* As line_reader_next(). LINE_ERROR: errno is set, and there is no use in going on. */
enum line_kind log_journal_next(struct log_journal *journal, const char **text_r, size_t *length_r);

#endif
