#include "log-input.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/files/line-reader.h"
#include "admin/files/packed-file.h"
#include "log-journal.h"

/* What belongs to a line may have come so long before it, in milliseconds: a connection of
   Postfix's, which has several. */
#define BEFORE (INT64_C(3600) * 1000)

struct log_input {
	GPtrArray *sources; /* of struct log_source */
	unsigned next;      /* of them, the one to begin with when this one ends */
	/* One of them, while a file is open. */
	struct packed_file *packed;
	struct log_journal *journal;
	struct line_reader *reader;
	int64_t written;
	int64_t since;
	uint64_t done; /* bytes of files that are done with */
	bool shrunk;   /* the last file became shorter, which is to be told yet */
	char *problem;
};

struct log_input *log_input_create(void)
{
	struct log_input *input = g_new0(struct log_input, 1);

	input->sources = log_sources_create();
	input->reader = line_reader_create();
	return input;
}

void log_input_free(struct log_input *input)
{
	if (input == NULL)
		return;
	g_ptr_array_unref(input->sources);
	packed_file_free(input->packed);
	log_journal_free(input->journal);
	line_reader_free(input->reader);
	g_free(input->problem);
	g_free(input);
}

static uint64_t file_size(const struct log_source *file)
{
	return S_ISREG(file->status.st_mode) ? (uint64_t)file->status.st_size : 0;
}

bool log_input_add(struct log_input *input, const char *name, char **problem_r)
{
	return log_sources_add(input->sources, name, problem_r);
}

bool log_input_add_usual(struct log_input *input, const char *directory, char **problem_r)
{
	return log_sources_add_usual(input->sources, directory, problem_r);
}

bool log_input_add_rotated(struct log_input *input, const char *path, char **problem_r)
{
	return log_sources_add_rotated(input->sources, path, problem_r);
}

const GPtrArray *log_input_sources(const struct log_input *input)
{
	return input->sources;
}

void log_input_set_since(struct log_input *input, int64_t since)
{
	input->since = since;
}

static const struct log_source *this_source(const struct log_input *input)
{
	return g_ptr_array_index(input->sources, input->next - 1);
}

struct log_input *log_input_again(const struct log_input *input)
{
	const struct log_source *file = this_source(input);
	struct log_input *again;

	if (file->kind != LOG_SOURCE_FILE || !S_ISREG(file->status.st_mode))
		return NULL;
	again = log_input_create();
	log_sources_add_copy(again->sources, file);
	return again;
}

static int open_file(const struct log_source *file)
{
	/* A copy, which is closed in the end. */
	if (file->kind == LOG_SOURCE_PIPE)
		return dup(STDIN_FILENO);
	return S_ISREG(file->status.st_mode) ? file_open_found(file->path)
					     : file_open_named(file->path);
}

static void end_file(struct log_input *input)
{
	g_clear_pointer(&input->packed, packed_file_free);
	g_clear_pointer(&input->journal, log_journal_free);
	input->done += file_size(this_source(input));
}

/* As where a rotation copies a log, and truncates it then. */
static void end_whole_file(struct log_input *input)
{
	input->shrunk = input->packed != NULL &&
			packed_file_size(input->packed) < file_size(this_source(input));
	end_file(input);
}

static enum log_input_kind report(struct log_input *input, const char *what)
{
	g_free(input->problem);
	input->problem = log_source_problem(log_source_name(this_source(input)), what);
	return LOG_INPUT_PROBLEM;
}

static int64_t when_written(const struct log_source *file, const struct packed_file *packed)
{
	int64_t before = packed_file_written(packed);
	int64_t written = S_ISREG(file->status.st_mode) ? file->status.st_mtime
							: g_get_real_time() / G_USEC_PER_SEC;

	/* A copy is younger than what it was made of. */
	return before > 0 && before < written ? before : written;
}

static bool begin_file(struct log_input *input)
{
	const struct log_source *file = g_ptr_array_index(input->sources, input->next++);
	int descriptor;

	if (file->kind == LOG_SOURCE_JOURNAL) {
		input->written = g_get_real_time() / G_USEC_PER_SEC;
		input->journal = log_journal_open(file->path, input->since - BEFORE);
		return input->journal != NULL;
	}
	descriptor = open_file(file);
	if (descriptor < 0)
		return false;
	input->packed = packed_file_create(descriptor);
	input->written = when_written(file, input->packed);
	line_reader_begin_source(input->reader, packed_file_read, input->packed);
	return true;
}

/* Few are left alone: in the journal's export format they are part of a length. */
void log_line_pass_over_nuls(struct log_input_line *line)
{
	static const char nuls[9];

	if (line->length < sizeof(nuls) || memcmp(line->text, nuls, sizeof(nuls)) != 0)
		return;
	while (line->length > 0 && *line->text == '\0') {
		line->text++;
		line->length--;
	}
}

static enum log_input_kind give(const struct log_input *input, struct log_input_line *line,
				bool whole)
{
	line->whole = whole;
	line->file = input->next;
	line->name = log_source_name(this_source(input));
	line->written = input->written;
	log_line_pass_over_nuls(line);
	return LOG_INPUT_LINE;
}

static enum line_kind next_line(struct log_input *input, struct log_input_line *line)
{
	if (input->journal != NULL)
		return log_journal_next(input->journal, &line->text, &line->length);
	return line_reader_next(input->reader, &line->text, &line->length);
}

static const char *why_broken(const struct log_input *input)
{
	return input->packed != NULL ? packed_file_problem(input->packed)
				     : log_source_journal_problem(errno);
}

/* Goes on with the next file where none is being read. LOG_INPUT_LINE: there is one. */
static enum log_input_kind go_on(struct log_input *input)
{
	enum log_input_kind kind;

	if (input->shrunk) {
		input->shrunk = false;
		return report(input, "it became shorter while it was read");
	}
	if (input->packed != NULL || input->journal != NULL)
		return LOG_INPUT_LINE;
	if (input->next == input->sources->len)
		return LOG_INPUT_END;
	if (begin_file(input))
		return LOG_INPUT_LINE;
	kind = report(input, file_problem(errno));
	end_file(input);
	return kind;
}

enum log_input_kind log_input_next(struct log_input *input, struct log_input_line *line_r)
{
	enum log_input_kind kind;

	while ((kind = go_on(input)) == LOG_INPUT_LINE) {
		switch (next_line(input, line_r)) {
		case LINE_WHOLE:
			return give(input, line_r, true);
		case LINE_CUT:
			return give(input, line_r, false);
		case LINE_HALF:
			/* Its text stays in the reader. */
			end_whole_file(input);
			return give(input, line_r, false);
		case LINE_NONE:
			end_whole_file(input);
			break;
		case LINE_ERROR:
			kind = report(input, why_broken(input));
			end_file(input);
			return kind;
		}
	}
	return kind;
}

const char *log_input_problem(const struct log_input *input)
{
	return input->problem;
}

void log_input_progress(const struct log_input *input, uint64_t *done_r, uint64_t *total_r)
{
	*done_r = input->done;
	*total_r = 0;
	for (guint i = 0; i < input->sources->len; i++)
		*total_r += file_size(g_ptr_array_index(input->sources, i));
	if (input->packed != NULL)
		*done_r += MIN(packed_file_taken(input->packed), file_size(this_source(input)));
}
