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
#include "admin/notices/grace-file.h"
#include "admin/notices/notice-silence.h"
#include "admin/notices/notify-report.h"
#include "admin/questions/forecast-count.h"
#include "admin/questions/loaded-policy.h"
#include "admin/store/rule-titles.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"
#include "notify-lists.h"

static const struct command_help help = {
	.name = "notify",
	.usage = "[OPTION...]",
	.description =
		"Writes to the people who still depend on what is being retired, each in time "
		"and once. Run it every hour, after an import.",
	.closing =
		"Exit status: 0 fine, 1 some mails were not taken (with --preview: there is "
		"nothing to tell), 67 the user of --preview has no address, 69 no mail can leave, "
		"or the server of the store is away, 73 the file of grace cannot be written, 75 "
		"another run is under way, here or on another host, or this one was interrupted.",
};

/* Besides that which writes to people. */
enum form { FORM_DRY_RUN = 1, FORM_PREVIEW, FORM_TO, FORM_SEND, FORM_UNTOLD, FORM_CALL_LIST };

#define LISTS (COMMAND_FORM(FORM_UNTOLD) | COMMAND_FORM(FORM_CALL_LIST))
#define SENDS (COMMAND_FORM(0) | COMMAND_FORM(FORM_TO) | COMMAND_FORM(FORM_SEND))

struct options {
	time_t at; /* 0: now */
	bool at_is_day;
	const char *preview, *to;
	bool dry_run, untold, call_list, send, all, raw, quiet, json, csv;
};

/* Whether nobody is written to, and nothing recorded. */
static bool only_looks(const struct options *options)
{
	return options->dry_run || options->untold || options->call_list ||
	       options->preview != NULL;
}

static bool is_another_day(time_t at)
{
	char today[ISO_DAY_TEXT_SIZE], day[ISO_DAY_TEXT_SIZE];

	return strcmp(iso_day_format(time(NULL), today), iso_day_format(at, day)) != 0;
}

/* Returns 0 or EX_USAGE. */
static int check_options(const struct options *options)
{
	bool looks = only_looks(options) || options->to != NULL;

	if (options->at != 0 && !looks && !options->send && is_another_day(options->at))
		return usage_error("notify",
				   "--at another day would write to people, and record that, as "
				   "of then; if that is meant, add --send, or else --dry-run, "
				   "--preview or --to");
	if (options->to != NULL && !mail_address_is_valid(options->to))
		return usage_error("notify", "--to: '%s' is not a mail address", options->to);
	return 0;
}

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"at", '\0', "DATE",
		 "as if it were this time; a day alone means the end of its quiet hours",
		 .date = &options->at, .day_alone = &options->at_is_day},
		{"dry-run", 'n', NULL, "print who would be told and why, and send nothing",
		 .flag = &options->dry_run, .makes = FORM_DRY_RUN},
		{"preview", '\0', "USER",
		 "print the text of the mail that USER would get, and send nothing",
		 .text = &options->preview, .makes = FORM_PREVIEW},
		{"raw", '\0', NULL, "with --preview, print the whole mail", .flag = &options->raw,
		 .forms = COMMAND_FORM(FORM_PREVIEW)},
		{"untold", '\0', NULL, "list who cannot be told, or not in time, and why",
		 .flag = &options->untold, .makes = FORM_UNTOLD},
		{"call-list", '\0', NULL,
		 "list who was told often enough and has changed nothing, for the help desk",
		 .flag = &options->call_list, .makes = FORM_CALL_LIST},
		{"to", '\0', "ADDRESS",
		 "send a mail for each reason to ADDRESS, not to the people, and record nothing",
		 .text = &options->to, .makes = FORM_TO},
		{"all", 'a', NULL, "with --to, send all mails", .flag = &options->all,
		 .forms = COMMAND_FORM(FORM_TO)},
		{"send", '\0', NULL, "write to the people, also with --at another day",
		 .flag = &options->send, .makes = FORM_SEND},
		{"quiet", 'q', NULL, "do not print what was done", .flag = &options->quiet,
		 .forms = SENDS},
		{"csv", '\0', NULL, "print a list as CSV", .flag = &options->csv, .forms = LISTS},
		{"json", 'j', NULL, "with --dry-run or a list, print JSON", .flag = &options->json,
		 .forms = COMMAND_FORM(FORM_DRY_RUN) | LISTS},
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
	struct notify_setup setup;
	int lock;
};

