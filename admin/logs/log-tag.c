#include "log-tag.h"

#include <glib.h>

/* In which a tag ends, and the name of the process behind Dovecot's. */
#define TAG_MAX 64

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* The length of a tag, without process and colon. */
static size_t tag_length(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && text[i] != '[' && text[i] != ':' && text[i] != ' ')
		i++;
	return i;
}

/* What stands behind a tag, its process and ": "; NULL when it is no such tag. */
static const char *behind_tag(const char *tag, size_t length)
{
	size_t i = tag_length(tag, length);

	if (i < length && tag[i] == '[') {
		for (i++; i < length && g_ascii_isdigit(tag[i]);)
			i++;
		if (i == length || tag[i++] != ']')
			return NULL;
	}
	return length - i > 2 && tag[i] == ':' && tag[i + 1] == ' ' ? tag + i + 2 : NULL;
}

/* Dovecot's messages, whatever it is called, begin with the process' name: "imap-login: ",
   "imap(alice)<1><...>: ". */
bool log_tag_is_of_login(struct log_slice message)
{
	size_t i = tag_length(message.text, MIN(message.length, TAG_MAX));

	return ends_with(message.text, i, "-login") || i == TAG_MAX ||
	       log_slice_begins(message, "message repeated ");
}

/* Whether one stands where the last line's did: behind the time, which is as long in all lines,
   and a host, which may have another length. */
static bool is_there(const struct log_tag *tag, const struct log_input_line *line)
{
	const char *host = line->text + tag->host, *text = line->text + tag->place;

	if (tag->place == 0 || line->length <= tag->place + TAG_MAX || text[-1] != ' ')
		return false;
	return host == text || (host[-1] == ' ' && text[-2] != ':' && text[-2] != ' ' &&
				memchr(host, ' ', (size_t)(text - 1 - host)) == NULL);
}

enum log_tag_answer log_tag_look(const struct log_tag *tag, const struct log_input_line *line)
{
	static const char postfix[] = "postfix", dovecot[] = "dovecot";
	const char *text = line->text + tag->place, *end = line->text + line->length, *message;
	size_t length;

	if (!is_there(tag, line))
		return LOG_TAG_MAY_MATTER;
	length = tag_length(text, TAG_MAX);
	if (ends_with(text, length, "smtpd") || ends_with(text, length, "-login"))
		return LOG_TAG_MAY_MATTER;
	message = behind_tag(text, (size_t)(end - text));
	if (message == NULL)
		return LOG_TAG_MAY_MATTER;
	if (memcmp(text, postfix, strlen(postfix)) == 0)
		return LOG_TAG_OF_MAIL_SERVER;
	if (log_tag_is_of_login((struct log_slice){message, (size_t)(end - message)}))
		return LOG_TAG_MAY_MATTER;
	return tag->of_dovecot || memcmp(text, dovecot, strlen(dovecot)) == 0
		       ? LOG_TAG_OF_MAIL_SERVER
		       : LOG_TAG_OF_OTHERS;
}

void log_tag_note(struct log_tag *tag, const struct log_input_line *input,
		  const struct log_line *line)
{
	const char *begin = input->text, *end = begin + input->length;
	const char *text = line->program.text;

	tag->of_dovecot =
		(text < begin || text >= end) && log_slice_equals(line->program, "dovecot");
	if (tag->of_dovecot)
		text = line->message.text;
	log_tag_forget(tag);
	if (text <= begin || text >= end)
		return;
	tag->host = (size_t)(text - begin);
	if (line->host.length > 0) {
		/* Right before it, or something else is between the two. */
		if (line->host.text + line->host.length + 1 != text || line->host.text <= begin)
			return;
		tag->host = (size_t)(line->host.text - begin);
	}
	tag->place = (size_t)(text - begin);
}
