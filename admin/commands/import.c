#include <getopt.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "admin/exemptions/shared-files-thread.h"
#include "admin/exemptions/shared-files.h"
#include "admin/journal/journal-file.h"
#include "admin/questions/loaded-policy.h"
#include "admin/questions/own-host.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"
#include "import-logs.h"
#include "import-report.h"
#include "importers.h"
#include "policy/file-stamp.h"

/* In a service, files are renamed when they are that large or that old. */
#define ROTATE_SIZE ((uint64_t)16 << 20)
#define ROTATE_INTERVAL INT64_C(3600000)

#define FOLLOW_MILLISECONDS 1000
#define RETRY_MILLISECONDS 10000
/* When the store fails: twice as long each time, up to this. */
#define RETRY_STORE_MILLISECONDS 1000
#define RETRY_STORE_MILLISECONDS_MAX 60000
/* What other hosts have ordered is waited for by an import that ends. */
#define ORDERS_MILLISECONDS 30000
#define ORDERS_STEP_MILLISECONDS 500
/* The same trouble is told again after so long. */
#define TELL_MILLISECONDS 600000

static const struct command_help help = {
	.name = "import",
	.usage = "[--follow | [--at DATE] [--force]] [--quiet]\n"
		 "--log [--at DATE] [--force] [--quiet] FILE|DIRECTORY...",
	.description =
		"Takes what the servers recorded from the journal into the store, and removes "
		"what is older than the configuration wants it kept. With --log, takes the logins "
		"that mail logs tell of, each once, however often they are read.",
	.closing =
		"Lines that cannot be understood are kept in the file set-aside in the journal's "
		"directory.",
};

/* Of other hosts that share the store. What a server is just writing may keep one of them from
   being carried out: then the next import does. NULL, or why the store fails. */
static const struct store_failure *carry_out_orders(const struct importers *importers)
{
	const struct store_failure *failure = NULL;
	unsigned int waited = 0;

	if (!forgetting_look(importers->forgetting))
		return importer_failure(importers->journal);
	while (failure == NULL && forgetting_goes_on(importers->forgetting) && !stop_signal &&
	       waited < ORDERS_MILLISECONDS) {
		struct importer_rest rest;
		size_t problems;

		failure = importers_pass(importers, UINT64_MAX, &rest, &problems);
		stop_signal_sleep(ORDERS_STEP_MILLISECONDS);
		waited += ORDERS_STEP_MILLISECONDS;
	}
	return failure;
}

static int import_once(const struct importers *importers, struct store *store, bool quiet)
{
	struct importer *importer = importers->journal;
	const struct store_failure *failure;
	struct importer_rest rest;
	size_t log_problems = 0;

	if (!importer_pass(importer, 0, &rest))
		return import_report_failure(importer_failure(importer));
	/* What a writer without a lock may still append to. */
	if (rest.soon > 0 && rest.problems == 0 && !stop_signal) {
		stop_signal_sleep(JOURNAL_QUIET_SECONDS * 1000 + 100);
		if (!stop_signal && !importer_pass(importer, UINT64_MAX, &rest))
			return import_report_failure(importer_failure(importer));
	}
	importer_end_progress(importer);
	if (!stop_signal &&
	    !import_logs_pass(importers->logs, importers->loaded.policy, &log_problems))
		return import_report_failure(log_importer_failure(importers->logs));
	failure = stop_signal ? NULL : carry_out_orders(importers);
	if (failure != NULL)
		return import_report_failure(failure);
	if (!stop_signal && !importer_expire(importer))
		return import_report_failure(importer_failure(importer));
	if (!stop_signal && !own_host_tell(importers->host, store))
		return import_report_failure(store_failure(store));
	importer_end_progress(importer);
	if (importer_held_back(importer) != 0)
		import_report_held_back(stdout, importer_held_back(importer));
	if (!quiet)
		import_report_records(importer_counts(importer));
	if (!quiet && importers->logs != NULL)
		import_report_logs(log_importer_counts(importers->logs));
	if (stop_signal) {
		fputs("portcullis import: interrupted; the rest stays in the journal\n", stderr);
		return EX_TEMPFAIL;
	}
	if (rest.problems > 0)
		return rest.status;
	return log_problems > 0 ? EX_IOERR : EXIT_SUCCESS;
}

/* What a service works with. */
struct follower {
	const char *config_path;
	struct policy *policy;
	struct file_stamp configuration; /* the file that it was read from, as it was */
	/* What was told last, and when. */
	char told[sizeof(((struct store_failure *)NULL)->text)];
	int64_t told_at;
	bool is_away;  /* the store's server is, which was told */
	int64_t pause; /* after the last failure of the store, in milliseconds; 0: there is none */
};

