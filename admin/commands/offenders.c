#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/inquiry.h"
#include "admin/questions/offender-list.h"
#include "admin/sightings/sighting-text.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/csv.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/table.h"
#include "command.h"

static const struct command_help help = {
	.name = "offenders",
	.usage = "[OPTION...]",
	.description = "Says who breaks what, how often, with which program and from where.",
};

/* The command line, with its dates and names read. */
struct options {
	const char *rule, *user, *sort;
	enum phase phase;
	bool phase_given, unverified, csv, json;
	time_t since, at;
};

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const char *phase = NULL;
	const struct command_option known[] = {
		{"rule", 'r', "RULE", "only who breaks this rule", .text = &options->rule},
		{"phase", 'P', "PHASE", "only rules in this phase: off, observe, notify or enforce",
		 .text = &phase},
		{"since", 's', "DATE", "only what was seen since then", .date = &options->since},
		{"user", 'u', "USER", "only this user", .text = &options->user},
		{"unverified", '\0', NULL,
		 "also attempts with a wrong password, and those refused before it was looked at; "
		 "anybody can make them",
		 .flag = &options->unverified},
		{"sort", '\0', "KEY", "user (the default), rule, count, first or last",
		 .text = &options->sort},
		{"at", '\0', "DATE", "the phases at \"YYYY-MM-DD HH:MM\" instead of now",
		 .date = &options->at},
		{"csv", '\0', NULL, "print CSV", .flag = &options->csv},
		{"json", 'j', NULL, "print JSON", .flag = &options->json},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	options->phase_given = phase != NULL;
	if (options->phase_given && !phase_from_name(phase, &options->phase))
		*status_r = usage_error(argv[0], "--phase is off, observe, notify or enforce");
	else if (!offender_order_exists(options->sort))
		*status_r = usage_error(argv[0], "--sort is user, rule, count, first or last");
	else if (options->csv && options->json)
		*status_r = usage_error(argv[0], "--csv and --json exclude each other");
	return *status_r == 0;
}

static json_t *offender_json(const struct offender *offender)
{
	const struct store_habit *habit = offender->habit;
	char first_seen[UTC_TEXT_SIZE], last_seen[UTC_TEXT_SIZE];

	return json_pack("{s:s?, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:b, s:s}",
			 "user", offender->user, "rule", offender->rule->title, "phase",
			 phase_name(offender->phase), "service", service_name(habit->service),
			 "port", (int)habit->port, "tls", tls_state_name(habit->tls), "mechanism",
			 habit->mechanism, "country", habit->country.code, "client_id",
			 habit->client_id, "count", (json_int_t)offender->count, "first_seen",
			 utc_format(offender->first_seen, first_seen), "last_seen",
			 utc_format(offender->last_seen, last_seen), "verified", offender->verified,
			 "last_client", offender->last_client);
}

static void print_json(const GArray *offenders)
{
	struct json_array_printer printer;

	json_array_begin(&printer);
	for (guint i = 0; i < offenders->len; i++)
		json_array_element(&printer,
				   offender_json(&g_array_index(offenders, struct offender, i)));
	json_array_end(&printer);
}

static void print_csv(const GArray *offenders)
{
	static const char *const titles[] = {"user",      "rule",       "phase",      "service",
					     "port",      "tls",        "mechanism",  "country",
					     "client_id", "count",      "first_seen", "last_seen",
					     "verified",  "last_client"};

	csv_print(titles, G_N_ELEMENTS(titles));
	for (guint i = 0; i < offenders->len; i++) {
		const struct offender *offender = &g_array_index(offenders, struct offender, i);
		const struct store_habit *habit = offender->habit;
		char first_seen[UTC_TEXT_SIZE], last_seen[UTC_TEXT_SIZE];
		char port[NUMBER_TEXT_SIZE], count[NUMBER_TEXT_SIZE];
		const char *const fields[G_N_ELEMENTS(titles)] = {
			offender->user == NULL ? "" : offender->user,
			offender->rule->title,
			phase_name(offender->phase),
			service_name(habit->service),
			number_format(habit->port, port),
			tls_state_name(habit->tls),
			habit->mechanism,
			habit->country.code,
			habit->client_id,
			number_format(offender->count, count),
			utc_format(offender->first_seen, first_seen),
			utc_format(offender->last_seen, last_seen),
			offender->verified ? "true" : "false",
			offender->last_client,
		};

		csv_print(fields, G_N_ELEMENTS(fields));
	}
}

/* Whom a table names; a star marks those who did not prove to be that user. */
static const char *user_text(const struct offender *offender, GString *text)
{
	g_string_assign(text, offender->verified ? "" : "*");
	if (offender->user == NULL)
		g_string_append(text, "(others)");
	else if (offender->user[0] == '\0')
		g_string_append(text, "(no login)");
	else
		g_string_append(text, offender->user);
	return text->str;
}

static void print_table(const GArray *offenders, time_t now)
{
	static const struct table_column columns[] = {
		{"USER", COLUMN_SHRINKS}, {"RULE", COLUMN_SHRINKS},
		{"PHASE", COLUMN_TEXT},   {"SERVICE", COLUMN_TEXT},
		{"TLS", COLUMN_TEXT},     {"SASL", COLUMN_SHRINKS},
		{"IN", COLUMN_TEXT},      {"PROGRAM", COLUMN_SHRINKS_FIRST},
		{"COUNT", COLUMN_NUMBER}, {"FIRST", COLUMN_TEXT},
		{"LAST", COLUMN_TEXT},
	};
	struct table *table = table_create(columns, G_N_ELEMENTS(columns));
	GString *user = g_string_new(NULL);

	for (guint i = 0; i < offenders->len; i++) {
		const struct offender *offender = &g_array_index(offenders, struct offender, i);
		const struct store_habit *habit = offender->habit;
		char service[SERVICE_TEXT_SIZE], count[NUMBER_TEXT_SIZE];
		char first[DAY_TEXT_SIZE], last[DAY_TEXT_SIZE];
		char *program = program_format(habit->client_id);
		const char *const cells[G_N_ELEMENTS(columns)] = {
			user_text(offender, user),
			offender->rule->title,
			phase_name(offender->phase),
			service_format(habit, service),
			tls_state_name(habit->tls),
			habit->mechanism,
			habit->country.code,
			program,
			number_format(offender->count, count),
			day_format(offender->first_seen, now, first),
			day_format(offender->last_seen, now, last),
		};

		table_add(table, cells);
		g_free(program);
	}
	table_print(table);
	g_string_free(user, TRUE);
	table_free(table);
}

static void print(const GArray *offenders, const struct options *options)
{
	if (options->json)
		print_json(offenders);
	else if (options->csv)
		print_csv(offenders);
	else if (offenders->len == 0)
		puts("Nobody.");
	else
		print_table(offenders, options->at);
}

static int answer(const struct options *options, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	struct offender_list list;
	char user[USER_SIZE];
	struct store_filter filter = {
		.rule = options->rule,
		.broken = true,
		.since = (int64_t)options->since * 1000,
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
		print(list.offenders, options);
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
