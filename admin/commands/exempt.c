#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/files/account.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/exemptions/exemption-file.h"
#include "admin/exemptions/exemption-list.h"
#include "admin/questions/inquiry.h"
#include "admin/sightings/sighting-judge.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/terminal-text.h"
#include "command.h"
#include "policy/utf8.h"

static const struct command_help help = {
	.name = "exempt",
	.usage = "USER RULES --until DATE [OPTION...]\n"
		 "--current-offenders RULE --until DATE [OPTION...]\n"
		 "--remove USER [RULES]\n"
		 "--remove --reason TEXT\n"
		 "--replace FILE\n"
		 "--list [USER] [--json]",
	.description =
		"Lets users off rules for some time, by editing the file of exemptions or, with "
		"exemptions-in-store, those of all hosts. RULES are titles separated by commas.",
	.closing = "Exit status: 0 done, 1 not done: there was nothing to remove, or some users "
		   "cannot be named in the file.",
};

/* Besides that of one user. */
enum form { FORM_OFFENDERS = 1, FORM_REMOVE, FORM_REPLACE, FORM_LIST };

#define LETS_OFF (COMMAND_FORM(0) | COMMAND_FORM(FORM_OFFENDERS))
#define EDITS (LETS_OFF | COMMAND_FORM(FORM_REMOVE))

struct options {
	const char *until, *from, *country, *reason, *current_offenders, *replacement;
	time_t since; /* SCHEDULE_NEVER: not given */
	time_t at;
	bool remove, list, dry_run, json;
	char **arguments; /* what is no option */
	int argument_count;
};

/* Which of the usages it is decides how many arguments there are. Returns 0 or EX_USAGE. */
static int check_options(const struct options *options)
{
	int least = 2, most = 2;

	if (options->list) {
		least = 0;
		most = 1;
	} else if (options->remove) {
		least = options->reason == NULL;
		most = options->reason == NULL ? 2 : 0;
	} else if (options->current_offenders != NULL || options->replacement != NULL) {
		least = most = 0;
	}
	if (options->argument_count < least)
		return usage_error("exempt", options->argument_count == 0 ? "USER is missing"
									  : "RULES are missing");
	if (options->argument_count > most)
		return usage_error("exempt", "unexpected argument '%s'", options->arguments[most]);
	if (!options->remove && !options->list && options->replacement == NULL &&
	    options->until == NULL)
		return usage_error("exempt", "--until is missing");
	if (options->reason != NULL && !utf8_is_line(options->reason))
		return usage_error("exempt", "--reason must be one line of UTF-8");
	if (options->remove && options->reason != NULL && options->reason[0] == '\0')
		return usage_error("exempt", "--reason must not be empty with --remove");
	return 0;
}

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"until", 'u', "DATE", "the last day; +30d is in thirty days",
		 .day = &options->until, .forms = LETS_OFF},
		{"from", 'f', "DATE", "the first day; by default, from now on",
		 .day = &options->from, .forms = LETS_OFF},
		{"country", 'C', "CC[,CC...]",
		 "of a rule about countries, allow these in addition instead of letting off all of "
		 "it",
		 .text = &options->country, .forms = LETS_OFF},
		{"reason", 'r', "TEXT",
		 "write it into the file as a comment; with --remove, the lines that have it",
		 .text = &options->reason, .forms = EDITS},
		{"current-offenders", 'o', "RULE", "let off everybody seen breaking RULE lately",
		 .text = &options->current_offenders, .makes = FORM_OFFENDERS},
		{"since", 's', "DATE", "lately means since then; by default, the last 30 days",
		 .past = &options->since, .forms = COMMAND_FORM(FORM_OFFENDERS)},
		{"remove", '\0', NULL, "let USER off no longer: from RULES, or from all rules",
		 .flag = &options->remove, .makes = FORM_REMOVE},
		{"replace", '\0', "FILE",
		 "put FILE, an edited copy of the servers' file, in place of all that the store "
		 "has",
		 .text = &options->replacement, .makes = FORM_REPLACE},
		{"dry-run", 'n', NULL, "say what would be done, and do nothing",
		 .flag = &options->dry_run, .forms = EDITS},
		{"list", 'l', NULL, "print who is let off", .flag = &options->list,
		 .makes = FORM_LIST},
		{"at", '\0', "DATE", "with --list, who is let off at this time instead of now",
		 .date = &options->at, .forms = COMMAND_FORM(FORM_LIST)},
		{"json", 'j', NULL, "with --list, print JSON", .flag = &options->json,
		 .forms = COMMAND_FORM(FORM_LIST)},
		{0},
	};

	if (!command_options_read(argc, argv, &help, known, status_r))
		return false;
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	*status_r = check_options(options);
	return *status_r == 0;
}

