#ifndef PORTCULLIS_LOG_SOURCES_H
#define PORTCULLIS_LOG_SOURCES_H

#include <stdbool.h>

#include <glib.h>
#include <sys/stat.h>

/* What lines of logs are read from, as an operator names it, in the order in which it is read. */
enum log_source_kind { LOG_SOURCE_FILE, LOG_SOURCE_PIPE, LOG_SOURCE_JOURNAL };

struct log_source {
	enum log_source_kind kind;
	char *path; /* NULL: standard input, or this host's journal */
	struct stat status;
};

/* Of struct log_source; freed with g_ptr_array_unref(). */
GPtrArray *log_sources_create(void);

/* As their namesakes of log-input.h. */
bool log_sources_add(GPtrArray *sources, const char *name, char **problem_r);
bool log_sources_add_usual(GPtrArray *sources, const char *directory, char **problem_r);
bool log_sources_add_rotated(GPtrArray *sources, const char *path, char **problem_r);

/* One that stands in another list as well. */
void log_sources_add_copy(GPtrArray *sources, const struct log_source *source);

/* How it is called in messages. */
const char *log_source_name(const struct log_source *source);

/* "NAME: what", fit for a terminal. The caller frees it with g_free(). */
char *log_source_problem(const char *name, const char *what);

/* Why a journal cannot be read. */
const char *log_source_journal_problem(int error);

#endif