/* That a server is away is told once, whatever it then fails with until it is back. */
static void report_news(struct follower *follower, const struct store_failure *failure, int64_t now)
{
	bool was_away = follower->is_away;

	follower->is_away = failure->away;
	if (was_away && failure->away)
		return;
	if (strcmp(failure->text, follower->told) == 0 &&
	    llabs(now - follower->told_at) < TELL_MILLISECONDS)
		return;
	strcpy(follower->told, failure->text);
	follower->told_at = now;
	import_report_failure(failure);
}

static void report_success(struct follower *follower)
{
	if (follower->is_away) {
		fputs("portcullis import: the store can be reached again\n", stderr);
		/* When it is away the next time, that is news. */
		follower->told[0] = '\0';
	}
	follower->is_away = false;
	follower->pause = 0;
}

/* Of many hosts, not all come back at the same moment. */
static void wait_for_store(struct follower *follower)
{
	follower->pause =
		CLAMP(follower->pause * 2, RETRY_STORE_MILLISECONDS, RETRY_STORE_MILLISECONDS_MAX);
	stop_signal_sleep(
		g_random_int_range((gint32)follower->pause / 2, (gint32)follower->pause + 1));
}

/* Once for each change of the file. A file that is missing for a moment is being replaced. */
static bool configuration_has_changed(struct follower *follower)
{
	const struct file_stamp before = follower->configuration;
	const struct file_stamp now = file_stamp(follower->config_path);

	if (now.inode == 0)
		return false;
	follower->configuration = now;
	return !file_stamp_same(&now, &before);
}

/* The old one stays when the new one is wrong, which is said. */
static void read_configuration(struct follower *follower)
{
	struct policy *policy = policy_load_alone(follower->config_path);

	if (policy == NULL)
		return;
	policy_free(follower->policy);
	follower->policy = policy;
}

/* What lasts as long as the store is open. Somebody may put another one in its place. */
static bool may_be_mended(int status)
{
	return status == EX_DATAERR || status == EX_SOFTWARE;
}

/* Takes all that there is by now. *problems_r: files that there is trouble with. NULL, or why
   the store fails. */
static const struct store_failure *follow_pass(const struct importers *importers,
					       struct store *store, uint64_t rotate_size,
					       size_t *problems_r)
{
	const struct store_failure *failure;
	struct importer_rest rest;

	failure = importers_pass(importers, rotate_size, &rest, problems_r);
	if (failure != NULL)
		return failure;
	if (!importer_expire(importers->journal))
		return importer_failure(importers->journal);
	return own_host_tell(importers->host, store) ? NULL : store_failure(store);
}

/* Until it is stopped, the configuration changes, or the store fails for good. Returns an
   exit status. */
static int follow_records(struct follower *follower, const struct importers *importers,
			  struct store *store)
{
	const time_t changed = loaded_changed(&importers->loaded);
	struct importer *importer = importers->journal;
	int64_t rotated = 0, held_back = 0;

	/* Logins of logs are judged here, so what they are judged by is read again, too. */
	while (!stop_signal && !configuration_has_changed(follower) &&
	       (importers->logs == NULL || loaded_changed(&importers->loaded) == changed)) {
		int64_t now = importer_now(importer);
		bool rotate_all = llabs(now - rotated) >= ROTATE_INTERVAL;
		const struct store_failure *failure;
		size_t problems;
		int status;

		failure = follow_pass(importers, store, rotate_all ? 0 : ROTATE_SIZE, &problems);
		if (failure == NULL) {
			report_success(follower);
			if (importer_held_back(importer) != held_back) {
				held_back = importer_held_back(importer);
				if (held_back != 0)
					import_report_held_back(stderr, held_back);
			}
			if (rotate_all)
				rotated = now;
			stop_signal_sleep(problems > 0 ? RETRY_MILLISECONDS : FOLLOW_MILLISECONDS);
			continue;
		}
		report_news(follower, failure, now);
		status = import_failure_status(failure);
		if (may_be_mended(status))
			return status;
		wait_for_store(follower);
	}
	return EXIT_SUCCESS;
}

static struct store *open_store(const struct policy *policy, struct store_failure *failure_r)
{
	/* The servers' accounts are in the group of the journal. */
	store_keep_from_writers(policy->store, policy->journal);
	return store_open(policy->store, policy->host, STORE_WRITE, failure_r);
}

/* As above, with the store opened anew: a damaged one is moved away, and the next begins. */
static int follow_once(struct follower *follower)
{
	static const struct importer_options options = {.following = true};
	struct store_failure failure;
	struct store *store = open_store(follower->policy, &failure);
	struct shared_files_thread *shared_files;
	struct importers importers;
	int status;

	if (store == NULL) {
		report_news(follower, &failure, (int64_t)time(NULL) * 1000);
		return import_failure_status(&failure);
	}
	importers_begin(&importers, store, follower->policy, &options);
	shared_files = shared_files_thread_start(follower->policy);
	status = follow_records(follower, &importers, store);
	shared_files_thread_stop(shared_files);
	importers_end(&importers);
	store_close(store);
	return status;
}

