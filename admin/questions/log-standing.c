#include "log-standing.h"

#include <errno.h>
#include <string.h>

#include "admin/journal/log-place.h"

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
