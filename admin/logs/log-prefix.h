#ifndef PORTCULLIS_LOG_PREFIX_H
#define PORTCULLIS_LOG_PREFIX_H

#include "log-time.h"

/* Takes lines of a log apart: what is before the message, and the message. One that came
   through several hands (Docker, the journal, another syslog) may have several prefixes. */
struct log_prefix;

/* Slices are of the line that was read, or of what it was decoded to, and live until the next
   one is read. They are a stranger's. */
struct log_line {
	struct log_time time;
	struct log_slice host;    /* "" not told */
	struct log_slice program; /* "postfix/smtpd"; "dovecot", whatever the log calls it, for
				     messages that begin with a login service's name; "" not told */
	uint32_t process;         /* 0 not told */
	/* Of Dovecot, "imap-login: Login: ..." or, as it writes files itself, "imap-login: Info:
	   Login: ...". */
	struct log_slice message;
	uint32_t count; /* how often it came, which syslog counts; at least 1 */
};

enum log_line_kind {
	LOG_LINE_READ,
	LOG_LINE_PART,    /* of a record of several lines, which the last one will give */
	LOG_LINE_UNKNOWN, /* it has no prefix that is known */
};

struct log_prefix *log_prefix_create(void);
void log_prefix_free(struct log_prefix *prefix);

/* Another file begins. */
void log_prefix_clear(struct log_prefix *prefix);

/* Reads a line without its newline. is_cut: it was longer. */
enum log_line_kind log_prefix_read(struct log_prefix *prefix, const char *text, size_t length,
				   bool is_cut, struct log_line *line_r);

#endif
