#ifndef PORTCULLIS_LOG_TAG_H
#define PORTCULLIS_LOG_TAG_H

#include "log-input.h"
#include "log-prefix.h"

/* Most lines of a log are of programs that tell nothing of logins. A look at the program's name
   shows it, which stands where the last line's did: no more of such a line need be read. */
struct log_tag {
	size_t place;    /* in the last line; 0: not in the line itself */
	size_t host;     /* where the host before it stood; the place itself: there was none */
	bool of_dovecot; /* it was Dovecot's own file: tags are its processes' */
};

enum log_tag_answer {
	LOG_TAG_MAY_MATTER,
	LOG_TAG_OF_MAIL_SERVER, /* of another process of Dovecot's or Postfix's */
	LOG_TAG_OF_OTHERS
};

enum log_tag_answer log_tag_look(const struct log_tag *tag, const struct log_input_line *line);

/* line: what the input was found to be. */
void log_tag_note(struct log_tag *tag, const struct log_input_line *input,
		  const struct log_line *line);

/* The next line may be of another kind. */
static inline void log_tag_forget(struct log_tag *tag)
{
	tag->place = 0;
}

/* Whether a message may be one of a login process of Dovecot's, whatever that is called. */
bool log_tag_is_of_login(struct log_slice message);

#endif