static void notifier_close(struct notifier *notifier)
{
	const struct notify_setup *setup = &notifier->setup;

	notice_transport_close(setup->transport);
	address_map_close(setup->addresses);
	notice_composer_free(setup->composer);
	notice_people_free(setup->people);
	notice_texts_free(notifier->texts);
	store_close(setup->writer);
	store_close(setup->reader);
	if (notifier->lock >= 0)
		close(notifier->lock);
	policy_unload(&notifier->loaded);
}

static bool open_store(const struct policy *policy, enum store_access access,
		       struct store **store_r, int *status_r)
{
	struct store_failure failure;

	*store_r = store_open(policy->store, policy->host, access, &failure);
	if (*store_r != NULL)
		return true;
	fprintf(stderr, "portcullis notify: %s\n", failure.text);
	*status_r = notify_store_status(&failure);
	return false;
}

/* Of all hosts that share the store, one only writes to people. */
static bool lock_store(struct store *writer, int *status_r)
{
	char since[OFFSET_DATE_TEXT_SIZE];
	struct store_notifier other;
	bool locked;

	if (!store_lock_notices(writer, &locked, &other)) {
		fprintf(stderr, "portcullis notify: %s\n", store_failure(writer)->text);
		*status_r = notify_store_status(store_failure(writer));
		return false;
	}
	if (locked)
		return true;
	if (other.host[0] == '\0')
		fputs("portcullis notify: another run is under way, on another host\n", stderr);
	else
		fprintf(stderr,
			"portcullis notify: another run is under way, on host %s since %s\n",
			other.host, offset_date_format((time_t)(other.since / 1000), since));
	*status_r = EX_TEMPFAIL;
	return false;
}

/* One run at a time. The lock lies beside the records, and ends with the process. */
static bool take_lock(struct notifier *notifier, int *status_r)
{
	char *path = policy_beside_records(notifier->loaded.policy, "notify.lock");
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
	return notifier->lock >= 0;
}

/* A day's time is the end of its quiet hours. */
static time_t begin_of(const struct policy *policy, const struct options *options)
{
	if (options->at_is_day)
		return run_clock_working_hour(&policy->notices.quiet_hours, options->at);
	return options->at == 0 ? time(NULL) : options->at;
}

/* Returns 0, or an exit status after saying what is wrong; close it in any case. */
static int notifier_open(struct notifier *notifier, const char *config_path,
			 const struct options *options)
{
	struct notify_setup *setup = &notifier->setup;
	const struct policy *policy;
	bool sends = !only_looks(options);
	int status = EX_OSERR;

	*notifier = (struct notifier){.lock = -1};
	if (!policy_load(config_path, &notifier->loaded))
		return EX_CONFIG;
	policy = notifier->loaded.policy;
	if (!account_become_owner(policy_records(policy)))
		return EX_NOPERM;
	notifier->edition = loaded_edition(&notifier->loaded);
	setup->policy = policy;
	setup->to = options->to;
	setup->samples = options->to != NULL && !options->all;
	setup->clock = run_clock_start(begin_of(policy, options));
	if (!notices_are_configured(&policy->notices)) {
		fprintf(stderr, "%s: there is no sender: notices { from = ... } is missing\n",
			config_path);
		return EX_CONFIG;
	}
	/* Nor do the servers refuse anybody then. */
	if (policy->exemptions != NULL && notifier->edition.exemptions == NULL) {
		fputs("portcullis notify: without the exemptions, the wrong people would be told\n",
		      stderr);
		return EX_CONFIG;
	}
	notifier->texts = notice_texts_load(policy, report_error, NULL);
	if (notifier->texts == NULL)
		return EX_CONFIG;
	setup->addresses = address_map_open(policy, report_error, NULL);
	if (setup->addresses == NULL)
		return EX_CONFIG;
	if (!open_store(policy, STORE_READ, &setup->reader, &status) ||
	    (sends && setup->to == NULL &&
	     (!open_store(policy, STORE_WRITE, &setup->writer, &status) ||
	      !lock_store(setup->writer, &status))) ||
	    (sends && !take_lock(notifier, &status)))
		return status;
	setup->people = notice_people_create(&notifier->edition);
	setup->composer = notice_composer_create(policy, notifier->texts);
	setup->transport = notice_transport_open(&policy->notices.transport);
	return 0;
}

