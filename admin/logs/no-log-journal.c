/* In the place of log-journal.c where there is no systemd: no journal can be opened. */

#include "log-journal.h"

#include <errno.h>

struct log_journal *log_journal_open(const char *path, int64_t since)
{
	(void)path, (void)since;
	errno = ENOSYS;
	return NULL;
}

void log_journal_free(struct log_journal *log)
{
	(void)log;
}

bool log_journal_seek(struct log_journal *log, const char *cursor)
{
	(void)log, (void)cursor;
	return false;
}

bool log_journal_has(struct log_journal *log, const char *cursor)
{
	(void)log, (void)cursor;
	return false;
}

char *log_journal_cursor(const struct log_journal *log)
{
	(void)log;
	return NULL;
}

void log_journal_look_again(struct log_journal *log)
{
	(void)log;
}

enum line_kind log_journal_next(struct log_journal *log, const char **text_r, size_t *length_r)
{
	(void)log, (void)text_r, (void)length_r;
	return LINE_NONE;
}
