#include "log-prefix.h"

#include <glib.h>
#include <time.h>

#include "log-record.h"

/* More prefixes, colours and spaces than this are none of anybody's making. */
#define LAYERS_MAX 12

/* Words between a time stamp and the program's name: a host, and what some put there. */
#define WORDS_MAX 3

/* Of facilities and levels, RFC 5424. */
#define PRIORITY_MAX 191

/* Until the year 9999. */
#define MICROSECONDS_MAX (UINT64_C(253402300799) * 1000000)

struct log_prefix {
	struct log_record *record;
	bool decoded; /* the line is the record's: there is one buffer */
};

struct log_prefix *log_prefix_create(void)
{
	struct log_prefix *prefix = g_new(struct log_prefix, 1);

	/* Names of zones are this host's. */
	tzset();
	prefix->record = log_record_create();
	return prefix;
}

void log_prefix_free(struct log_prefix *prefix)
{
	if (prefix == NULL)
		return;
	log_record_free(prefix->record);
	g_free(prefix);
}

void log_prefix_clear(struct log_prefix *prefix)
{
	log_record_clear(prefix->record);
}

/* ---- words ---- */

static bool is_empty(struct log_slice slice)
{
	return slice.length == 0;
}

static struct log_slice skip_spaces(struct log_slice text)
{
	size_t count = 0;

	while (count < text.length && text.text[count] == ' ')
		count++;
	return log_slice_behind(text, count);
}

/* Up to the next space; *rest_r is what is behind all spaces. */
static struct log_slice first_word(struct log_slice text, struct log_slice *rest_r)
{
	const char *space = is_empty(text) ? NULL : memchr(text.text, ' ', text.length);
	struct log_slice word = text;

	if (space != NULL)
		word.length = (size_t)(space - text.text);
	*rest_r = skip_spaces(log_slice_behind(text, word.length));
	return word;
}

/* Whether it is a number, all of it. */
static bool read_number(struct log_slice text, uint64_t maximum, uint64_t *number_r)
{
	*number_r = 0;
	/* What 64 bits hold. */
	if (is_empty(text) || text.length > 19)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (!g_ascii_isdigit(text.text[i]))
			return false;
		*number_r = *number_r * 10 + (uint64_t)(text.text[i] - '0');
	}
	return *number_r <= maximum;
}

static uint32_t read_process(struct log_slice text)
{
	uint64_t process;

	return read_number(text, UINT32_MAX, &process) ? (uint32_t)process : 0;
}

/* ---- program and message ---- */

/* "postfix/smtpd[123]:" */
static void set_program(struct log_line *line, struct log_slice tag)
{
	struct log_slice name = {tag.text, tag.length - 1};
	const char *bracket;

	line->program = name;
	line->process = 0;
	if (!log_slice_ends(name, "]"))
		return;
	bracket = memchr(name.text, '[', name.length);
	if (bracket == NULL)
		return;
	line->program.length = (size_t)(bracket - name.text);
	name = log_slice_behind(name, line->program.length + 1);
	name.length--;
	line->process = read_process(name);
}

/* "imap-login:" */
static bool is_login_service(struct log_slice tag)
{
	if (!log_slice_ends(tag, "-login:"))
		return false;
	for (size_t i = 0; i < tag.length - 1; i++) {
		if (!g_ascii_isalnum(tag.text[i]) && tag.text[i] != '-' && tag.text[i] != '_')
			return false;
	}
	return true;
}

static bool is_level(struct log_slice word)
{
	return log_slice_equals(word, "Info:") || log_slice_equals(word, "Warning:") ||
	       log_slice_equals(word, "Error:") || log_slice_equals(word, "Debug:") ||
	       log_slice_equals(word, "Fatal:") || log_slice_equals(word, "Panic:");
}

static bool is_tag(struct log_slice word)
{
	return word.length >= 2 && word.text[word.length - 1] == ':';
}

/* What a tag that a text begins with is the tag of. */
static void read_tag(struct log_slice text, struct log_slice tag, struct log_slice behind,
		     struct log_line *line)
{
	struct log_slice further;

	/* As Dovecot writes files itself: the tag is one of its services. */
	if (is_login_service(tag) || is_level(first_word(behind, &further))) {
		line->program = log_slice("dovecot");
		line->process = 0;
		line->message = text;
	} else {
		set_program(line, tag);
		line->message = behind;
	}
}