/* ---- --dry-run ---- */

static const struct column due_columns[] = {
	{"USER", "user", COLUMN_SHRINKS_LAST}, {"ADDRESS", "recipient", COLUMN_SHRINKS_FIRST},
	{"REASON", "reason", COLUMN_TEXT},     {"RULES", "rules", COLUMN_SHRINKS},
	{"ENFORCED", "enforce", COLUMN_WHOLE}, {NULL, "left_out", COLUMN_TEXT},
};

struct due_listing {
	const struct policy *policy;
	struct listing *listing;
	size_t told, without_address, outside; /* people */
};

/* Why somebody is not written to; NULL: nothing is known against it. */
static const char *left_out(enum address_found found)
{
	switch (found) {
	case ADDRESS_NONE:
		return "no address";
	case ADDRESS_OUTSIDE:
		return "other domain";
	case ADDRESS_FOUND:
	case ADDRESS_FAILED:
		break;
	}
	return NULL;
}

static void list_due(void *context, const struct due_entry *due, enum address_found found,
		     const char *address)
{
	struct due_listing *listing = context;
	bool dated = due->first_date != SCHEDULE_NEVER;
	char day[ISO_DAY_TEXT_SIZE];
	char *rules = rule_titles_format(listing->policy, due->rules);
	const struct cell cells[G_N_ELEMENTS(due_columns)] = {
		cell_text(due->user),
		cell_text_shown(address, left_out(found)),
		cell_text(notice_reason_name(due->reason)),
		cell_list(rules),
		cell_date(due->first_date, dated ? iso_day_format(due->first_date, day) : NULL),
		cell_text(left_out(found)),
	};

	listing_add(listing->listing, cells);
	listing->told += address != NULL;
	listing->without_address += found == ADDRESS_NONE;
	listing->outside += found == ADDRESS_OUTSIDE;
	g_free(rules);
}

static void print_total(const struct due_listing *listing)
{
	printf("\nWould be told: %zu.", listing->told);
	if (listing->without_address > 0)
		printf(" Without an address: %zu.", listing->without_address);
	if (listing->outside > 0)
		printf(" In no domain that is written to: %zu.", listing->outside);
	putchar('\n');
}

/* False, with *error_r set, as due_list_each() has it. */
static bool print_due(const struct notify_setup *setup, const struct due_list *list, bool json,
		      const char **error_r)
{
	struct due_listing listing = {
		.policy = setup->policy,
		.listing = listing_begin(json ? LISTING_JSON : LISTING_TABLE, due_columns,
					 G_N_ELEMENTS(due_columns)),
	};
	bool fine = due_list_each(list, setup->addresses, list_due, &listing, error_r);

	listing_end(listing.listing, "Nobody is told anything now.");
	if (!json && due_list_counts(list)->due > 0)
		print_total(&listing);
	return fine;
}

/* Returns an exit status. */
static int say_store_failed(const struct notify_setup *setup)
{
	fprintf(stderr, "portcullis notify: %s\n", store_failure(setup->reader)->text);
	return notify_store_status(store_failure(setup->reader));
}

