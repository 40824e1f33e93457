#ifndef PORTCULLIS_LOG_RECORD_H
#define PORTCULLIS_LOG_RECORD_H

#include "log-slice.h"

/* Lines of a log that come with fields around them: a JSON object each, as Docker and
   `journalctl -o json` write them, or the several lines of `journalctl -o export`. */
struct log_record;

enum log_field {
	LOG_FIELD_MESSAGE,
	LOG_FIELD_TIME,         /* a time stamp */
	LOG_FIELD_MICROSECONDS, /* since 1970 */
	LOG_FIELD_HOST,
	LOG_FIELD_PROGRAM,
	LOG_FIELD_COMMAND, /* the program, by the file that it was run from */
	LOG_FIELD_PROCESS,
	LOG_FIELD_SENDER, /* the process, as the kernel knows it */
	LOG_FIELD_COUNT
};

struct log_record *log_record_create(void);
void log_record_free(struct log_record *record);

/* Another file begins. */
void log_record_clear(struct log_record *record);

/* Reads a JSON object; false when it is none, or holds no message. */
bool log_record_json(struct log_record *record, struct log_slice line);

enum log_record_state {
	LOG_RECORD_NONE, /* the line is of no such record */
	LOG_RECORD_BEGUN,
	LOG_RECORD_WHOLE, /* with this line it is complete, and holds a message */
};

/* The next line of a file that may be what `journalctl -o export` writes; an empty one ends
   each record. is_cut: the line was longer, which loses the record. */
enum log_record_state log_record_line(struct log_record *record, struct log_slice line,
				      bool is_cut);

/* What the record says, "" nothing; long ones are cut. It lives until the next line. */
struct log_slice log_record_get(const struct log_record *record, enum log_field field);

#endif
