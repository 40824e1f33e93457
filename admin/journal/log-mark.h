#ifndef PORTCULLIS_LOG_MARK_H
#define PORTCULLIS_LOG_MARK_H

#include <stddef.h>

#include "admin/store/store-logs.h"

/* What a log is known by: hashes of what it begins with, and of the end of the last line before
   a position. Whoever writes into a log cannot make one that is taken for another. */

/* The first 64, 128, ... LOG_MARK_HEAD bytes of a log are hashed: a young one is short. */
#define LOG_MARK_HEAD_MIN 64
#define LOG_MARK_HEAD (LOG_MARK_HEAD_MIN << (STORE_LOG_HEADS - 1))
/* And so many at a line's end. */
#define LOG_MARK_TAIL 256

/* Of what a log begins with. 0: it is shorter. */
void log_mark_heads(const char *text, size_t length, uint64_t heads_r[static STORE_LOG_HEADS]);

/* How many of the hashes that both have agree; 0: it is another log. */
size_t log_mark_agreement(const uint64_t heads[static STORE_LOG_HEADS],
			  const uint64_t others[static STORE_LOG_HEADS]);

/* Of a line without its newline. Never 0. */
uint64_t log_mark_line(const char *text, size_t length);
/* Of the last line before a position: of the text that stands there, of which LOG_MARK_TAIL + 2
   bytes are enough. */
uint64_t log_mark_last_line(const char *text, size_t length);

#endif
