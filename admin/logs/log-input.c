#include "log-input.h"

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

struct log_file {
	char *path; /* NULL: standard input */
	struct stat status;
};

struct log_input {
	GPtrArray *files;
	unsigned next; /* of the files, the one to begin with when this one ends */
	struct packed_file *packed;
	struct line_reader *reader;
	int64_t written;
	uint64_t done, total; /* bytes; done: of files that are done with */
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
	g_ptr_array_free(input->files, TRUE);
	packed_file_free(input->packed);
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

static const char *file_name(const struct log_file *file)
{
	return file->path == NULL ? "standard input" : file->path;
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
static void add_file(struct log_input *input, char *path, const struct stat *status)
{
	struct log_file *file = g_new(struct log_file, 1);

	*file = (struct log_file){.path = path, .status = *status};
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
	GDir *directory = g_dir_open(path, 0, NULL);
	GPtrArray *logs;
	const char *name;

	if (directory == NULL)
		return NULL;
	logs = g_ptr_array_new();
	while ((name = g_dir_read_name(directory)) != NULL) {
		char *log = log_file_name_fits(name) ? g_build_filename(path, name, NULL) : NULL;

		if (log != NULL && g_file_test(log, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(logs, log);
		else
			g_free(log);
	}
	g_dir_close(directory);
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
			add_file(input, log, &status);
	}
	count = (int)logs->len;
	g_ptr_array_free(logs, TRUE);
	return count;
}

static bool add_whole_directory(struct log_input *input, const char *path, char **problem_r)
{
	int count = add_directory(input, path);

	if (count < 0)
		*problem_r = problem_with(path, file_problem(errno));
	else if (count == 0)
		*problem_r = problem_with(path, "no mail log is in it: mail.log, maillog, "
						"mail.info, dovecot*.log, postfix*.log");
	return count > 0;
}

static bool add_standard_input(struct log_input *input, char **problem_r)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0) {
		*problem_r = problem_with("standard input", file_problem(errno));
		return false;
	}
	add_file(input, NULL, &status);
	return true;
}

bool log_input_add(struct log_input *input, const char *name, char **problem_r)
{
	struct stat status;

	if (strcmp(name, "-") == 0)
		return add_standard_input(input, problem_r);
	if (stat(name, &status) < 0) {
		*problem_r = problem_with(name, file_problem(errno));
		return false;
	}
	if (S_ISDIR(status.st_mode))
		return add_whole_directory(input, name, problem_r);
	add_file(input, g_strdup(name), &status);
	return true;
}

static const struct log_file *this_file(const struct log_input *input)
{
	return g_ptr_array_index(input->files, input->next - 1);
}

static int open_file(const struct log_file *file)
{
	/* A copy, which is closed in the end. */
	if (file->path == NULL)
		return dup(STDIN_FILENO);
	return S_ISREG(file->status.st_mode) ? file_open_found(file->path)
					     : file_open_named(file->path);
}

static void end_file(struct log_input *input)
{
	packed_file_free(input->packed);
	input->packed = NULL;
	input->done += file_size(this_file(input));
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
	int descriptor = open_file(file);

	if (descriptor < 0)
		return false;
	input->packed = packed_file_create(descriptor);
	input->written = when_written(file, input->packed);
	line_reader_begin_source(input->reader, packed_file_read, input->packed);
	return true;
}

/* A computer that loses power leaves NULs, which were to become lines, before the next one.
   Few are left alone: in the journal's export format they are part of a length. */
static void pass_over_nuls(struct log_input_line *line)
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
	pass_over_nuls(line);
	return LOG_INPUT_LINE;
}

enum log_input_kind log_input_next(struct log_input *input, struct log_input_line *line_r)
{
	enum log_input_kind kind;

	for (;;) {
		if (input->packed == NULL) {
			if (input->next == input->files->len)
				return LOG_INPUT_END;
			if (!begin_file(input)) {
				kind = report(input, file_problem(errno));
				end_file(input);
				return kind;
			}
		}
		switch (line_reader_next(input->reader, &line_r->text, &line_r->length)) {
		case LINE_WHOLE:
			return give(input, line_r, true);
		case LINE_CUT:
			return give(input, line_r, false);
		case LINE_HALF:
			/* Its text stays in the reader. */
			end_file(input);
			return give(input, line_r, false);
		case LINE_NONE:
			end_file(input);
			break;
		case LINE_ERROR:
			kind = report(input, packed_file_problem(input->packed));
			end_file(input);
			return kind;
		}
	}
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
