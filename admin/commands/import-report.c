#include "import-report.h"

#include <inttypes.h>
#include <sysexits.h>

/* whose: "them" of what was told before. */
static void print_times(const char *whose, uint64_t too_old, uint64_t too_new)
{
	if (too_old > 0)
		printf("%" PRIu64 " of %s were older than keep-sightings and are not kept\n",
		       too_old, whose);
	if (too_new > 0)
		printf("%" PRIu64 " of %s were dated more than a day ahead and are taken as of "
		       "now\n",
		       too_new, whose);
}

void import_report_records(const struct importer_counts *counts)
{
	printf("%" PRIu64 " lines imported, %" PRIu64 " set aside, %" PRIu64
	       " lost by the servers\n",
	       counts->lines, counts->set_aside, counts->lost);
	print_times("them", counts->too_old, counts->too_new);
}

void import_report_logs(const struct log_importer_counts *counts)
{
	printf("%" PRIu64 " lines of logs read, %" PRIu64 " logins found, %" PRIu64
	       " lines not understood\n",
	       counts->lines, counts->logins, counts->unknown);
	print_times("the logins", counts->too_old, counts->too_new);
}

void import_report_held_back(FILE *file, int64_t newest)
{
	char date[DATE_TEXT_SIZE];

	date_format((time_t)(newest / 1000), date);
	fprintf(file,
		"portcullis import: the newest record to rely on is of %s, so what is older than "
		"keep-addresses or keep-sightings by now is not erased, lest a wrong clock erase "
		"all; --force does\n",
		date);
}

int import_failure_status(const struct store_failure *failure)
{
	return failure->status == 0 ? EX_IOERR : failure->status;
}

int import_report_failure(const struct store_failure *failure)
{
	/* Without a text, it was said already. */
	if (failure->text[0] != '\0')
		fprintf(stderr, "portcullis import: %s\n", failure->text);
	return import_failure_status(failure);
}
