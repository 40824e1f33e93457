#include "log-journal.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

struct log_journal {
	sd_journal *journal;
	bool stands; /* on an entry that was not given yet */
	GString *line;
	time_t second; /* of the time in words */
	char time[sizeof("2026-11-29T10:00:00.")];
};

/* Mail servers write with syslog's facility for mail, unless they are told another one, or run
   where what they print is taken down. */
static const char *const of_mail[] = {
	"SYSLOG_FACILITY=2",
	"_SYSTEMD_UNIT=dovecot.service",
	"_SYSTEMD_UNIT=postfix.service",
	"_SYSTEMD_UNIT=postfix@-.service",
};

/* A program's name begins with one of these, a container's has one somewhere. */
static const char *const servers[] = {"dovecot", "postfix"};

static bool is_of_server(const char *name, size_t length, bool anywhere)
{
	for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
		const char *place = g_strstr_len(name, (gssize)length, servers[i]);

		if (place == name || (place != NULL && anywhere))
			return true;
	}
	return false;
}

static int add_match(sd_journal *journal, const void *match, size_t length)
{
	int status = sd_journal_add_match(journal, match, length);

	return status < 0 ? status : sd_journal_add_disjunction(journal);
}

/* Those values of a field that name a mail server. */
static int add_names(sd_journal *journal, const char *field, bool anywhere)
{
	GPtrArray *matches = g_ptr_array_new_with_free_func(g_free);
	size_t begin = strlen(field) + 1;
	const void *match;
	size_t length;
	int status = sd_journal_query_unique(journal, field);

	while (status >= 0 &&
	       (status = sd_journal_enumerate_available_unique(journal, &match, &length)) > 0) {
		if (is_of_server((const char *)match + begin, length - begin, anywhere))
			g_ptr_array_add(matches, g_strndup(match, length));
	}
	for (guint i = 0; i < matches->len && status >= 0; i++) {
		const char *text = g_ptr_array_index(matches, i);

		status = add_match(journal, text, strlen(text));
	}
	g_ptr_array_free(matches, TRUE);
	return status;
}

static int choose(sd_journal *journal)
{
	int status = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(of_mail) && status >= 0; i++)
		status = add_match(journal, of_mail[i], strlen(of_mail[i]));
	if (status >= 0)
		status = add_names(journal, "SYSLOG_IDENTIFIER", false);
	if (status >= 0)
		status = add_names(journal, "CONTAINER_NAME", true);
	return status;
}

static int open_journal(sd_journal **journal_r, const char *path)
{
	const char *paths[] = {path, NULL};

	if (path != NULL && g_file_test(path, G_FILE_TEST_IS_DIR))
		return sd_journal_open_directory(journal_r, path, 0);
	if (path != NULL)
		return sd_journal_open_files(journal_r, paths, 0);
	return sd_journal_open(journal_r, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM |
						  SD_JOURNAL_ALL_NAMESPACES);
}

struct log_journal *log_journal_open(const char *path, int64_t since)
{
	sd_journal *journal = NULL;
	struct log_journal *log;
	int status = open_journal(&journal, path);

	if (status >= 0)
		status = choose(journal);
	if (status >= 0)
		status = sd_journal_set_data_threshold(journal, LINE_LENGTH_MAX);
	if (status >= 0)
		status = sd_journal_seek_realtime_usec(journal, (uint64_t)MAX(since, 0) * 1000);
	if (status < 0) {
		sd_journal_close(journal);
		errno = -status;
		return NULL;
	}
	log = g_new0(struct log_journal, 1);
	log->journal = journal;
	log->line = g_string_new(NULL);
	return log;
}

void log_journal_free(struct log_journal *log)
{
	if (log == NULL)
		return;
	sd_journal_close(log->journal);
	g_string_free(log->line, TRUE);
	g_free(log);
}

bool log_journal_seek(struct log_journal *log, const char *cursor)
{
	int status = sd_journal_seek_cursor(log->journal, cursor);

	if (status >= 0)
		status = sd_journal_next(log->journal);
	if (status > 0) {
		status = sd_journal_test_cursor(log->journal, cursor);
		log->stands = status == 0;
	}
	errno = -MIN(status, 0);
	return status >= 0;
}

