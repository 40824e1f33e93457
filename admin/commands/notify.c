#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/delivery/message-id.h"
#include "admin/files/account.h"
#include "admin/files/directory.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/notices/notify-report.h"
#include "admin/questions/loaded-policy.h"
#include "admin/store/rule-titles.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"

static const struct command_help help = {
	.name = "notify",
	.usage = "[OPTION...]",
	.description =
		"Writes to the people who still depend on what is being retired, each in time "
		"and once. Run it every hour, after an import.",
	.closing =
		"Exit status: 0 fine, 1 some mails were not taken (with --preview: there is "
		"nothing to tell), 67 the user of --preview has no address, 69 no mail can leave, "
		"75 another run is under way, or this one was interrupted.",
};

struct options {
	time_t at; /* 0: now */
	bool at_is_day;
	const char *preview, *to;
	bool dry_run, quiet, json;
};

/* Returns 0 or EX_USAGE. */
static int check_options(const struct options *options)
{
	if (options->dry_run + (options->preview != NULL) + (options->to != NULL) > 1)
		return usage_error("notify",
				   "--dry-run, --preview and --to cannot be used together");
	if (options->to != NULL && !mail_address_is_valid(options->to))
		return usage_error("notify", "--to: '%s' is not a mail address", options->to);
	if (options->json && !options->dry_run)
		return usage_error("notify", "--json works only with --dry-run");
	return 0;
}

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"at", '\0', "DATE",
		 "as if it were \"YYYY-MM-DD HH:MM\"; a day alone means the end of its quiet hours",
		 .date = &options->at, .day_alone = &options->at_is_day},
		{"dry-run", 'n', NULL, "print who would be told and why, and send nothing",
		 .flag = &options->dry_run},
		{"preview", '\0', "USER", "print the mail that USER would get, and send nothing",
		 .text = &options->preview},
		{"to", '\0', "ADDRESS", "send all mails to ADDRESS instead, and record nothing",
		 .text = &options->to},
		{"quiet", 'q', NULL, "do not print what was done", .flag = &options->quiet},
		{"json", 'j', NULL, "with --dry-run, print JSON", .flag = &options->json},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	*status_r = check_options(options);
	return *status_r == 0;
}

/* ---- all that a run needs ---- */

struct notifier {
	struct loaded_policy loaded;
	struct edition edition;
	struct notice_texts *texts;
	struct notify_run run;
	int lock;
};

static void notifier_close(struct notifier *notifier)
{
	struct notify_run *run = &notifier->run;

	notify_run_clear(run);
	notice_transport_close(run->transport);
	address_map_close(run->addresses);
	notice_composer_free(run->composer);
	notice_people_free(run->people);
	notice_texts_free(notifier->texts);
	store_close(run->writer);
	store_close(run->reader);
	if (notifier->lock >= 0)
		close(notifier->lock);
	policy_unload(&notifier->loaded);
}

static bool open_store(const struct policy *policy, enum store_access access,
		       struct store **store_r, int *status_r)
{
	struct store_failure failure;

	*store_r = store_open(policy->store, access, &failure);
	if (*store_r != NULL)
		return true;
	fprintf(stderr, "portcullis notify: %s\n", failure.text);
	*status_r = failure.status;
	return false;
}

/* One run at a time. The lock lies beside the journal, and ends with the process. */
static bool take_lock(struct notifier *notifier, int *status_r)
{
	char *folder = g_path_get_dirname(notifier->loaded.policy->journal);
	char *path = g_build_filename(folder, "notify.lock", NULL);
	const char *name;
	int directory = directory_open_of(path, &name);
	int lock = directory < 0 ? -1 : file_open(directory, name, O_RDONLY | O_CREAT, 0600);

	if (lock >= 0 && file_lock(lock, 0)) {
		notifier->lock = lock;
	} else if (lock >= 0 && errno == EWOULDBLOCK) {
		fputs("portcullis notify: another run is under way\n", stderr);
		*status_r = EX_TEMPFAIL;
	} else {
		fprintf(stderr, "portcullis notify: %s: %s\n", path, file_problem(errno));
		*status_r = EX_CANTCREAT;
	}
	if (lock >= 0 && notifier->lock < 0)
		close(lock);
	if (directory >= 0)
		close(directory);
	g_free(path);
	g_free(folder);
	return notifier->lock >= 0;
}

