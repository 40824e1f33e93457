#include "inquiry.h"

#include <stdio.h>
#include <sysexits.h>

#include "admin/files/account.h"

int inquiry_load(struct inquiry *inquiry_r, const char *config_path)
{
	*inquiry_r = (struct inquiry){0};
	if (!policy_load(config_path, &inquiry_r->loaded))
		return EX_CONFIG;
	if (account_become_owner(policy_records(inquiry_r->loaded.policy)))
		return 0;
	policy_unload(&inquiry_r->loaded);
	return EX_NOPERM;
}

int inquiry_begin(struct inquiry *inquiry_r, const char *config_path)
{
	int status = inquiry_load(inquiry_r, config_path);

	if (status != 0)
		return status;
	status = inquiry_open_store(inquiry_r);
	if (status != 0)
		policy_unload(&inquiry_r->loaded);
	return status;
}

int inquiry_end(struct inquiry *inquiry, bool answered, int status)
{
	status = inquiry_close_store(inquiry, answered, status);
	policy_unload(&inquiry->loaded);
	return status;
}

int inquiry_open_store(struct inquiry *inquiry)
{
	struct store_failure *failure = &inquiry->failure;

	inquiry->store = store_open(inquiry->loaded.policy->store, inquiry->loaded.policy->host,
				    STORE_READ, failure);
	if (inquiry->store == NULL) {
		fprintf(stderr, "portcullis: %s\n", failure->text);
		return failure->status;
	}
	return store_begin_reading(inquiry->store) ? 0 : inquiry_close_store(inquiry, false, 0);
}

int inquiry_close_store(struct inquiry *inquiry, bool answered, int status)
{
	if (!answered) {
		inquiry->failure = *store_failure(inquiry->store);
		fprintf(stderr, "portcullis: %s\n", inquiry->failure.text);
		status = inquiry->failure.status;
	}
	store_close(inquiry->store);
	inquiry->store = NULL;
	return status;
}

static bool note_latest(void *context, const struct store_writer *writer)
{
	int64_t *latest = context;

	if (writer->last_seen > *latest)
		*latest = writer->last_seen;
	return true;
}

bool inquiry_store_reference(struct store *store, int64_t now, int64_t *reference_r)
{
	int64_t latest = 0;

	if (!store_each_writer(store, note_latest, &latest))
		return false;
	*reference_r = latest > 0 && latest < now ? latest : now;
	return true;
}

bool inquiry_reference(const struct inquiry *inquiry, int64_t *reference_r)
{
	return inquiry_store_reference(inquiry->store, (int64_t)time(NULL) * 1000, reference_r);
}

int64_t inquiry_since(time_t since, int64_t reference)
{
	return since == SCHEDULE_NEVER ? reference - 30 * MILLISECONDS_A_DAY
				       : (int64_t)since * 1000;
}