/* NULL after saying what is wrong, with an exit status. */
static struct due_list *plan(const struct notify_setup *setup, int *status_r)
{
	struct due_list *list =
		due_list_create(setup->people, setup->reader, run_clock_now(&setup->clock));

	if (list == NULL)
		*status_r = say_store_failed(setup);
	return list;
}

/* Says why there is nothing. Returns status, or the store's exit status. */
static int explain_silence(const struct notify_setup *setup, const char *user, FILE *to, int status)
{
	char *why = notice_silence(setup->policy, setup->people, setup->reader, user,
				   run_clock_now(&setup->clock));

	if (why == NULL)
		return say_store_failed(setup);
	fputs(why, to);
	g_free(why);
	return status;
}

static int dry_run(const struct notify_setup *setup, bool json)
{
	int status = EXIT_SUCCESS;
	struct due_list *list = plan(setup, &status);
	const char *error;

	if (list == NULL)
		return status;
	if (!print_due(setup, list, json, &error)) {
		fprintf(stderr, "portcullis notify: %s\n", error);
		status = EX_UNAVAILABLE;
	}
	if (!json && due_list_counts(list)->due == 0)
		status = explain_silence(setup, NULL, stdout, status);
	due_list_free(list);
	return status;
}

/* ---- --preview ---- */

struct preview {
	const struct notify_setup *setup;
	bool raw;
	int status;
};

static void print_mail(const struct preview *preview, const char *mail, size_t length,
		       const char *recipient)
{
	const struct notice_composer *composer = preview->setup->composer;

	if (preview->raw)
		fwrite(mail, 1, length, stdout);
	else
		printf("To: %s\nSubject: %s\n\n%s", recipient, notice_composed_subject(composer),
		       notice_composed_text(composer));
}

static bool print_preview(void *context, const struct notice_candidate *candidate)
{
	struct preview *preview = context;
	const struct notify_setup *setup = preview->setup;
	struct notice_candidate shown = *candidate;
	char address[MAIL_ADDRESS_SIZE], message_id[MESSAGE_ID_SIZE];
	enum address_found found;
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
	message_id_make(setup->policy->notices.from, message_id);
	preview->status = EX_NOUSER;
	found = address_map_find(setup->addresses, candidate->user, address, &error);
	switch (found) {
	case ADDRESS_FOUND:
		mail = candidate_mail(setup->composer, setup->policy, &shown, address, message_id,
				      run_clock_now(&setup->clock), &length, &error);
		break;
	case ADDRESS_NONE:
	case ADDRESS_OUTSIDE:
		error = address_found_text(found);
		break;
	case ADDRESS_FAILED:
		preview->status = EX_UNAVAILABLE;
		break;
	}
	if (mail == NULL) {
		fprintf(stderr, "portcullis notify: %s\n", error);
		return false;
	}
	print_mail(preview, mail, length, address);
	g_free(mail);
	preview->status = EXIT_SUCCESS;
	return false;
}

static int preview(const struct notify_setup *setup, const char *user, bool raw)
{
	struct preview preview = {.setup = setup, .raw = raw, .status = EXIT_NO};
	char normalised[USER_SIZE];

	user_normalise(user, setup->policy->default_domain, normalised, sizeof(normalised));
	if (!notice_people_begin(setup->people, setup->reader) ||
	    !notice_people_each(setup->people, normalised, run_clock_now(&setup->clock),
				print_preview, &preview))
		return say_store_failed(setup);
	if (preview.status != EXIT_NO)
		return preview.status;
	store_rollback(setup->reader);
	fputs("portcullis notify: there is nothing to tell this user\n", stderr);
	return explain_silence(setup, normalised, stderr, EXIT_NO);
}

/* ---- --untold, --call-list ---- */