/* *policy: replaced when the configuration changes. */
static int follow(const char *config_path, struct policy **policy)
{
	struct follower follower = {.config_path = config_path, .policy = *policy};
	int status;

	configuration_has_changed(&follower);
	do {
		status = follow_once(&follower);
		if (status != EXIT_SUCCESS)
			wait_for_store(&follower);
		/* It may name another store. */
		if (!stop_signal &&
		    (status == EXIT_SUCCESS || configuration_has_changed(&follower)))
			read_configuration(&follower);
	} while (!stop_signal && (status == EXIT_SUCCESS || status == EX_TEMPFAIL ||
				  may_be_mended(status) || follower.is_away));
	*policy = follower.policy;
	return stop_signal ? EXIT_SUCCESS : status;
}

/* Besides that which ends. */
enum form { FORM_FOLLOW = 1, FORM_LOG };

/* The command line. */
struct options {
	bool following, of_logs, forced, quiet;
	time_t at; /* 0: not given */
};

static struct importer_options options_of(const struct options *options)
{
	return (struct importer_options){
		.at = (int64_t)options->at * 1000,
		.forced = options->forced,
	};
}

static int import_logs(struct policy *policy, const struct options *options, char *const logs[])
{
	const struct importer_options importer_options = options_of(options);
	struct loaded_policy loaded = {.policy = policy};
	struct store_failure failure;
	struct store *store = open_store(policy, &failure);
	int status;

	if (store == NULL)
		return import_report_failure(&failure);
	policy_load_files(&loaded);
	status = import_logs_once(store, &loaded, &importer_options, logs, options->quiet);
	policy_unload_files(&loaded);
	store_close(store);
	return status;
}

/* False when the store fails. */
static bool write_shared_files(struct store *store, const struct policy *policy)
{
	struct shared_files *files;
	bool settled = false, fine = true;

	if (!shared_files_are_wanted(policy))
		return true;
	files = shared_files_create(policy);
	while (fine && !settled && !stop_signal)
		fine = shared_files_look(files, store, &settled);
	shared_files_free(files);
	return fine;
}

static int import_records(struct policy *policy, const struct options *options)
{
	const struct importer_options importer_options = options_of(options);
	struct store_failure failure;
	struct store *store = open_store(policy, &failure);
	struct importers importers;
	int status;

	if (store == NULL)
		return import_report_failure(&failure);
	if (!write_shared_files(store, policy)) {
		status = import_report_failure(store_failure(store));
	} else {
		importers_begin(&importers, store, policy, &importer_options);
		status = import_once(&importers, store, options->quiet);
		importers_end(&importers);
	}
	store_close(store);
	return status;
}

static bool check_operands(const struct options *options, int argc, char **argv, int *status_r)
{
	if (!options->of_logs && optind < argc)
		*status_r = usage_error("import", "unexpected argument '%s'", argv[optind]);
	else if (options->of_logs && optind == argc)
		*status_r = usage_error("import", "--log needs the logs' names");
	for (int i = optind; *status_r == 0 && i < argc; i++) {
		if (strcmp(argv[i], "-") == 0)
			*status_r = usage_error("import", "--log needs files: of a pipe nobody "
							  "knows next time how far it was read");
	}
	return *status_r == 0;
}

int import_command(const char *config_path, int argc, char **argv)
{
	struct options options = {0};
	const struct command_option known[] = {
		{"follow", 'f', NULL, "go on until SIGTERM or SIGINT", .flag = &options.following,
		 .makes = FORM_FOLLOW},
		{"log", 'l', NULL, "import the mail logs that are named, not the journal",
		 .flag = &options.of_logs, .makes = FORM_LOG},
		{"at", '\0', "DATE", "judge ages as of this time instead of now",
		 .date = &options.at, .forms = COMMAND_FORM(0) | COMMAND_FORM(FORM_LOG)},
		{"force", '\0', NULL,
		 "believe the time, though the clock or the records say that it is another",
		 .flag = &options.forced, .forms = COMMAND_FORM(0) | COMMAND_FORM(FORM_LOG)},
		{"quiet", 'q', NULL, "do not say how much was imported", .flag = &options.quiet},
		{0},
	};
	struct policy *policy;
	int status;

	if (!command_options_read(argc, argv, &help, known, &status) ||
	    !check_operands(&options, argc, argv, &status))
		return status;
	status = policy_load_as_owner(config_path, &policy);
	if (status != 0)
		return status;
	stop_signal_catch();
	/* Someone may open a file just when the kernel is asked who has it open. */
	signal(SIGIO, SIG_IGN);
	if (options.of_logs)
		status = import_logs(policy, &options, argv + optind);
	else
		status = options.following ? follow(config_path, &policy)
					   : import_records(policy, &options);
	policy_free(policy);
	return status;
}
