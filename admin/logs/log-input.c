#include "log-input.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/files/line-reader.h"
#include "admin/files/packed-file.h"
#include "admin/terminal/terminal-text.h"
#include "log-file-name.h"
#include "log-journal.h"

/* What belongs to a line may have come so long before it, in milliseconds: a connection of
   Postfix's, which has several. */
#define BEFORE (INT64_C(3600) * 1000)

enum log_file_kind { LOG_FILE, LOG_STANDARD_INPUT, LOG_JOURNAL };

struct log_file {
	enum log_file_kind kind;
	char *path; /* NULL: standard input, or this host's journal */
	struct stat status;
};

struct log_input {
	GPtrArray *files;
	unsigned next; /* of the files, the one to begin with when this one ends */
	/* One of them, while a file is open. */
	struct packed_file *packed;
	struct log_journal *journal;
	struct line_reader *reader;
	int64_t written;
	int64_t since;
	uint64_t done, total; /* bytes; done: of files that are done with */
	bool shrunk;          /* the last file became shorter, which is to be told yet */
	char *problem;
};

static void free_file(gpointer pointer)
{
	struct log_file *file = pointer;

	g_free(file->path);
	g_free(file);
}

struct log_input *log_input_create(void)
{
	struct log_input *input = g_new0(struct log_input, 1);

	input->files = g_ptr_array_new_with_free_func(free_file);
	input->reader = line_reader_create();
	return input;
}

void log_input_free(struct log_input *input)
{
	if (input == NULL)
		return;
	g_ptr_array_free(input->files, TRUE);
	packed_file_free(input->packed);
	log_journal_free(input->journal);
	line_reader_free(input->reader);
	g_free(input->problem);
	g_free(input);
}

static char *problem_with(const char *path, const char *what)
{
	GString *text = g_string_new(NULL);

	terminal_text_append(text, path, SIZE_MAX);
	g_string_append_printf(text, ": %s", what);
	return g_string_free(text, FALSE);
}

/* Returns false. */
static bool refuse(char **problem_r, const char *path, const char *what)
{
	if (problem_r != NULL)
		*problem_r = problem_with(path, what);
	return false;
}

static const char *file_name(const struct log_file *file)
{
	if (file->path != NULL)
		return file->path;
	return file->kind == LOG_JOURNAL ? "the systemd journal" : "standard input";
}

static uint64_t file_size(const struct log_file *file)
{
	return S_ISREG(file->status.st_mode) ? (uint64_t)file->status.st_size : 0;
}

static bool is_there(const struct log_input *input, const struct log_file *file)
{
	for (guint i = 0; i < input->files->len; i++) {
		const struct log_file *other = g_ptr_array_index(input->files, i);

		if (other->status.st_dev == file->status.st_dev &&
		    other->status.st_ino == file->status.st_ino)
			return true;
	}
	return false;
}

/* Among the files of its log, if there are any: before the first that is younger. */
static guint find_place(const struct log_input *input, const struct log_file *file)
{
	guint place = input->files->len;

	for (guint i = 0; i < input->files->len; i++) {
		const struct log_file *other = g_ptr_array_index(input->files, i);

		if (file->path == NULL || other->path == NULL ||
		    !log_file_names_match(other->path, file->path))
			continue;
		if (log_file_name_compare(file->path, other->path) < 0)
			return i;
		place = i + 1;
	}
	return place;
}

/* Takes the path over. */
static void add_file(struct log_input *input, enum log_file_kind kind, char *path,
		     const struct stat *status)
{
	struct log_file *file = g_new(struct log_file, 1);

	*file = (struct log_file){.kind = kind, .path = path, .status = *status};
	if (is_there(input, file)) {
		free_file(file);
		return;
	}
	g_ptr_array_insert(input->files, (int)find_place(input, file), file);
	input->total += file_size(file);
}

