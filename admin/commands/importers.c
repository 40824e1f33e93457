#include "importers.h"

#include "admin/terminal/stop-signal.h"
#include "import-logs.h"

void importers_begin(struct importers *importers_r, struct store *store, struct policy *policy,
		     const struct importer_options *options)
{
	*importers_r = (struct importers){.loaded = {.policy = policy}};
	importers_r->journal = importer_create(store, policy, options, &stop_signal);
	importers_r->host = own_host_create(policy);
	importers_r->forgetting = forgetting_create(store, policy);
	if (policy->log_count == 0)
		return;
	policy_load_files(&importers_r->loaded);
	importers_r->edition = loaded_edition(&importers_r->loaded);
	importers_r->logs =
		log_importer_create(store, &importers_r->edition, options, &stop_signal);
}

void importers_end(struct importers *importers)
{
	importer_free(importers->journal);
	own_host_free(importers->host);
	forgetting_free(importers->forgetting);
	log_importer_free(importers->logs);
	policy_unload_files(&importers->loaded);
}

const struct store_failure *importers_pass(const struct importers *importers, uint64_t rotate_size,
					   struct importer_rest *rest_r, size_t *problems_r)
{
	struct importer *journal = importers->journal;
	struct forgetting *forgetting = importers->forgetting;

	*problems_r = 0;
	if (!forgetting_look(forgetting) ||
	    !importer_pass(journal, forgetting_rotate_size(forgetting, rotate_size), rest_r))
		return importer_failure(journal);
	if (!import_logs_pass(importers->logs, importers->loaded.policy, problems_r))
		return log_importer_failure(importers->logs);
	*problems_r += rest_r->problems;
	/* A pass that was interrupted has not seen all. */
	if (!stop_signal && !forgetting_note_pass(forgetting, rest_r, *problems_r))
		return importer_failure(journal);
	return NULL;
}
