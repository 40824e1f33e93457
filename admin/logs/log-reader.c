#define _GNU_SOURCE /* memmem(), memrchr() */
#include "log-reader.h"

#include <string.h>
#include <time.h>

#include "admin/files/line-reader.h"
#include "admin/terminal/terminal-text.h"
#include "policy/fnv.h"

#include "dovecot-login.h"
#include "log-prefix.h"

#define PROGRESS_LINES 4096

/* A file is looked through for its years; in most, the first login tells them. Of one in which
   no line does so, these are looked at, and then one of so many: that is enough for their
   order. */
#define LOOKED_LINES 10000
#define LOOKED_STEP 64

/* To unpack a file twice takes long. One that holds no more than so many milliseconds, if it goes
   on as its first part does, is surely of less than a year. */
#define SHORT_SPAN (INT64_C(122) * 24 * 3600 * 1000)
#define FIRST_PART 16
#define FIRST_PART_MIN ((uint64_t)512 << 10)

/* Files whose first lines are the same ones, so many, are copies, or one is the other's begin. */
#define COMPARED_LINES 16

#define HOST_SIZE 256

/* In which a tag ends, and the name of the process behind Dovecot's. */
#define TAG_MAX 64

struct log_reader {
	struct log_input *input;
	struct log_reader_options options;
	struct log_prefix *prefix;
	struct log_years years;
	struct postfix_smtpd *smtpd;
	bool smtpd_may_have; /* logins that were not taken yet */
	bool ended;
	unsigned int file; /* of the last line */
	size_t tag;        /* where the last line's stood; 0: not in the line itself */
	size_t tag_host;   /* where the host before it did; the tag itself: there was none */
	bool of_dovecot;   /* it was Dovecot's own file: tags are its processes' */
	bool has_more;     /* some line of Dovecot's goes on behind the session's id */
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

static bool look_at_line(struct log_reader *reader, const struct log_input_line *input)
{
	struct dovecot_login login = {.session = LOG_SESSION_NONE};
	struct log_line line;

	if (log_prefix_read(reader->prefix, input->text, input->length, !input->whole, &line) !=
	    LOG_LINE_READ)
		return false;
	if (log_slice_equals(line.program, "dovecot") &&
	    dovecot_login_read(line.message, &login) != DOVECOT_LOGIN)
		login.session = LOG_SESSION_NONE;
	return log_years_look(&reader->years, &line.time, login.session);
}

/* length: of what was read of it. */
static bool is_of_less_than_a_year(const struct log_reader *reader, const struct log_input *input,
				   uint64_t length)
{
	int64_t span = log_years_span(&reader->years);
	uint64_t done, total;

	log_input_progress(input, &done, &total);
	/* What is not packed is soon read. */
	return length > done && done >= MAX(total / FIRST_PART, FIRST_PART_MIN) && span >= 0 &&
	       (double)span * (double)total / (double)done < SHORT_SPAN;
}

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

static void compare_beginning(struct log_reader *reader, const char *name, uint64_t hash)
{
	const int64_t key = (int64_t)hash;
	const char *other = g_hash_table_lookup(reader->beginnings, &key);

	if (other == NULL)
		g_hash_table_insert(reader->beginnings, g_memdup2(&key, sizeof(key)),
				    g_strdup(name));
	else if (reader->options.warning != NULL)
		warn_of_copy(reader, name, other);
}

/* Looks through a file for what tells its years, and whether it is a copy. */
static void look_through(struct log_reader *reader, struct log_input *input, const char *name)
{
	struct log_input_line line;
	uint64_t length = 0, hash = FNV_START, i = 0;
	bool told = false;

	log_prefix_clear(reader->prefix);
	for (; (!told || i < COMPARED_LINES) && log_input_next(input, &line) == LOG_INPUT_LINE;
	     i++) {
		length += line.length + 1;
		if (i < COMPARED_LINES)
			hash = fnv_hash(hash, line.text, line.length);
		if (!told && (i < LOOKED_LINES || i % LOOKED_STEP == 0))
			told = look_at_line(reader, &line) ||
			       is_of_less_than_a_year(reader, input, length);
	}
	if (i > 0)
		compare_beginning(reader, name, hash);
	log_prefix_clear(reader->prefix);
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
	begin_years(reader, line);
	if (again != NULL)
		look_through(reader, again, line->name);
	log_years_rewind(&reader->years);
	return reader->years;
}

void log_reader_begin(struct log_reader *reader, const struct log_input_line *line,
		      const struct log_years *years)
{
	reader->file = line->file;
	reader->tag = 0;
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

/* ---- lines that cannot matter ---- */

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
static bool may_matter(const char *message, size_t length)
{
	static const char repeated[] = "message repeated ";
	size_t i = tag_length(message, MIN(length, TAG_MAX));

	return ends_with(message, i, "-login") || i == TAG_MAX ||
	       (length > strlen(repeated) && memcmp(message, repeated, strlen(repeated)) == 0);
}

/* Whether the tag stands where the last line's did: behind the time, which is as long in all
   lines, and a host, which may have another length. */
static bool tag_is_there(const struct log_reader *reader, const struct log_input_line *line)
{
	const char *host = line->text + reader->tag_host, *tag = line->text + reader->tag;

	if (reader->tag == 0 || line->length <= reader->tag + TAG_MAX || tag[-1] != ' ')
		return false;
	return host == tag || (host[-1] == ' ' && tag[-2] != ':' && tag[-2] != ' ' &&
			       memchr(host, ' ', (size_t)(tag - 1 - host)) == NULL);
}

/* Whether a line is to be looked at no further: most are of other programs. */
static bool is_passed_over(struct log_reader *reader, const struct log_input_line *line)
{
	static const char postfix[] = "postfix", dovecot[] = "dovecot";
	const char *tag = line->text + reader->tag, *end = line->text + line->length, *message;
	size_t length;
	bool known;

	if (!tag_is_there(reader, line))
		return false;
	length = tag_length(tag, TAG_MAX);
	if (ends_with(tag, length, "smtpd") || ends_with(tag, length, "-login"))
		return false;
	message = behind_tag(tag, (size_t)(end - tag));
	if (message == NULL)
		return false;
	known = memcmp(tag, postfix, strlen(postfix)) == 0;
	if (!known && may_matter(message, (size_t)(end - message)))
		return false;
	if (known || reader->of_dovecot || memcmp(tag, dovecot, strlen(dovecot)) == 0)
		reader->counts.understood++;
	else
		reader->counts.others++;
	return true;
}

static void note_tag(struct log_reader *reader, const struct log_input_line *input,
		     const struct log_line *line)
{
	const char *begin = input->text, *end = begin + input->length;
	const char *tag = line->program.text;

	reader->of_dovecot =
		(tag < begin || tag >= end) && log_slice_equals(line->program, "dovecot");
	if (reader->of_dovecot)
		tag = line->message.text;
	if (tag <= begin || tag >= end) {
		reader->tag = 0;
		return;
	}
	reader->tag = (size_t)(tag - begin);
	reader->tag_host = reader->tag;
	if (line->host.length == 0)
		return;
	/* Right before it, or something else is between the two. */
	if (line->host.text + line->host.length + 1 == tag && line->host.text > begin)
		reader->tag_host = (size_t)(line->host.text - begin);
	else
		reader->tag = 0;
}

/* ---- the line that a file ends with ---- */

/* "..., session=<...>" */
static bool ends_with_session(struct log_slice message)
{
	static const char name[] = "session=";
	const char *begin = memrchr(message.text, '<', message.length);

	return begin != NULL && log_slice_ends(message, ">") &&
	       log_slice_ends((struct log_slice){message.text, (size_t)(begin - message.text)},
			      name);
}

/* Whether what may be missing at its end matters to nobody. Otherwise it may be the rest of a
   name, or that there was TLS. */
static bool says_enough(const struct log_reader *reader, const struct log_input_line *input,
			const struct log_line *line)
{
	/* It was longer. */
	if (input->length >= LINE_LENGTH_MAX)
		return false;
	/* A JSON object that is closed. */
	if (*input->text == '{')
		return true;
	if (log_slice_equals(line->program, "dovecot"))
		return !may_matter(line->message.text, line->message.length) ||
		       (!reader->has_more && ends_with_session(line->message));
	return !postfix_smtpd_is(line->program) ||
	       (log_slice_begins(line->message, "disconnect from ") &&
		memmem(line->message.text, line->message.length,
		       " commands=", strlen(" commands=")) != NULL);
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
	reader->has_more |= !ends_with_session(line->message);
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
	if (is_passed_over(reader, input))
		return false;
	switch (log_prefix_read(reader->prefix, input->text, input->length, !input->whole, &line)) {
	case LOG_LINE_READ:
		break;
	case LOG_LINE_PART:
		/* The next lines are fields, whatever they look like. */
		reader->tag = 0;
		reader->is_part = true;
		return false;
	case LOG_LINE_UNKNOWN:
		if (input->length > 0)
			add_unknown(reader, input->text, input->length);
		return false;
	}
	note_tag(reader, input, &line);
	if (!input->whole && !says_enough(reader, input, &line)) {
		add_unknown(reader, input->text, input->length);
		return false;
	}
	return read_message(reader, &line, login_r);
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
