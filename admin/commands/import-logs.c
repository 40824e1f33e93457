#include "import-logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "admin/terminal/stop-signal.h"

void import_logs_print(const struct log_importer_counts *counts)
{
	printf("%llu lines of logs read, %llu logins found, %llu lines not understood\n",
	       (unsigned long long)counts->lines, (unsigned long long)counts->logins,
	       (unsigned long long)counts->unknown);
	if (counts->too_old > 0)
		printf("%llu of the logins were older than keep-sightings and are not kept\n",
		       (unsigned long long)counts->too_old);
	if (counts->too_new > 0)
		printf("%llu of them were dated more than a day ahead and are taken as of now\n",
		       (unsigned long long)counts->too_new);
}

bool import_logs_pass(struct log_importer *importer, const struct policy *policy, size_t *problems)
{
	return policy->log_count == 0 || log_importer_pass(importer, policy->logs, true, problems);
}

static int report_failure(const struct store_failure *failure)
{
	fprintf(stderr, "portcullis import: %s\n", failure->text);
	return failure->status == 0 ? EX_IOERR : failure->status;
}

int import_logs_once(struct store *store, const struct loaded_policy *loaded,
		     const struct importer_options *options, char *const logs[], bool quiet)
{
	const struct edition edition = loaded_edition(loaded);
	struct log_importer *importer = log_importer_create(store, &edition, options, &stop_signal);
	size_t problems = 0;
	bool fine = log_importer_pass(importer, logs, false, &problems);
	int status = problems > 0 ? EX_IOERR : EXIT_SUCCESS;

	if (!fine)
		status = report_failure(log_importer_failure(importer));
	else if (!quiet)
		import_logs_print(log_importer_counts(importer));
	if (fine && stop_signal) {
		fputs("portcullis import: interrupted; the rest is imported by the next run\n",
		      stderr);
		status = EX_TEMPFAIL;
	}
	log_importer_free(importer);
	return status;
}