static bool read_user(const char *name, const struct policy *policy, char user_r[static USER_SIZE])
{
	return user_normalise(name, policy->default_domain, user_r, USER_SIZE) &&
	       exemption_user_is_writable(user_r);
}

static bool read_wish(const struct options *options, const struct policy *policy, const char *rules,
		      struct exemption_wish *wish_r)
{
	char *error;

	if (!exemption_wish_read(wish_r, policy, rules, options->country, options->from,
				 options->until, &error)) {
		usage_error("exempt", "%s", error);
		g_free(error);
		return false;
	}
	if (wish_r->end <= options->at)
		fprintf(stderr, "portcullis exempt: %s is already over (warning)\n",
			options->until);
	return true;
}

/* Returns 0 or an exit status, having said what is wrong. */
static int save(const struct options *options, struct exemption_file *file)
{
	return options->dry_run ? 0 : exemption_file_save(file);
}

/* ---- exempt USER RULES ---- */

static int let_off(const struct options *options, const struct policy *policy,
		   struct exemption_file *file, const struct exemption_wish *wish)
{
	char user[USER_SIZE];
	const struct exemption *exemptions;
	size_t count;
	int status;

	if (!read_user(options->arguments[0], policy, user)) {
		fputs("portcullis exempt: this user name cannot be written to a file of "
		      "exemptions: "
		      "it has blanks or control characters, begins with '#', or is too long\n",
		      stderr);
		return EX_DATAERR;
	}
	exemptions = exemptions_of_user(file->before, user, &count);
	if (exemption_wish_is_granted(wish, exemptions, count, options->at)) {
		printf("%s is let off %s already.\n", user, wish->rules);
		return EXIT_SUCCESS;
	}
	exemption_file_add(file, user, wish, options->reason);
	status = save(options, file);
	if (status == 0)
		printf("%s %s let off %s until %s.\n", user, options->dry_run ? "would be" : "is",
		       wish->rules, options->until);
	return status;
}

/* ---- exempt --current-offenders ---- */

struct offenders {
	const struct options *options;
	const struct exemption_wish *wish;
	struct exemption_file *file;
	int64_t last_user;
	GHashTable *names; /* as they stand in the file */
	const char *reason;
	size_t added, already, impossible;
};

#define COMPLAINTS_MAX 10
#define USER_COLUMNS 80

static void complain(struct offenders *offenders, const char *user)
{
	GString *text = g_string_new(NULL);

	if (++offenders->impossible <= COMPLAINTS_MAX) {
		terminal_text_append(text, user, USER_COLUMNS);
		fprintf(stderr,
			"portcullis exempt: this user name cannot be written to the file: %s\n",
			text->str);
	}
	g_string_free(text, TRUE);
}

static void print_user(const char *user)
{
	GString *text = g_string_new(NULL);

	terminal_text_append(text, user, USER_SIZE);
	puts(text->str);
	g_string_free(text, TRUE);
}

static bool add_offender(void *context, const struct store_sighting *sighting)
{
	struct offenders *offenders = context;
	const struct exemption *exemptions;
	char user[USER_SIZE];
	size_t count;

	if (!sighting_is_somebodys(sighting) || sighting->user_id == offenders->last_user)
		return true;
	offenders->last_user = sighting->user_id;
	/* Under another default-domain, he may have been recorded by another name. */
	if (!read_user(sighting->user, offenders->file->policy, user)) {
		complain(offenders, sighting->user);
		return true;
	}
	if (!g_hash_table_add(offenders->names, g_strdup(user)))
		return true;
	exemptions = exemptions_of_user(offenders->file->before, user, &count);
	if (exemption_wish_is_granted(offenders->wish, exemptions, count, offenders->options->at)) {
		offenders->already++;
	} else {
		exemption_file_add(offenders->file, user, offenders->wish, offenders->reason);
		offenders->added++;
		if (offenders->options->dry_run)
			print_user(user);
	}
	return true;
}

