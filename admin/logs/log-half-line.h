#ifndef PORTCULLIS_LOG_HALF_LINE_H
#define PORTCULLIS_LOG_HALF_LINE_H

#include "log-input.h"
#include "log-prefix.h"

/* A file may end within a line: what is missing may be the rest of a name, or that there was TLS. */

/* Whether a message of Dovecot's is one "..., session=<...>". */
bool log_message_ends_with_session(struct log_slice message);

/* Whether a line that is not whole shows that all is there that matters. goes_on: messages of this
   log go on behind the session's id. */
bool log_half_line_is_enough(const struct log_input_line *input, const struct log_line *line,
			     bool goes_on);

#endif
