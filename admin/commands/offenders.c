#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/inquiry.h"
#include "admin/terminal/command-options.h"
#include "command.h"
#include "offender-table.h"

static const struct command_help help = {
	.name = "offenders",
	.usage = "[OPTION...]",
	.description = "Says who breaks what, how often, with which program and from where.",
};

/* What it prints, besides a table. */
enum form { FORM_CSV = 1, FORM_JSON };

/* The command line, with its dates and names read. */
struct options {
	const char *rule, *user, *sort;
	enum phase phase;
	bool phase_given, unverified;
	enum listing_format format;
	time_t since, at;
};

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const char *phase = NULL;
	bool csv = false, json = false;
	const struct command_option known[] = {
		{"rule", 'r', "RULE", "only who breaks this rule", .text = &options->rule},
		{"phase", 'P', "PHASE", "only rules in this phase: off, observe, notify or enforce",
		 .text = &phase},
		{"since", 's', "DATE", "only ways that were used since then",
		 .past = &options->since},
		{"user", 'u', "USER", "only this user", .text = &options->user},
		{"unverified", '\0', NULL,
		 "also attempts with a wrong password, and those refused before it was looked at; "
		 "anybody can make them",
		 .flag = &options->unverified},
		{"sort", '\0', "KEY", "user (the default), rule, count, first or last",
		 .text = &options->sort},
		{"at", '\0', "DATE", "the phases at this time instead of now",
		 .date = &options->at},
		{"csv", '\0', NULL, "print CSV", .flag = &csv, .makes = FORM_CSV},
		{"json", 'j', NULL, "print JSON", .flag = &json, .makes = FORM_JSON},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	options->phase_given = phase != NULL;
	if (options->phase_given && !phase_from_name(phase, &options->phase))
		*status_r = usage_error(
			"offenders",
			"--phase: unknown phase '%s' (one of off, observe, notify, enforce)",
			phase);
	else if (!offender_order_exists(options->sort))
		*status_r = usage_error(
			"offenders",
			"--sort: unknown key '%s' (one of user, rule, count, first, last)",
			options->sort);
	options->format = listing_format(csv, json);
	return *status_r == 0;
}

static int answer(const struct options *options, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct offender_list list;
	char user[USER_SIZE];
	struct store_filter filter = {
		.rule = options->rule,
		.broken = true,
		.verified = true,
		.unverified = options->unverified,
		.names = true,
	};
	bool answered;
	int status = EXIT_SUCCESS;

	if (options->user != NULL) {
		user_normalise(options->user, policy->default_domain, user, sizeof(user));
		filter.user = user;
	}
	offender_list_begin(&list, policy, options->at);
	list.since = (int64_t)options->since * 1000;
	if (options->phase_given)
		list.phase = &options->phase;
	answered = offender_list_fill(&list, inquiry->store, &filter);
	/* A rule that is gone may still have offenders in the store; a title that was
	   mistyped has none, and "nobody" would be a comfort. */
	if (answered && list.offenders->len == 0 && options->rule != NULL &&
	    policy_rule(policy, options->rule) == NULL) {
		status = usage_error("offenders", "no rule is called '%s'", options->rule);
	} else if (answered) {
		offender_list_sort(&list, options->sort);
		offender_table_print(list.offenders, options->format, "Nobody.");
	}
	offender_list_end(&list);
	return inquiry_end(inquiry, answered, status);
}

int offenders_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.at = time(NULL), .sort = "user"};
	struct inquiry inquiry;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(&options, &inquiry);
}