/* False when the store fails. */
static bool find_offenders(struct offenders *offenders, struct inquiry *inquiry)
{
	const struct options *options = offenders->options;
	struct store_filter filter = {
		.rule = options->current_offenders, .verified = true, .names = true};
	int64_t reference;
	bool found;

	if (!inquiry_reference(inquiry, &reference))
		return false;
	filter.since = inquiry_since(options->since, reference);
	offenders->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	found = store_each_sighting(inquiry->store, &filter, add_offender, offenders);
	g_hash_table_destroy(offenders->names);
	return found;
}

/* The store is asked as the account that it belongs to; the file is the operator's. */
static int ask_for_offenders(struct offenders *offenders, struct inquiry *inquiry)
{
	int status;

	if (!account_lend_owner(policy_records(inquiry->loaded.policy)))
		return EX_NOPERM;
	status = inquiry_open_store(inquiry);
	if (status == 0)
		status = inquiry_close_store(inquiry, find_offenders(offenders, inquiry), 0);
	account_return();
	return status;
}

static int let_off_offenders(const struct options *options, struct exemption_file *file,
			     const struct exemption_wish *wish, struct inquiry *inquiry)
{
	struct offenders offenders = {.options = options, .wish = wish, .file = file};
	char day[ISO_DAY_TEXT_SIZE];
	char *reason = g_strdup_printf("current offender of %s on %s", wish->rules,
				       iso_day_format(options->at, day));
	int status;

	offenders.reason = options->reason == NULL ? reason : options->reason;
	status = ask_for_offenders(&offenders, inquiry);
	g_free(reason);
	if (status == 0 && offenders.added > 0)
		status = save(options, file);
	if (status != 0)
		return status;
	printf("Users %slet off %s until %s: %zu. Already let off: %zu.\n",
	       options->dry_run ? "who would be " : "", wish->rules, options->until,
	       offenders.added, offenders.already);
	if (offenders.impossible == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "portcullis exempt: users who cannot be let off: %zu\n",
		offenders.impossible);
	return EXIT_NO;
}

/* ---- exempt --remove ---- */

static int rule_bits(const struct policy *policy, const char *rules, uint64_t *bits_r)
{
	char **titles = g_strsplit(rules, ",", -1);
	int status = 0;

	*bits_r = 0;
	for (size_t i = 0; status == 0 && titles[i] != NULL; i++) {
		const struct rule *rule = policy_rule(policy, titles[i]);

		if (rule == NULL)
			status = usage_error("exempt", "no rule is called '%s'", titles[i]);
		else
			*bits_r |= UINT64_C(1) << rule->index;
	}
	g_strfreev(titles);
	return status;
}

static int remove_exemptions(const struct options *options, const struct policy *policy,
			     struct exemption_file *file)
{
	bool batch = options->reason != NULL;
	char user[USER_SIZE];
	uint64_t bits = UINT64_MAX;
	size_t changed = 0;
	int status = 0;

	if (options->argument_count == 2)
		status = rule_bits(policy, options->arguments[1], &bits);
	if (status != 0)
		return status;
	if (batch)
		changed = exemption_file_remove_reason(file, options->reason);
	else if (read_user(options->arguments[0], policy, user))
		changed = exemption_file_remove(file, user, bits);
	if (changed == 0) {
		fputs("portcullis exempt: there is no such exemption\n", stderr);
		return EXIT_NO;
	}
	status = save(options, file);
	if (status == 0)
		printf("Lines %s%sremoved: %zu.\n", options->dry_run ? "that would be " : "",
		       batch ? "" : "changed or ", changed);
	return status;
}

/* ---- the command ---- */

/* ---- exempt --replace ---- */