static int list_people(const struct notify_setup *setup, const struct options *options)
{
	enum desk_list list = options->untold ? DESK_UNTOLD : DESK_CALLS;
	int status = EX_UNAVAILABLE;
	const char *error = NULL;
	GArray *entries = NULL;

	if (store_begin_reading(setup->reader))
		entries = desk_list_create(list, setup->people, setup->reader, setup->addresses,
					   run_clock_now(&setup->clock), &error);
	if (entries != NULL) {
		notify_list_print(list, setup->policy, entries,
				  listing_format(options->csv, options->json));
		g_array_unref(entries);
		return EXIT_SUCCESS;
	}
	if (error == NULL) {
		error = store_failure(setup->reader)->text;
		status = notify_store_status(store_failure(setup->reader));
	}
	fprintf(stderr, "portcullis notify: %s\n", error);
	return status;
}

/* ---- sending ---- */

/* False when the store fails. */
static bool count_open(const struct notifier *notifier, struct open_people *open_r)
{
	struct store *store = notifier->setup.reader;
	struct forecast forecast = {0};
	bool counted =
		store_begin_reading(store) && forecast_open(&forecast, store, &notifier->edition,
							    run_clock_now(&notifier->setup.clock));

	store_rollback(store);
	*open_r = (struct open_people){
		.all = forecast_people(forecast.locked_out + forecast.partly),
		.told = forecast_people(forecast.told_affected),
	};
	for (unsigned int i = 0; i < RULES_MAX; i++)
		open_r->by_rule[i] = forecast_people(forecast.rules[i].users);
	forecast_free(&forecast);
	return counted;
}

static void tell(const struct notify_setup *setup, const struct notify_results *results,
		 const struct open_people *open, bool quiet)
{
	char *report = notify_report(setup->policy, results, open);

	if (!quiet)
		fputs(report, stdout);
	/* A run of every hour that did nothing says nothing. */
	if (results->tried > 0 && results->stop != NOTIFY_UNAVAILABLE)
		notify_report_mail(setup, results, open, report);
	if (results->error != NULL)
		fprintf(stderr, "portcullis notify: %s\n", results->error);
	g_free(report);
}

static int status_of(const struct notify_results *results)
{
	switch (results->stop) {
	case NOTIFY_STORE_FAILED:
		return results->store_status;
	case NOTIFY_UNAVAILABLE:
		return EX_UNAVAILABLE;
	case NOTIFY_INTERRUPTED:
		return EX_TEMPFAIL;
	default:
		return results->refused + results->later > 0 ? EXIT_NO : EXIT_SUCCESS;
	}
}

static int notify_all(const struct notifier *notifier, bool quiet)
{
	const struct notify_setup *setup = &notifier->setup;
	struct open_people open = {0};
	struct notify_results results;
	struct due_list *list;
	bool grace_file_written;
	int status;

	stop_signal_catch();
	signal(SIGPIPE, SIG_IGN);
	/* Mails may take hours. */
	grace_file_written =
		setup->to != NULL || grace_file_write(setup->policy, setup->people, setup->reader,
						      setup->writer, run_clock_now(&setup->clock));
	list = plan(setup, &status);
	if (list == NULL)
		return status;
	/* A run of every hour, which has nothing to say, need not count. */
	if ((!quiet || due_list_counts(list)->due > 0) && !count_open(notifier, &open)) {
		due_list_free(list);
		return say_store_failed(setup);
	}
	notify_run(setup, list, &results);
	tell(setup, &results, &open, quiet);
	status = status_of(&results);
	if (status == EXIT_SUCCESS && !grace_file_written)
		status = EX_CANTCREAT;
	notify_results_clear(&results);
	due_list_free(list);
	return status;
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
			status = dry_run(&notifier.setup, options.json);
		else if (options.untold || options.call_list)
			status = list_people(&notifier.setup, &options);
		else if (options.preview != NULL)
			status = preview(&notifier.setup, options.preview, options.raw);
		else
			status = notify_all(&notifier, options.quiet);
	}
	notifier_close(&notifier);
	return status;
}