static gint compare_names(gconstpointer left, gconstpointer right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Files that are mail logs, by the order of their names; NULL with errno set. */
static GPtrArray *list_logs(const char *path)
{
	int descriptor = file_open_named(path);
	DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
	GPtrArray *logs;
	const struct dirent *entry;

	if (directory == NULL) {
		file_close(descriptor);
		return NULL;
	}
	logs = g_ptr_array_new();
	while ((entry = readdir(directory)) != NULL) {
		char *log = log_file_name_fits(entry->d_name)
				    ? g_build_filename(path, entry->d_name, NULL)
				    : NULL;

		if (log != NULL && g_file_test(log, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(logs, log);
		else
			g_free(log);
	}
	closedir(directory);
	g_ptr_array_sort(logs, compare_names);
	return logs;
}

static const char *name_in_directory(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool has_whole(const GPtrArray *logs)
{
	for (guint i = 0; i < logs->len; i++) {
		if (log_file_name_is_whole(name_in_directory(g_ptr_array_index(logs, i))))
			return true;
	}
	return false;
}

/* How many logs are in it, -1 with errno set. */
static int add_directory(struct log_input *input, const char *path)
{
	GPtrArray *logs = list_logs(path);
	bool whole;
	int count;

	if (logs == NULL)
		return -1;
	whole = has_whole(logs);
	for (guint i = 0; i < logs->len; i++) {
		char *log = g_ptr_array_index(logs, i);
		struct stat status;

		/* What is in a part stands in the other log, too. */
		if ((whole && log_file_name_is_part(name_in_directory(log))) ||
		    stat(log, &status) < 0)
			g_free(log);
		else
			add_file(input, LOG_FILE, log, &status);
	}
	count = (int)logs->len;
	g_ptr_array_free(logs, TRUE);
	return count;
}

static bool add_standard_input(struct log_input *input, char **problem_r)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0)
		return refuse(problem_r, "standard input", file_problem(errno));
	add_file(input, LOG_STANDARD_INPUT, NULL, &status);
	return true;
}

/* Whether mail servers wrote anything to it, -1 with errno set. path as for
   log_journal_open(). */
static int journal_has_mail(const char *path)
{
	struct log_journal *journal = log_journal_open(path, 0);
	enum line_kind kind;
	const char *text;
	size_t length;

	if (journal == NULL)
		return -1;
	kind = log_journal_next(journal, &text, &length);
	log_journal_free(journal);
	return kind == LINE_ERROR ? -1 : kind != LINE_NONE;
}

static const char *journal_problem(int error)
{
	switch (error) {
	case EBADMSG:
	case ENODATA:
	case EPROTONOSUPPORT:
		return "it is no journal of systemd, or a broken one";
	default:
		return file_problem(error);
	}
}

static bool add_journal(struct log_input *input, const char *path, char **problem_r)
{
	const char *name = path == NULL ? "the systemd journal" : path;
	/* It is known by its name. */
	struct stat status = {0};
	int has = journal_has_mail(path);

	if (has < 0)
		return refuse(problem_r, name, journal_problem(errno));
	if (has == 0)
		return refuse(problem_r, name,
			      "it has no line of Dovecot or Postfix, or none that this account "
			      "may read");
	if (path != NULL && stat(path, &status) < 0)
		return refuse(problem_r, name, file_problem(errno));
	add_file(input, LOG_JOURNAL, g_strdup(path), &status);
	return true;
}

static bool add_whole_directory(struct log_input *input, const char *path, char **problem_r)
{
	int count = add_directory(input, path);

	if (count > 0)
		return true;
	if (count < 0)
		return refuse(problem_r, path, file_problem(errno));
	if (add_journal(input, path, NULL))
		return true;
	return refuse(problem_r, path,
		      "no mail log is in it: mail.log, maillog, mail.info, dovecot*.log, "
		      "postfix*.log");
}

static bool is_journal(const char *name)
{
	return g_str_has_suffix(name, ".journal") || g_str_has_suffix(name, ".journal~");
}

bool log_input_add(struct log_input *input, const char *name, char **problem_r)
{
	struct stat status;

	if (strcmp(name, "-") == 0)
		return add_standard_input(input, problem_r);
	if (strcmp(name, "journal") == 0)
		return add_journal(input, NULL, problem_r);
	if (stat(name, &status) < 0)
		return refuse(problem_r, name, file_problem(errno));
	if (S_ISDIR(status.st_mode))
		return add_whole_directory(input, name, problem_r);
	if (is_journal(name))
		return add_journal(input, name, problem_r);
	add_file(input, LOG_FILE, g_strdup(name), &status);
	return true;
}

/* Adds the files of a log's directory that a rotation made of it; none is fine. */
static void add_rotated(struct log_input *input, const char *path)
{
	char *folder = g_path_get_dirname(path);
	GDir *directory = g_dir_open(folder, 0, NULL);
	const char *name;

	while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
		char *other = g_build_filename(folder, name, NULL);
		struct stat status;

		if (log_file_names_match(path, other) && stat(other, &status) == 0 &&
		    S_ISREG(status.st_mode))
			add_file(input, LOG_FILE, g_strdup(other), &status);
		g_free(other);
	}
	if (directory != NULL)
		g_dir_close(directory);
	g_free(folder);
}

bool log_input_add_rotated(struct log_input *input, const char *path, char **problem_r)
{
	guint before = input->files->len;
	char *problem = NULL;
	bool added;

	/* Whether it can be read shows when it is, and it may begin with nothing. */
	if (strcmp(path, "journal") == 0) {
		add_file(input, LOG_JOURNAL, NULL, &(struct stat){0});
		return true;
	}
	added = log_input_add(input, path, &problem);
	add_rotated(input, path);
	/* Between a rotation and the first line there is none. */
	if (added || input->files->len > before || problem_r == NULL)
		g_clear_pointer(&problem, g_free);
	else
		*problem_r = problem;
	return added || input->files->len > before;
}

size_t log_input_files(const struct log_input *input)
{
	return input->files->len;
}

enum log_input_file log_input_file(const struct log_input *input, size_t index, const char **path_r)
{
	const struct log_file *file = g_ptr_array_index(input->files, index);

	*path_r = file->path;
	if (file->kind == LOG_JOURNAL)
		return LOG_INPUT_JOURNAL;
	return file->kind == LOG_STANDARD_INPUT ? LOG_INPUT_PIPE : LOG_INPUT_FILE;
}

bool log_input_add_usual(struct log_input *input, const char *directory, char **problem_r)
{
	char *journal_problem = NULL;
	bool added = log_input_add(input, directory, problem_r);

	if (!added && add_journal(input, NULL, &journal_problem)) {
		if (problem_r != NULL)
			g_clear_pointer(problem_r, g_free);
		added = true;
	} else if (!added && problem_r != NULL) {
		char *both = g_strdup_printf("%s; %s", *problem_r, journal_problem);

		g_free(*problem_r);
		*problem_r = both;
	}
	g_free(journal_problem);
	return added;
}

void log_input_set_since(struct log_input *input, int64_t since)
{
	input->since = since;
}

static const struct log_file *this_file(const struct log_input *input)
{
	return g_ptr_array_index(input->files, input->next - 1);
}

struct log_input *log_input_again(const struct log_input *input)
{
	const struct log_file *file = this_file(input);
	struct log_input *again;

	if (file->kind != LOG_FILE || !S_ISREG(file->status.st_mode))
		return NULL;
	again = log_input_create();
	add_file(again, LOG_FILE, g_strdup(file->path), &file->status);
	return again;
}

static int open_file(const struct log_file *file)
{
	/* A copy, which is closed in the end. */
	if (file->kind == LOG_STANDARD_INPUT)
		return dup(STDIN_FILENO);
	return S_ISREG(file->status.st_mode) ? file_open_found(file->path)
					     : file_open_named(file->path);
}

static void end_file(struct log_input *input)
{
	g_clear_pointer(&input->packed, packed_file_free);
	g_clear_pointer(&input->journal, log_journal_free);
	input->done += file_size(this_file(input));
}

/* As where a rotation copies a log, and truncates it then. */
static void end_whole_file(struct log_input *input)
{
	input->shrunk = input->packed != NULL &&
			packed_file_size(input->packed) < file_size(this_file(input));
	end_file(input);
}

static enum log_input_kind report(struct log_input *input, const char *what)
{
	g_free(input->problem);
	input->problem = problem_with(file_name(this_file(input)), what);
	return LOG_INPUT_PROBLEM;
}

static int64_t when_written(const struct log_file *file, const struct packed_file *packed)
{
	int64_t before = packed_file_written(packed);
	int64_t written = S_ISREG(file->status.st_mode) ? file->status.st_mtime
							: g_get_real_time() / G_USEC_PER_SEC;

	/* A copy is younger than what it was made of. */
	return before > 0 && before < written ? before : written;
}

static bool begin_file(struct log_input *input)
{
	const struct log_file *file = g_ptr_array_index(input->files, input->next++);
	int descriptor;

	if (file->kind == LOG_JOURNAL) {
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
	line->name = file_name(this_file(input));
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
	return input->packed != NULL ? packed_file_problem(input->packed) : journal_problem(errno);
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
	if (input->next == input->files->len)
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
	*total_r = input->total;
	if (input->packed != NULL)
		*done_r += MIN(packed_file_taken(input->packed), file_size(this_file(input)));
}
