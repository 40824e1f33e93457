#include "log-reader.h"

#include <string.h>
#include <time.h>

#include "admin/terminal/terminal-text.h"
#include "dovecot-login.h"
#include "log-first-look.h"
#include "log-half-line.h"
#include "log-prefix.h"
#include "log-tag.h"

#define PROGRESS_LINES 4096

#define HOST_SIZE 256

struct log_reader {
	struct log_input *input;
	struct log_reader_options options;
	struct log_prefix *prefix;
	struct log_years years;
	struct postfix_smtpd *smtpd;
	bool smtpd_may_have; /* logins that were not taken yet */
	bool ended;
	unsigned int file; /* of the last line */
	struct log_tag tag;
	bool goes_on; /* some line of Dovecot's does behind the session's id */
	struct dovecot_login dovecot;
	bool is_part;   /* the last line taken is one of a record that is not complete */
	bool has_taken; /* a login of it was not given yet: */
	struct log_login taken;
	char host[HOST_SIZE]; /* of the login that was given out */
	struct log_reader_counts counts;
	struct log_examples examples;
	GHashTable *beginnings; /* names of files, by the hash of their first lines, an int64_t */
};

struct log_reader *log_reader_create(struct log_input *input,
				     const struct log_reader_options *options)
{
	struct log_reader *reader = g_new0(struct log_reader, 1);

	reader->input = input;
	reader->options = *options;
	reader->prefix = log_prefix_create();
	reader->smtpd = postfix_smtpd_create(options->port_25_name);
	log_examples_init(&reader->examples);
	reader->beginnings = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return reader;
}

void log_reader_free(struct log_reader *reader)
{
	if (reader == NULL)
		return;
	log_prefix_free(reader->prefix);
	postfix_smtpd_free(reader->smtpd);
	log_examples_clear(&reader->examples);
	g_hash_table_unref(reader->beginnings);
	g_free(reader);
}

const struct log_reader_counts *log_reader_counts(const struct log_reader *reader)
{
	return &reader->counts;
}

const struct log_examples *log_reader_examples(const struct log_reader *reader)
{
	return &reader->examples;
}

/* ---- files ---- */

static void warn_of_copy(const struct log_reader *reader, const char *name, const char *other)
{
	GString *text = g_string_new(NULL);

	terminal_text_append(text, name, SIZE_MAX);
	g_string_append(text, ": begins with the same lines as ");
	terminal_text_append(text, other, SIZE_MAX);
	g_string_append(text, "; what is in both counts twice");
	reader->options.warning(reader->options.context, text->str);
	g_string_free(text, TRUE);
}

/* Files whose first lines are the same ones are copies, or one is the other's begin. */
static void compare_beginning(struct log_reader *reader, const char *name, uint64_t beginning)
{
	const int64_t key = (int64_t)beginning;
	const char *other = g_hash_table_lookup(reader->beginnings, &key);

	if (other == NULL)
		g_hash_table_insert(reader->beginnings, g_memdup2(&key, sizeof(key)),
				    g_strdup(name));
	else if (reader->options.warning != NULL)
		warn_of_copy(reader, name, other);
}

static void begin_years(struct log_reader *reader, const struct log_input_line *line)
{
	const int64_t now = time(NULL);

	/* A pipe was written just now; nothing was later. */
	log_years_begin(&reader->years, (line->written > 0 ? MIN(line->written, now) : now) * 1000);
}

struct log_years log_reader_look(struct log_reader *reader, const struct log_input_line *line,
				 struct log_input *again)
{
	uint64_t beginning;

	begin_years(reader, line);
	if (again != NULL && log_first_look(&reader->years, reader->prefix, again, &beginning))
		compare_beginning(reader, line->name, beginning);
	log_years_rewind(&reader->years);
	return reader->years;
}

void log_reader_begin(struct log_reader *reader, const struct log_input_line *line,
		      const struct log_years *years)
{
	reader->file = line->file;
	log_tag_forget(&reader->tag);
	log_prefix_clear(reader->prefix);
	reader->years = *years;
}

static void begin_file(struct log_reader *reader, const struct log_input_line *line)
{
	struct log_input *again = log_input_again(reader->input);
	const struct log_years years = log_reader_look(reader, line, again);

	log_reader_begin(reader, line, &years);
	log_input_free(again);
}

/* ---- lines ---- */

static void add_unknown(struct log_reader *reader, const char *text, size_t length)
{
	reader->counts.unknown++;
	log_examples_add(&reader->examples, text, length);
}

static void set_host(struct log_reader *reader, struct log_slice host)
{
	size_t length = MIN(host.length, HOST_SIZE - 1);

	memcpy(reader->host, host.text, length);
	reader->host[length] = '\0';
}

static bool read_dovecot(struct log_reader *reader, const struct log_line *line,
			 struct log_login *login_r)
{
	struct dovecot_login *dovecot = &reader->dovecot;
	enum dovecot_answer answer;

	dovecot->session = LOG_SESSION_NONE;
	answer = dovecot_login_read(line->message, dovecot);
	if (answer == DOVECOT_UNKNOWN) {
		add_unknown(reader, line->message.text, line->message.length);
		return false;
	}
	reader->counts.understood++;
	if (answer == DOVECOT_NO_COMMON_TLS)
		reader->counts.no_common_tls += line->count;
	if (answer != DOVECOT_LOGIN)
		return false;
	reader->goes_on |= !log_message_ends_with_session(line->message);
	set_host(reader, line->host);
	*login_r = dovecot->login;
	login_r->host = reader->host;
	login_r->time = log_years_complete(&reader->years, &line->time, dovecot->session);
	login_r->count = (uint32_t)MIN((uint64_t)login_r->count * line->count, UINT32_MAX);
	return true;
}