/* A day's time is the end of its quiet hours. */
static time_t working_hour(const struct quiet_hours *hours, time_t day)
{
	time_t end = day + 86400;

	while (day < end && quiet_hours_contain(hours, day))
		day += 60;
	return day;
}

/* Returns 0, or an exit status after saying what is wrong; close it in any case. */
static int notifier_open(struct notifier *notifier, const char *config_path,
			 const struct options *options)
{
	struct notify_run *run = &notifier->run;
	const struct policy *policy;
	bool sends = !options->dry_run && options->preview == NULL;
	int status = EX_OSERR;

	*notifier = (struct notifier){.lock = -1};
	notify_run_init(run);
	if (!policy_load(config_path, &notifier->loaded))
		return EX_CONFIG;
	policy = notifier->loaded.policy;
	if (!account_become_owner(policy_records(policy)))
		return EX_NOPERM;
	notifier->edition = loaded_edition(&notifier->loaded);
	run->policy = policy;
	run->to = options->to;
	run->begin = options->at == 0 ? time(NULL) : options->at;
	if (options->at_is_day)
		run->begin = working_hour(&policy->notices.quiet_hours, options->at);
	if (!notices_are_configured(&policy->notices)) {
		fprintf(stderr, "%s: there is no sender: notices { from = ... } is missing\n",
			config_path);
		return EX_CONFIG;
	}
	/* A file that is not there lets nobody off; one that cannot be read may. */
	if (policy->exemptions != NULL && notifier->edition.exemptions == NULL &&
	    access(policy->exemptions, F_OK) == 0) {
		fputs("portcullis notify: without the exemptions, the wrong people would be told\n",
		      stderr);
		return EX_CONFIG;
	}
	notifier->texts = notice_texts_load(policy, report_error, NULL);
	if (notifier->texts == NULL)
		return EX_CONFIG;
	run->addresses = address_map_open(policy, report_error, NULL);
	if (run->addresses == NULL)
		return EX_CONFIG;
	if ((sends && !take_lock(notifier, &status)) ||
	    !open_store(policy, STORE_READ, &run->reader, &status) ||
	    (sends && run->to == NULL && !open_store(policy, STORE_WRITE, &run->writer, &status)))
		return status;
	run->people = notice_people_create(&notifier->edition);
	run->composer = notice_composer_create(policy, notifier->texts);
	run->transport = notice_transport_open(&policy->notices.transport);
	if (run->composer != NULL && run->transport != NULL)
		return 0;
	fputs("portcullis notify: out of memory\n", stderr);
	return EX_OSERR;
}

/* ---- --dry-run ---- */

static const struct column due_columns[] = {
	{"USER", "user", COLUMN_SHRINKS},     {"ADDRESS", "recipient", COLUMN_SHRINKS_FIRST},
	{"REASON", "reason", COLUMN_TEXT},    {"RULES", "rules", COLUMN_SHRINKS},
	{"ENFORCED", "enforce", COLUMN_TEXT},
};

struct due_listing {
	const struct policy *policy;
	struct listing *listing;
};

static void list_due(void *context, const struct notify_due *due)
{
	const struct due_listing *listing = context;
	bool dated = due->first_date != SCHEDULE_NEVER;
	char date[DATE_TEXT_SIZE], day[ISO_DAY_TEXT_SIZE];
	char *rules = rule_titles_format(listing->policy, due->rules);
	const struct cell cells[G_N_ELEMENTS(due_columns)] = {
		cell_text(due->user),
		cell_text_shown(due->address, due->address == NULL ? "none" : NULL),
		cell_text(notice_reason_name(due->reason)),
		cell_list(rules),
		cell_text_shown(dated ? date : NULL,
				dated ? iso_day_format(due->first_date, day) : NULL),
	};

	date_format(due->first_date, date);
	listing_add(listing->listing, cells);
	g_free(rules);
}

static void print_due(struct notify_run *run, bool json)
{
	struct due_listing listing = {
		.policy = run->policy,
		.listing = listing_begin(json ? LISTING_JSON : LISTING_TABLE, due_columns,
					 G_N_ELEMENTS(due_columns)),
	};

	notify_run_each_due(run, list_due, &listing);
	listing_end(listing.listing, "Nobody.");
}