/* "message repeated 2 times: [ imap-login: ...]", as rsyslog and Debian's old syslogd have it. */
static void read_repetition(struct log_line *line)
{
	struct log_slice rest, word, number;
	uint64_t count;

	if (!log_slice_begins(line->message, "message repeated ") ||
	    !log_slice_ends(line->message, "]"))
		return;
	rest = log_slice_behind(line->message, strlen("message repeated "));
	number = first_word(rest, &rest);
	word = first_word(rest, &rest);
	if (!read_number(number, UINT32_MAX, &count) || count == 0 ||
	    !log_slice_equals(word, "times:") || !log_slice_begins(rest, "[ "))
		return;
	line->message = log_slice_behind(rest, 2);
	line->message.length--;
	line->count = (uint32_t)count;
}

/* "[ID 197553 mail.info] ", as Solaris writes it before the message. */
static void skip_message_id(struct log_line *line)
{
	const char *end;

	if (!log_slice_begins(line->message, "[ID "))
		return;
	end = memchr(line->message.text, ']', line->message.length);
	if (end != NULL)
		first_word(log_slice_behind(line->message, (size_t)(end + 1 - line->message.text)),
			   &line->message);
}

/* ---- one prefix ---- */

/* The time is that of who knew it best, and of these, of the first: he was this host. */
static bool read_time(struct log_line *line)
{
	struct log_time time;
	size_t length = log_time_read(line->message, &time);

	if (length == 0)
		return false;
	if (time.kind > line->time.kind)
		line->time = time;
	line->message = skip_spaces(log_slice_behind(line->message, length));
	return true;
}

static bool is_dated(struct log_slice text)
{
	struct log_time ignored;

	return log_time_read(text, &ignored) > 0;
}

/* Containers' logs in Kubernetes and Podman have "stdout F ": a stream, and whether the line
   is whole. */
static bool skip_stream(struct log_line *line)
{
	struct log_slice rest;

	if (!log_slice_begins(line->message, "stdout ") &&
	    !log_slice_begins(line->message, "stderr "))
		return false;
	first_word(line->message, &rest);
	first_word(rest, &line->message);
	return true;
}

/* "host postfix/smtpd[123]: message", or less. Some write "mail.info" or "<mail.info>" before
   the program. Another prefix may follow the host. */
static void read_origin(struct log_line *line)
{
	struct log_slice rest = line->message, host = log_slice("");

	if (skip_stream(line))
		return;
	for (int i = 0; i < WORDS_MAX && !is_dated(rest); i++) {
		struct log_slice behind, word = first_word(rest, &behind);

		if (is_tag(word)) {
			read_tag(rest, word, behind, line);
			break;
		}
		if (is_empty(host) && !log_slice_begins(word, "<"))
			host = word;
		if (i == 0 || is_dated(behind))
			line->message = behind;
		rest = behind;
	}
	if (!is_empty(host))
		line->host = host;
}

/* RFC 5424 behind its "<22>1 ": time, host, program, process, message id, data. */
static bool read_new_syslog(struct log_line *line)
{
	struct log_slice rest = line->message, words[4];
	struct log_line read = *line;

	if (log_slice_begins(rest, "- "))
		rest = log_slice_behind(rest, 2);
	else if (!read_time(&read))
		return false;
	else
		rest = read.message;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		words[i] = first_word(rest, &rest);
	if (!log_slice_equals(words[0], "-"))
		read.host = words[0];
	if (!log_slice_equals(words[1], "-"))
		read.program = words[1];
	read.process = read_process(words[2]);
	if (log_slice_begins(rest, "[")) {
		/* A "]" in a value is written as "\]". */
		size_t i = 1;

		while (i < rest.length && (rest.text[i] != ']' || rest.text[i - 1] == '\\' ||
					   (i + 1 < rest.length && rest.text[i + 1] != ' ')))
			i++;
		rest = log_slice_behind(rest, MIN(i + 1, rest.length));
		first_word(rest, &read.message);
	} else {
		first_word(rest, &rest);
		read.message = rest;
	}
	if (log_slice_begins(read.message, "\357\273\277"))
		read.message = log_slice_behind(read.message, 3);
	*line = read;
	return true;
}

/* "<22>" */
static bool read_priority(struct log_line *line)
{
	const char *end = memchr(line->message.text, '>', MIN(line->message.length, 5));
	struct log_slice number;
	uint64_t priority;

	if (end == NULL)
		return false;
	number = (struct log_slice){line->message.text + 1, (size_t)(end - line->message.text - 1)};
	if (!read_number(number, PRIORITY_MAX, &priority))
		return false;
	line->message = log_slice_behind(line->message, number.length + 2);
	return true;
}

