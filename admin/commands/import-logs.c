#include "import-logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "admin/terminal/stop-signal.h"
#include "import-report.h"

bool import_logs_pass(struct log_importer *importer, const struct policy *policy, size_t *problems)
{
	return policy->log_count == 0 || log_importer_pass(importer, policy->logs, true, problems);
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
		status = import_report_failure(log_importer_failure(importer));
	else if (!quiet)
		import_report_logs(log_importer_counts(importer));
	if (fine && stop_signal) {
		fputs("portcullis import: interrupted; the rest is imported by the next run\n",
		      stderr);
		status = EX_TEMPFAIL;
	}
	log_importer_free(importer);
	return status;
}
