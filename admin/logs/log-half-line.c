#define _GNU_SOURCE /* memmem(), memrchr() */
#include "log-half-line.h"

#include "admin/files/line-reader.h"

#include "log-tag.h"
#include "postfix-smtpd.h"

bool log_message_ends_with_session(struct log_slice message)
{
	static const char name[] = "session=";
	const char *begin = memrchr(message.text, '<', message.length);

	return begin != NULL && log_slice_ends(message, ">") &&
	       log_slice_ends((struct log_slice){message.text, (size_t)(begin - message.text)},
			      name);
}

bool log_half_line_is_enough(const struct log_input_line *input, const struct log_line *line,
			     bool goes_on)
{
	/* It was longer. */
	if (input->length >= LINE_LENGTH_MAX)
		return false;
	/* A JSON object that is closed. */
	if (*input->text == '{')
		return true;
	if (log_slice_equals(line->program, "dovecot"))
		return !log_tag_is_of_login(line->message) ||
		       (!goes_on && log_message_ends_with_session(line->message));
	return !postfix_smtpd_is(line->program) ||
	       (log_slice_begins(line->message, "disconnect from ") &&
		memmem(line->message.text, line->message.length,
		       " commands=", strlen(" commands=")) != NULL);
}
