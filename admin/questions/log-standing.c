#include "log-standing.h"

#include <errno.h>
#include <string.h>

#include "admin/files/file-open.h"
#include "admin/journal/log-place.h"
#include "admin/terminal/terminal-text.h"

#define LOG_COLUMNS 128

static bool find_journal(void *context, const struct store_log *log)
{
	struct log_standing *standing = context;

	if (strcmp(log->name, standing->log) != 0)
		return true;
	standing->known = true;
	standing->read = log->touched;
	return false;
}

/* False when the store fails. */
static bool look_at(struct log_file *file, struct store *store, struct log_standing *standing)
{
	uint64_t size = (uint64_t)log_file_status(file)->st_size;
	struct store_log row;
	bool done;

	errno = 0;
	if (!log_place_find(file, store, standing->log, &row, &done)) {
		standing->error = errno == 0 ? EIO : errno;
		return store_failure(store)->status == 0;
	}
	/* What is too short to tell anything is as good as read. */
	standing->known = row.id != 0 || done;
	standing->read = row.touched;
	standing->waiting = done || size < row.position ? 0 : size - row.position;
	return true;
}

static bool find(struct log_standing *standing, struct store *store)
{
	struct log_file *file;
	bool fine;

	if (strcmp(standing->log, "journal") == 0)
		return store_each_log(store, find_journal, standing);
	file = log_file_open(standing->log);
	if (file == NULL) {
		standing->error = errno;
		return true;
	}
	fine = look_at(file, store, standing);
	log_file_free(file);
	return fine;
}

bool log_standings_find(struct log_standing *standings_r, const struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	bool fine = true;

	for (size_t i = 0; fine && i < policy->log_count; i++) {
		standings_r[i] = (struct log_standing){.log = policy->logs[i]};
		fine = find(&standings_r[i], inquiry->store);
	}
	return fine;
}

/* NULL: nothing. */
static const char *find_problem(const struct log_standing *standing, bool late, bool only_asks)
{
	if (standing->error != 0)
		return standing->error == EACCES && only_asks ? NULL
							      : file_problem(standing->error);
	if (!standing->known)
		return "nothing of it was imported yet; 'portcullis import' says why";
	return late && standing->waiting > 0 ? "it is not read on; 'portcullis import' says why"
					     : NULL;
}

char *log_standings_problem(const struct log_standing *standings, size_t count, bool late,
			    bool only_asks)
{
	for (size_t i = 0; i < count; i++) {
		const char *problem = find_problem(&standings[i], late, only_asks);
		GString *text;

		if (problem == NULL)
			continue;
		text = g_string_new(NULL);
		terminal_text_append(text, standings[i].log, LOG_COLUMNS);
		g_string_append_printf(text, ": %s", problem);
		return g_string_free(text, FALSE);
	}
	return NULL;
}
