#include "log-sources.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/terminal/terminal-text.h"
#include "log-file-name.h"
#include "log-journal.h"

static void free_source(gpointer pointer)
{
	struct log_source *source = pointer;

	g_free(source->path);
	g_free(source);
}

GPtrArray *log_sources_create(void)
{
	return g_ptr_array_new_with_free_func(free_source);
}

const char *log_source_name(const struct log_source *source)
{
	if (source->path != NULL)
		return source->path;
	return source->kind == LOG_SOURCE_JOURNAL ? "the systemd journal" : "standard input";
}

char *log_source_problem(const char *path, const char *what)
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
		*problem_r = log_source_problem(path, what);
	return false;
}

static bool is_there(const GPtrArray *sources, const struct log_source *source)
{
	for (guint i = 0; i < sources->len; i++) {
		const struct log_source *other = g_ptr_array_index(sources, i);

		if (other->status.st_dev == source->status.st_dev &&
		    other->status.st_ino == source->status.st_ino)
			return true;
	}
	return false;
}

/* Among the files of its log, if there are any: before the first that is younger. */
static guint find_place(const GPtrArray *sources, const struct log_source *source)
{
	guint place = sources->len;

	for (guint i = 0; i < sources->len; i++) {
		const struct log_source *other = g_ptr_array_index(sources, i);

		if (source->path == NULL || other->path == NULL ||
		    !log_file_names_match(other->path, source->path))
			continue;
		if (log_file_name_compare(source->path, other->path) < 0)
			return i;
		place = i + 1;
	}
	return place;
}

/* Takes the path over. */
static void add(GPtrArray *sources, enum log_source_kind kind, char *path,
		const struct stat *status)
{
	struct log_source *source = g_new(struct log_source, 1);

	*source = (struct log_source){.kind = kind, .path = path, .status = *status};
	if (is_there(sources, source)) {
		free_source(source);
		return;
	}
	g_ptr_array_insert(sources, (int)find_place(sources, source), source);
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
static int add_directory(GPtrArray *sources, const char *path)
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
			add(sources, LOG_SOURCE_FILE, log, &status);
	}
	count = (int)logs->len;
	g_ptr_array_free(logs, TRUE);
	return count;
}

static bool add_standard_input(GPtrArray *sources, char **problem_r)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0)
		return refuse(problem_r, "standard input", file_problem(errno));
	add(sources, LOG_SOURCE_PIPE, NULL, &status);
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

const char *log_source_journal_problem(int error)
{
	switch (error) {
	case EBADMSG:
	case ENODATA:
	case EPROTONOSUPPORT:
		return "it is no journal of systemd, or a broken one";
	case ENOSYS:
		return "this portcullis was built without systemd";
	default:
		return file_problem(error);
	}
}

static bool add_journal(GPtrArray *sources, const char *path, char **problem_r)
{
	const char *name = path == NULL ? "the systemd journal" : path;
	/* It is known by its name. */
	struct stat status = {0};
	int has = journal_has_mail(path);

	if (has < 0)
		return refuse(problem_r, name, log_source_journal_problem(errno));
	if (has == 0)
		return refuse(problem_r, name,
			      "it has no line of Dovecot or Postfix, or none that this account "
			      "may read");
	if (path != NULL && stat(path, &status) < 0)
		return refuse(problem_r, name, file_problem(errno));
	add(sources, LOG_SOURCE_JOURNAL, g_strdup(path), &status);
	return true;
}

static bool add_whole_directory(GPtrArray *sources, const char *path, char **problem_r)
{
	int count = add_directory(sources, path);

	if (count > 0)
		return true;
	if (count < 0)
		return refuse(problem_r, path, file_problem(errno));
	if (add_journal(sources, path, NULL))
		return true;
	return refuse(problem_r, path,
		      "no mail log is in it: mail.log, maillog, mail.info, dovecot*.log, "
		      "postfix*.log");
}

static bool is_journal(const char *name)
{
	return g_str_has_suffix(name, ".journal") || g_str_has_suffix(name, ".journal~");
}

bool log_sources_add(GPtrArray *sources, const char *name, char **problem_r)
{
	struct stat status;

	if (strcmp(name, "-") == 0)
		return add_standard_input(sources, problem_r);
	if (strcmp(name, "journal") == 0)
		return add_journal(sources, NULL, problem_r);
	if (stat(name, &status) < 0)
		return refuse(problem_r, name, file_problem(errno));
	if (S_ISDIR(status.st_mode))
		return add_whole_directory(sources, name, problem_r);
	if (is_journal(name))
		return add_journal(sources, name, problem_r);
	add(sources, LOG_SOURCE_FILE, g_strdup(name), &status);
	return true;
}

/* Adds the files of a log's directory that a rotation made of it; none is fine. */
static void add_rotated(GPtrArray *sources, const char *path)
{
	char *folder = g_path_get_dirname(path);
	GDir *directory = g_dir_open(folder, 0, NULL);
	const char *name;

	while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
		char *other = g_build_filename(folder, name, NULL);
		struct stat status;

		if (log_file_names_match(path, other) && stat(other, &status) == 0 &&
		    S_ISREG(status.st_mode))
			add(sources, LOG_SOURCE_FILE, g_strdup(other), &status);
		g_free(other);
	}
	if (directory != NULL)
		g_dir_close(directory);
	g_free(folder);
}

bool log_sources_add_rotated(GPtrArray *sources, const char *path, char **problem_r)
{
	guint before = sources->len;
	char *problem = NULL;
	bool added;

	/* Whether it can be read shows when it is, and it may begin with nothing. */
	if (strcmp(path, "journal") == 0) {
		add(sources, LOG_SOURCE_JOURNAL, NULL, &(struct stat){0});
		return true;
	}
	added = log_sources_add(sources, path, &problem);
	add_rotated(sources, path);
	/* Between a rotation and the first line there is none. */
	if (added || sources->len > before || problem_r == NULL)
		g_clear_pointer(&problem, g_free);
	else
		*problem_r = problem;
	return added || sources->len > before;
}

bool log_sources_add_usual(GPtrArray *sources, const char *directory, char **problem_r)
{
	char *journal_problem = NULL;
	bool added = log_sources_add(sources, directory, problem_r);

	if (!added && add_journal(sources, NULL, &journal_problem)) {
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

void log_sources_add_copy(GPtrArray *sources, const struct log_source *source)
{
	add(sources, source->kind, g_strdup(source->path), &source->status);
}