static int replace_all(const struct options *options, const struct policy *policy, char *text,
		       size_t length)
{
	struct exemption_file file;
	int status = exemption_file_open(&file, policy);

	if (status == 0)
		status = exemption_file_replace_all(&file, options->replacement, text, length);
	if (status == 0)
		printf("Exemptions before: %zu. Now: %zu.\n", file.lines_removed, file.lines_added);
	exemption_file_close(&file);
	return status;
}

/* The file is the operator's; the store, of the account that the records belong to. */
static int replace_by_file(const struct options *options, const struct policy *policy)
{
	const char *error;
	size_t length;
	char *text;
	int status;

	if (!policy->exemptions_in_store)
		return usage_error("exempt", "--replace is for exemptions-in-store = true; edit %s",
				   policy->exemptions == NULL ? "the file" : policy->exemptions);
	text = file_read(file_open_named(options->replacement), EXEMPTIONS_SIZE_MAX, &length,
			 &error);
	if (text == NULL) {
		fprintf(stderr, "portcullis exempt: %s: %s\n", options->replacement, error);
		return EX_NOINPUT;
	}
	status = account_become_owner(policy_records(policy))
			 ? replace_all(options, policy, text, length)
			 : EX_NOPERM;
	free(text);
	return status;
}

/* What edits, or does not ask the store. */
static int edit(const struct options *options, const struct policy *policy)
{
	struct exemption_wish wish;
	struct exemption_file file;
	bool wishes = !options->list && !options->remove;
	int status = EX_USAGE;

	if (wishes && !read_wish(options, policy, options->arguments[1], &wish))
		goto done;
	status = exemption_file_open(&file, policy);
	if (status == 0) {
		if (options->list)
			exemption_list_print(&file, options->arguments[0], options->at,
					     options->json);
		else if (options->remove)
			status = remove_exemptions(options, policy, &file);
		else
			status = let_off(options, policy, &file, &wish);
	}
	exemption_file_close(&file);
done:
	if (wishes)
		exemption_wish_free(&wish);
	return status;
}

static int exempt_offenders(const struct options *options, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct exemption_wish wish;
	struct exemption_file file;
	int status = EX_USAGE;

	if (policy_rule(policy, options->current_offenders) == NULL)
		return usage_error("exempt", "no rule is called '%s'", options->current_offenders);
	if (read_wish(options, policy, options->current_offenders, &wish)) {
		status = exemption_file_open(&file, policy);
		if (status == 0)
			status = let_off_offenders(options, &file, &wish, inquiry);
		exemption_file_close(&file);
	}
	exemption_wish_free(&wish);
	return status;
}

/* Whose hands the exemptions are in. */
static const char *owner_of_exemptions(const struct policy *policy)
{
	return policy->exemptions_in_store ? policy_records(policy) : policy->exemptions;
}

static int work(const struct options *options, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;

	if (options->current_offenders != NULL)
		return exempt_offenders(options, inquiry);
	return edit(options, policy);
}

/* Of many who edit what the store has, somebody always succeeds. */
#define TRIES_MAX 100
#define PAUSE_MICROSECONDS_MAX 100000

static int work_until_saved(const struct options *options, struct inquiry *inquiry)
{
	int status = work(options, inquiry);

	for (int tries = 1; status == EXEMPTIONS_CHANGED && tries < TRIES_MAX; tries++) {
		g_usleep((gulong)g_random_int_range(0, PAUSE_MICROSECONDS_MAX));
		status = work(options, inquiry);
	}
	return status;
}

int exempt_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.at = time(NULL), .since = SCHEDULE_NEVER};
	struct inquiry inquiry = {0};
	const struct policy *policy;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	if (!policy_load(config_path, &inquiry.loaded))
		return EX_CONFIG;
	policy = inquiry.loaded.policy;
	if (options.replacement != NULL)
		status = replace_by_file(&options, policy);
	else if (policy->exemptions != NULL && !account_become_owner(owner_of_exemptions(policy)))
		status = EX_NOPERM;
	else
		status = work_until_saved(&options, &inquiry);
	policy_unload(&inquiry.loaded);
	if (status != EXEMPTIONS_CHANGED)
		return status;
	fputs("portcullis exempt: others change the exemptions all the time; try again\n", stderr);
	return EX_TEMPFAIL;
}