static int dry_run(struct notify_run *run, bool json)
{
	if (!notify_run_plan(run)) {
		fprintf(stderr, "portcullis notify: %s\n", run->error);
		return run->store_status;
	}
	print_due(run, json);
	if (run->error == NULL)
		return EXIT_SUCCESS;
	fprintf(stderr, "portcullis notify: %s\n", run->error);
	return EX_UNAVAILABLE;
}

/* ---- --preview ---- */

struct preview {
	struct notify_run *run;
	int status;
};

static bool print_preview(void *context, const struct notice_candidate *candidate)
{
	struct preview *preview = context;
	struct notify_run *run = preview->run;
	struct notice_candidate shown = *candidate;
	char address[MAIL_ADDRESS_SIZE], message_id[MESSAGE_ID_SIZE];
	const char *error;
	size_t length;
	char *mail = NULL;

	if (!shown.plan.due && shown.plan.rules == 0)
		return false;
	if (!shown.plan.due) {
		fputs("portcullis notify: nothing is due for this user now; this is what it would "
		      "be\n",
		      stderr);
		shown.plan.reason = shown.told ? NOTICE_REMINDER : NOTICE_FIRST;
	}
	message_id_make(run->policy->notices.from, message_id);
	preview->status = EX_NOUSER;
	switch (address_map_find(run->addresses, candidate->user, address, &error)) {
	case ADDRESS_FOUND:
		mail = notify_compose(run->composer, &shown, address, message_id,
				      notify_run_now(run), &length, &error);
		break;
	case ADDRESS_NONE:
		error = "there is no address for this user";
		break;
	case ADDRESS_FAILED:
		preview->status = EX_UNAVAILABLE;
		break;
	}
	if (mail == NULL) {
		fprintf(stderr, "portcullis notify: %s\n", error);
		return false;
	}
	fwrite(mail, 1, length, stdout);
	free(mail);
	preview->status = EXIT_SUCCESS;
	return false;
}

static int preview(struct notify_run *run, const char *user)
{
	struct preview preview = {.run = run, .status = EXIT_NO};
	char normalised[USER_SIZE];

	user_normalise(user, run->policy->default_domain, normalised, sizeof(normalised));
	if (!notice_people_begin(run->people, run->reader) ||
	    !notice_people_each(run->people, normalised, notify_run_now(run), print_preview,
				&preview)) {
		fprintf(stderr, "portcullis notify: %s\n", store_failure(run->reader)->text);
		return store_failure(run->reader)->status;
	}
	if (preview.status == EXIT_NO)
		fputs("portcullis notify: there is nothing to tell this user\n", stderr);
	return preview.status;
}

/* ---- sending ---- */

static void tell(struct notify_run *run, bool quiet)
{
	char *text = notify_report(run), *subject = notify_report_subject(run);

	if (!quiet)
		fputs(text, stdout);
	/* A run of every hour that did nothing says nothing. */
	if (run->tried > 0 && run->stop != NOTIFY_UNAVAILABLE)
		notify_run_tell_operator(run, subject, text);
	g_free(text);
	g_free(subject);
}

static int notify_all(struct notify_run *run, bool quiet)
{
	stop_signal_catch();
	signal(SIGPIPE, SIG_IGN);
	if (notify_run_plan(run)) {
		notify_run_send(run);
		tell(run, quiet);
	}
	if (run->error != NULL)
		fprintf(stderr, "portcullis notify: %s\n", run->error);
	switch (run->stop) {
	case NOTIFY_STORE_FAILED:
		return run->store_status;
	case NOTIFY_UNAVAILABLE:
		return EX_UNAVAILABLE;
	case NOTIFY_INTERRUPTED:
		return EX_TEMPFAIL;
	default:
		return run->counts.refused + run->counts.later > 0 ? EXIT_NO : EXIT_SUCCESS;
	}
}

int notify_command(const char *config_path, int argc, char **argv)
{
	struct notifier notifier;
	struct options options = {0};
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	status = notifier_open(&notifier, config_path, &options);
	if (status == 0) {
		if (options.dry_run)
			status = dry_run(&notifier.run, options.json);
		else if (options.preview != NULL)
			status = preview(&notifier.run, options.preview);
		else
			status = notify_all(&notifier.run, options.quiet);
	}
	notifier_close(&notifier);
	return status;
}
