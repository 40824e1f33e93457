#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/journal/importer.h"
#include "admin/journal/journal-file.h"
#include "admin/questions/loaded-policy.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"

/* In a service, files are renamed when they are that large or that old. */
#define ROTATE_SIZE ((uint64_t)16 << 20)
#define ROTATE_INTERVAL INT64_C(3600000)

#define FOLLOW_MILLISECONDS 1000
#define RETRY_MILLISECONDS 10000
/* The same trouble is told again after so long. */
#define TELL_MILLISECONDS 600000

static const struct command_help help = {
	.name = "import",
	.usage = "[--follow | [--at DATE] [--force]] [--quiet]",
	.description =
		"Takes what the servers recorded from the journal into the store, and removes "
		"what is older than the configuration wants it kept.",
	.closing =
		"Lines that cannot be understood are kept in the file set-aside in the journal's "
		"directory.",
};

static int failure_status(const struct store *store)
{
	int status = store_failure(store)->status;

	return status == 0 ? EX_IOERR : status;
}

static int report_failure(const struct store *store)
{
	const struct store_failure *failure = store_failure(store);

	/* Without a text, it was said already. */
	if (failure->text[0] != '\0')
		fprintf(stderr, "portcullis import: %s\n", failure->text);
	return failure_status(store);
}

static void print_summary(const struct importer_counts *counts)
{
	printf("%llu lines imported, %llu set aside, %llu lost by the servers\n",
	       (unsigned long long)counts->lines, (unsigned long long)counts->set_aside,
	       (unsigned long long)counts->lost);
	if (counts->too_old > 0)
		printf("%llu of them were older than keep-sightings and are not kept\n",
		       (unsigned long long)counts->too_old);
	if (counts->too_new > 0)
		printf("%llu of them were dated more than a day ahead and are taken as of now\n",
		       (unsigned long long)counts->too_new);
}

/* What the configuration promises those who are recorded is not done. */
static void print_held_back(FILE *file, int64_t newest)
{
	char date[DATE_TEXT_SIZE];

	date_format((time_t)(newest / 1000), date);
	fprintf(file,
		"portcullis import: the newest record is of %s, so what is older than "
		"keep-addresses or keep-sightings by now is not erased, lest a wrong clock erase "
		"all; --force does\n",
		date);
}

static int import_once(struct importer *importer, const struct store *store, bool forced,
		       bool quiet)
{
	struct importer_rest rest;

	if (!importer_pass(importer, 0, &rest))
		return report_failure(store);
	/* What a writer without a lock may still append to. */
	if (rest.soon > 0 && rest.problems == 0 && !stop_signal) {
		stop_signal_sleep(JOURNAL_QUIET_SECONDS * 1000 + 100);
		if (!stop_signal && !importer_pass(importer, UINT64_MAX, &rest))
			return report_failure(store);
	}
	if (!stop_signal && !importer_expire(importer, forced))
		return report_failure(store);
	importer_end_progress(importer);
	if (importer_held_back(importer) != 0)
		print_held_back(stdout, importer_held_back(importer));
	if (!quiet)
		print_summary(importer_counts(importer));
	if (stop_signal) {
		fputs("portcullis import: interrupted; the rest stays in the journal\n", stderr);
		return EX_TEMPFAIL;
	}
	return rest.problems > 0 ? rest.status : EXIT_SUCCESS;
}

/* What does not mend itself ends a service. */
static bool is_lasting(int status)
{
	return status == EX_DATAERR || status == EX_SOFTWARE || status == EX_UNAVAILABLE;
}

/* What a service told last. */
struct told {
	char text[sizeof(((struct store_failure *)NULL)->text)];
	int64_t time;
};

static void report_news(const struct store *store, struct told *told, int64_t now)
{
	const char *text = store_failure(store)->text;

	if (strcmp(text, told->text) == 0 && llabs(now - told->time) < TELL_MILLISECONDS)
		return;
	strcpy(told->text, text);
	told->time = now;
	report_failure(store);
}

static int follow(struct importer *importer, const struct store *store)
{
	struct told told = {0};
	int64_t rotated = 0, held_back = 0;

	while (!stop_signal) {
		int64_t now = importer_now(importer);
		bool rotate_all = llabs(now - rotated) >= ROTATE_INTERVAL;
		struct importer_rest rest;
		int status;

		if (importer_pass(importer, rotate_all ? 0 : ROTATE_SIZE, &rest) &&
		    importer_expire(importer, false)) {
			if (importer_held_back(importer) != held_back) {
				held_back = importer_held_back(importer);
				if (held_back != 0)
					print_held_back(stderr, held_back);
			}
			if (rotate_all)
				rotated = now;
			stop_signal_sleep(rest.problems > 0 ? RETRY_MILLISECONDS
							    : FOLLOW_MILLISECONDS);
			continue;
		}
		report_news(store, &told, now);
		status = failure_status(store);
		if (is_lasting(status))
			return status;
		stop_signal_sleep(RETRY_MILLISECONDS);
	}
	return EXIT_SUCCESS;
}

/* The command line. */
struct options {
	bool following, forced, quiet;
	time_t at; /* 0: not given */
};

static int import_journal(const struct policy *policy, const struct options *options)
{
	struct store_failure failure;
	struct importer *importer;
	struct store *store;
	int status;

	/* The servers' accounts are in the group of the journal. */
	store_keep_from_writers(policy->store, policy->journal);
	store = store_open(policy->store, STORE_WRITE, &failure);
	if (store == NULL) {
		fprintf(stderr, "portcullis import: %s\n", failure.text);
		return failure.status;
	}
	stop_signal_catch();
	/* Someone may open a file just when the kernel is asked who has it open. */
	signal(SIGIO, SIG_IGN);
	importer = importer_create(store, policy, (int64_t)options->at * 1000, options->following,
				   &stop_signal);
	status = options->following ? follow(importer, store)
				    : import_once(importer, store, options->forced, options->quiet);
	importer_free(importer);
	store_close(store);
	return status;
}

int import_command(const char *config_path, int argc, char **argv)
{
	struct options options = {0};
	const struct command_option known[] = {
		{"follow", 'f', NULL, "go on until SIGTERM or SIGINT", .flag = &options.following},
		{"at", '\0', "DATE", "judge ages as of this time instead of now",
		 .date = &options.at},
		{"force", '\0', NULL,
		 "erase what has expired even if the newest record is more than two days old",
		 .flag = &options.forced},
		{"quiet", 'q', NULL, "do not say how much was imported", .flag = &options.quiet},
		{0},
	};
	struct policy *policy;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	if (options.following && (options.at != 0 || options.forced))
		return usage_error("import", "--follow and %s cannot be used together",
				   options.at != 0 ? "--at" : "--force");
	status = policy_load_as_owner(config_path, &policy);
	if (status != 0)
		return status;
	status = import_journal(policy, &options);
	policy_free(policy);
	return status;
}