static void skip(struct log_line *line, size_t count)
{
	line->message = log_slice_behind(line->message, count);
}

/* "\033[36m", which a terminal would show as a colour. */
static bool skip_colour(struct log_line *line)
{
	const char *end;

	if (!log_slice_begins(line->message, "\033["))
		return false;
	end = memchr(line->message.text, 'm', MIN(line->message.length, 16));
	if (end == NULL)
		return false;
	skip(line, (size_t)(end + 1 - line->message.text));
	return true;
}

/* "dovecot-1  | ", as `docker compose logs` puts it before each line. */
static bool skip_service(struct log_line *line)
{
	struct log_line behind = *line;

	first_word(line->message, &behind.message);
	skip_colour(&behind);
	if (!log_slice_begins(behind.message, "|"))
		return false;
	line->message = log_slice_behind(behind.message, 1);
	return true;
}

static void take_record(struct log_record *record, struct log_line *line)
{
	struct log_slice moment = log_record_get(record, LOG_FIELD_MICROSECONDS);
	struct log_slice process = log_record_get(record, LOG_FIELD_PROCESS);
	uint64_t microseconds;
	struct log_time time;

	line->message = log_record_get(record, LOG_FIELD_MESSAGE);
	while (log_slice_ends(line->message, "\n"))
		line->message.length--;
	line->host = log_record_get(record, LOG_FIELD_HOST);
	line->program = log_record_get(record, LOG_FIELD_PROGRAM);
	if (is_empty(line->program))
		line->program = log_record_get(record, LOG_FIELD_COMMAND);
	if (is_empty(process))
		process = log_record_get(record, LOG_FIELD_SENDER);
	line->process = read_process(process);
	if (read_number(moment, MICROSECONDS_MAX, &microseconds))
		line->time = (struct log_time){
			.kind = LOG_TIME_UTC,
			.utc = (int64_t)(microseconds / 1000),
		};
	else if (log_time_read(log_record_get(record, LOG_FIELD_TIME), &time) > 0)
		line->time = time;
}

/* One prefix, if there is another one. */
static bool read_layer(struct log_prefix *prefix, struct log_line *line)
{
	if (is_empty(line->message))
		return false;
	switch (line->message.text[0]) {
	case '\033':
		return skip_colour(line);
	case '\036': /* of JSON sequences */
	case ' ':
		skip(line, 1);
		return true;
	case '\357': /* of the mark that some files begin with */
		if (!log_slice_begins(line->message, "\357\273\277"))
			return false;
		skip(line, 3);
		return true;
	case '{':
		if (prefix->decoded || !log_record_json(prefix->record, line->message))
			return false;
		prefix->decoded = true;
		take_record(prefix->record, line);
		return true;
	case '<':
		if (!read_priority(line))
			return false;
		if (log_slice_begins(line->message, "1 ")) {
			struct log_line behind = *line;

			skip(&behind, 2);
			if (read_new_syslog(&behind))
				*line = behind;
		}
		return true;
	}
	if (!read_time(line))
		return line->time.kind == LOG_TIME_NONE && skip_service(line);
	read_origin(line);
	return true;
}

/* A message that says itself whose it is. */
static bool read_service(struct log_line *line)
{
	struct log_slice rest;

	if (!is_login_service(first_word(line->message, &rest)))
		return false;
	if (!log_slice_equals(line->program, "dovecot"))
		line->program = log_slice("dovecot");
	return true;
}

enum log_line_kind log_prefix_read(struct log_prefix *prefix, const char *text, size_t length,
				   bool is_cut, struct log_line *line_r)
{
	struct log_slice line = {text, length};
	enum log_record_state state = log_record_line(prefix->record, line, is_cut);

	*line_r = (struct log_line){
		.host = log_slice(""),
		.program = log_slice(""),
		.message = line,
		.count = 1,
	};
	if (state == LOG_RECORD_BEGUN)
		return LOG_LINE_PART;
	prefix->decoded = state == LOG_RECORD_WHOLE;
	if (prefix->decoded)
		take_record(prefix->record, line_r);
	else if (log_slice_ends(line, "\r"))
		line_r->message.length--;
	for (int i = 0; i < LAYERS_MAX && read_layer(prefix, line_r); i++)
		;
	skip_message_id(line_r);
	read_repetition(line_r);
	return read_service(line_r) || line_r->time.kind != LOG_TIME_NONE ? LOG_LINE_READ
									  : LOG_LINE_UNKNOWN;
}
