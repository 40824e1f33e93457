#include "inquiry.h"

#include <stdio.h>
#include <sysexits.h>

int inquiry_begin(struct inquiry *inquiry_r, const char *config_path)
{
	struct store_failure failure;

	inquiry_r->store = NULL;
	if (!policy_load(config_path, &inquiry_r->loaded))
		return EX_CONFIG;
	inquiry_r->store = store_open(inquiry_r->loaded.policy->store, STORE_READ, &failure);
	if (inquiry_r->store == NULL) {
		fprintf(stderr, "portcullis: %s\n", failure.text);
		policy_unload(&inquiry_r->loaded);
		return failure.status;
	}
	if (store_begin_reading(inquiry_r->store))
		return 0;
	return inquiry_end(inquiry_r, false, 0);
}

int inquiry_end(struct inquiry *inquiry, bool answered, int status)
{
	if (!answered) {
		fprintf(stderr, "portcullis: %s\n", store_failure(inquiry->store)->text);
		status = store_failure(inquiry->store)->status;
	}
	store_close(inquiry->store);
	policy_unload(&inquiry->loaded);
	return status;
}

static bool note_latest(void *context, const struct store_writer *writer)
{
	int64_t *latest = context;

	if (writer->last_seen > *latest)
		*latest = writer->last_seen;
	return true;
}

bool inquiry_reference(const struct inquiry *inquiry, time_t at, int64_t *reference_r)
{
	int64_t now = (int64_t)time(NULL) * 1000;
	int64_t latest = 0;

	if (!store_each_writer(inquiry->store, note_latest, &latest))
		return false;
	*reference_r = latest > 0 && latest < now ? latest : now;
	if (at < *reference_r / 1000)
		*reference_r = (int64_t)at * 1000;
	return true;
}

int64_t inquiry_since(time_t since, int64_t reference)
{
	return since == 0 ? reference - 30 * MILLISECONDS_A_DAY : (int64_t)since * 1000;
}