static void read_smtpd(struct log_reader *reader, const struct log_line *line)
{
	const struct smtpd_line smtpd = {
		.time = log_years_complete(&reader->years, &line->time, LOG_SESSION_NONE),
		.host = line->host,
		.program = line->program,
		/* Any bytes will do that are another process' for another process. */
		.process = {(const char *)&line->process, sizeof(line->process)},
		.message = line->message,
		.count = line->count};

	enum smtpd_answer answer = postfix_smtpd_read(reader->smtpd, &smtpd);

	reader->smtpd_may_have = true;
	if (answer == SMTPD_UNKNOWN) {
		add_unknown(reader, line->message.text, line->message.length);
		return;
	}
	reader->counts.understood++;
	if (answer == SMTPD_NO_COMMON_TLS)
		reader->counts.no_common_tls += line->count;
}

/* Whether it gave a login. */
static bool read_message(struct log_reader *reader, const struct log_line *line,
			 struct log_login *login_r)
{
	if (log_slice_equals(line->program, "dovecot"))
		return read_dovecot(reader, line, login_r);
	if (postfix_smtpd_is(line->program))
		read_smtpd(reader, line);
	else if (log_slice_begins(line->program, "postfix"))
		reader->counts.understood++;
	else
		reader->counts.others++;
	return false;
}

/* Whether the line needs no more reading than this. */
static bool pass_over(struct log_reader *reader, const struct log_input_line *input)
{
	switch (log_tag_look(&reader->tag, input)) {
	case LOG_TAG_OF_MAIL_SERVER:
		reader->counts.understood++;
		return true;
	case LOG_TAG_OF_OTHERS:
		reader->counts.others++;
		return true;
	case LOG_TAG_MAY_MATTER:
		break;
	}
	return false;
}

/* Takes the line's prefix off it. Whether there is a message to read. */
static bool read_prefix(struct log_reader *reader, const struct log_input_line *input,
			struct log_line *line)
{
	switch (log_prefix_read(reader->prefix, input->text, input->length, !input->whole, line)) {
	case LOG_LINE_READ:
		break;
	case LOG_LINE_PART:
		/* The next lines are fields, whatever they look like. */
		log_tag_forget(&reader->tag);
		reader->is_part = true;
		return false;
	case LOG_LINE_UNKNOWN:
		if (input->length > 0)
			add_unknown(reader, input->text, input->length);
		return false;
	}
	log_tag_note(&reader->tag, input, line);
	if (input->whole || log_half_line_is_enough(input, line, reader->goes_on))
		return true;
	add_unknown(reader, input->text, input->length);
	return false;
}

/* Likewise. */
static bool read_line(struct log_reader *reader, const struct log_input_line *input,
		      struct log_login *login_r)
{
	struct log_line line;

	reader->is_part = false;
	if (input->file != reader->file)
		begin_file(reader, input);
	if (++reader->counts.lines % PROGRESS_LINES == 0 && reader->options.progress != NULL)
		reader->options.progress(reader->options.context);
	return !pass_over(reader, input) && read_prefix(reader, input, &line) &&
	       read_message(reader, &line, login_r);
}

/* ---- logins ---- */

static bool next_of_smtpd(struct log_reader *reader, struct log_login *login_r)
{
	reader->smtpd_may_have =
		reader->smtpd_may_have && postfix_smtpd_next(reader->smtpd, login_r);
	return reader->smtpd_may_have;
}

static bool next_of_line(struct log_reader *reader, struct log_login *login_r)
{
	struct log_input_line line;

	switch (log_input_next(reader->input, &line)) {
	case LOG_INPUT_LINE:
		return read_line(reader, &line, login_r);
	case LOG_INPUT_PROBLEM:
		if (reader->options.problem != NULL)
			reader->options.problem(reader->options.context,
						log_input_problem(reader->input));
		return false;
	case LOG_INPUT_END:
		break;
	}
	postfix_smtpd_end(reader->smtpd);
	reader->smtpd_may_have = reader->ended = true;
	return false;
}

/* Whether anything tells when it was; otherwise it is counted. */
static bool is_dated(struct log_reader *reader, const struct log_login *login)
{
	if (login->time > 0)
		return true;
	reader->counts.undated += login->count;
	return false;
}

bool log_reader_next(struct log_reader *reader, struct log_login *login_r)
{
	for (;;) {
		bool found = next_of_smtpd(reader, login_r);

		if (!found && reader->ended)
			return false;
		if (!found)
			found = next_of_line(reader, login_r);
		if (found && is_dated(reader, login_r))
			return true;
	}
}

/* ---- for who gives it lines himself ---- */

void log_reader_resume(struct log_reader *reader, const struct log_input_line *line,
		       const struct log_years_place *place)
{
	begin_years(reader, line);
	log_years_resume(&reader->years, place);
	log_reader_begin(reader, line, &reader->years);
}

bool log_reader_take(struct log_reader *reader, const struct log_input_line *line)
{
	reader->has_taken = read_line(reader, line, &reader->taken);
	return !reader->is_part;
}

bool log_reader_give(struct log_reader *reader, struct log_login *login_r)
{
	for (;;) {
		if (reader->has_taken)
			*login_r = reader->taken;
		else if (!next_of_smtpd(reader, login_r))
			return false;
		reader->has_taken = false;
		if (is_dated(reader, login_r))
			return true;
	}
}

struct log_years_place log_reader_place(const struct log_reader *reader)
{
	return log_years_place(&reader->years);
}

struct postfix_smtpd *log_reader_smtpd(struct log_reader *reader)
{
	return reader->smtpd;
}

void log_reader_smtpd_may_have(struct log_reader *reader)
{
	reader->smtpd_may_have = true;
}