bool log_journal_has(struct log_journal *log, const char *cursor)
{
	return sd_journal_seek_cursor(log->journal, cursor) >= 0 &&
	       sd_journal_next(log->journal) > 0 &&
	       sd_journal_test_cursor(log->journal, cursor) > 0;
}

char *log_journal_cursor(const struct log_journal *log)
{
	char *cursor = NULL;
	int status = sd_journal_get_cursor(log->journal, &cursor);

	errno = -MIN(status, 0);
	return status < 0 ? NULL : cursor;
}

void log_journal_look_again(struct log_journal *log)
{
	/* It begins to watch when it is first asked for what to wait for. */
	if (sd_journal_get_fd(log->journal) >= 0)
		sd_journal_process(log->journal);
}

static int next_entry(struct log_journal *log)
{
	if (!log->stands)
		return sd_journal_next(log->journal);
	log->stands = false;
	return 1;
}

static void append_time(struct log_journal *log, uint64_t microseconds)
{
	time_t second = (time_t)(microseconds / G_USEC_PER_SEC);
	struct tm parts;

	if (log->time[0] == '\0' || second != log->second) {
		log->second = second;
		if (gmtime_r(&second, &parts) == NULL ||
		    strftime(log->time, sizeof(log->time), "%Y-%m-%dT%H:%M:%S.", &parts) == 0)
			log->time[0] = '\0';
	}
	g_string_append_printf(log->line, "%s%06" PRIu64 "+00:00 ", log->time,
			       microseconds % G_USEC_PER_SEC);
}

/* The value of the entry's field; false, and nothing is changed, if it has none. */
static bool find(const struct log_journal *log, const char *field, const char **value_r,
		 size_t *length_r)
{
	const void *data;
	size_t length, name_length = strlen(field) + 1;

	if (sd_journal_get_data(log->journal, field, &data, &length) < 0 || length <= name_length)
		return false;
	*value_r = (const char *)data + name_length;
	*length_r = length - name_length;
	return true;
}

/* The first of two fields that there is, with nothing in it that would end it too early. */
static void append_name(struct log_journal *log, const char *field, const char *other)
{
	const char *value = "-";
	size_t length = 1;

	if (!find(log, field, &value, &length))
		find(log, other, &value, &length);
	for (size_t i = 0; i < length; i++) {
		bool harmless = g_ascii_isgraph(value[i]) && strchr("[]:", value[i]) == NULL;

		g_string_append_c(log->line, harmless ? value[i] : '_');
	}
}

static void append_process(struct log_journal *log)
{
	const char *value = "";
	size_t length = 0, digits = 0;

	if (!find(log, "SYSLOG_PID", &value, &length))
		find(log, "_PID", &value, &length);
	while (digits < length && g_ascii_isdigit(value[digits]))
		digits++;
	if (digits > 0)
		g_string_append_printf(log->line, "[%.*s]", (int)digits, value);
}

enum line_kind log_journal_next(struct log_journal *log, const char **text_r, size_t *length_r)
{
	uint64_t microseconds;
	const char *message;
	size_t length;
	int status;

	do {
		status = next_entry(log);
		if (status == 0)
			return LINE_NONE;
		if (status > 0)
			status = sd_journal_get_realtime_usec(log->journal, &microseconds);
		if (status < 0) {
			errno = -status;
			return LINE_ERROR;
		}
		g_string_truncate(log->line, 0);
		append_time(log, microseconds);
		append_name(log, "_HOSTNAME", "_MACHINE_ID");
		g_string_append_c(log->line, ' ');
		append_name(log, "SYSLOG_IDENTIFIER", "_COMM");
		append_process(log);
		g_string_append(log->line, ": ");
	} while (!find(log, "MESSAGE", &message, &length));
	g_string_append_len(log->line, message, (gssize)length);
	*text_r = log->line->str;
	*length_r = MIN(log->line->len, LINE_LENGTH_MAX);
	return log->line->len <= LINE_LENGTH_MAX ? LINE_WHOLE : LINE_CUT;
}
