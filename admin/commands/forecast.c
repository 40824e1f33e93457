#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/forecast-count.h"
#include "admin/questions/inquiry.h"
#include "admin/store/store-week.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/table.h"
#include "command.h"

static const struct command_help help = {
	.name = "forecast",
	.usage = "[OPTION...]",
	.description = "Says what enforcing would do to those who were seen lately: judges what is "
		       "recorded by the configuration as it is now.",
	.closing = "Exit status: 0 fine, 1 more than --fail-above.",
};

struct options {
	const char *rule;
	time_t at, since; /* 0: not given */
	double fail_above;
	bool json;
};

static bool percent_parse(const char *text, double *percent_r)
{
	char *end;

	*percent_r = strtod(text, &end);
	return end != text && *end == '\0' && *percent_r >= 0 && *percent_r <= 100;
}

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const char *fail_above = NULL;
	const struct command_option known[] = {
		{"at", '\0', "DATE",
		 "as the rules stand at \"YYYY-MM-DD HH:MM\"; by default, as if all of them were "
		 "enforced today",
		 .date = &options->at},
		{"rule", 'r', "RULE", "as if there were only this rule", .text = &options->rule},
		{"since", 's', "DATE", "lately means since then; by default, the last 30 days",
		 .date = &options->since},
		{"fail-above", '\0', "PERCENT",
		 "fail when a larger share of the users would lose a way to their mail",
		 .text = &fail_above},
		{"json", 'j', NULL, "print JSON", .flag = &options->json},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	if (fail_above == NULL || percent_parse(fail_above, &options->fail_above))
		return true;
	*status_r = usage_error(argv[0], "--fail-above is a percentage from 0 to 100");
	return false;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* ---- printing ---- */

static json_t *groups_json(const GArray *groups)
{
	json_t *object = json_object();

	for (guint i = 0; i < groups->len; i++) {
		const struct forecast_group *group =
			&g_array_index(groups, struct forecast_group, i);

		json_object_set_new(object, group->name, json_integer((json_int_t)group->users));
	}
	return object;
}

static json_t *rules_json(const struct forecast *forecast, const struct sighting_judge *judge)
{
	const struct policy *policy = judge->edition.policy;
	json_t *object = json_object();

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct forecast_rule *rule = &forecast->rules[i];

		if ((judge->considered & UINT64_C(1) << i) == 0)
			continue;
		json_object_set_new(
			object, policy->rules[i].title,
			json_pack("{s:s, s:I, s:I}", "phase",
				  phase_name(schedule_phase(&judge->rules[i].schedule, judge->at)),
				  "users", (json_int_t)rule->users, "locked_out",
				  (json_int_t)rule->locked_out));
	}
	return object;
}

static json_t *weeks_json(const struct forecast *forecast, int64_t reference)
{
	json_t *array = json_array();

	for (int i = FORECAST_WEEKS - 1; i >= 0; i--) {
		char begin[UTC_TEXT_SIZE];

		utc_format(store_week_begin(store_week(reference) - i), begin);
		json_array_append_new(array, json_pack("{s:s%, s:I, s:I}", "week", begin,
						       sizeof("2024-09-20") - 1, "active_users",
						       (json_int_t)forecast->weeks[i].active_users,
						       "affected",
						       (json_int_t)forecast->weeks[i].affected));
	}
	return array;
}

static void print_json(const struct forecast *forecast, const struct sighting_judge *judge,
		       int64_t reference)
{
	char at[DATE_TEXT_SIZE];

	date_format(judge->at, at);
	json_print(json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "at", at,
		"active_users", (json_int_t)forecast->active_users, "fine",
		(json_int_t)forecast->fine, "locked_out", (json_int_t)forecast->locked_out,
		"partly", (json_int_t)forecast->partly, "changed", (json_int_t)forecast->changed,
		"told", (json_int_t)forecast->told, "told_changed",
		(json_int_t)forecast->told_changed, "rules", rules_json(forecast, judge),
		"services", groups_json(forecast->services), "programs",
		groups_json(forecast->programs), "countries", groups_json(forecast->countries),
		"weeks", weeks_json(forecast, reference)));
}

static void print_line(const char *title, uint64_t users, uint64_t of)
{
	printf("%-24s  %8" PRIu64, title, users);
	if (of > 0)
		printf("  %5.1f %%", percent(users, of));
	putchar('\n');
}

static void print_rules(const struct forecast *forecast, const struct sighting_judge *judge)
{
	static const struct table_column columns[] = {{"RULE", COLUMN_SHRINKS},
						      {"PHASE", COLUMN_TEXT},
						      {"USERS", COLUMN_NUMBER},
						      {"LOCKED OUT", COLUMN_NUMBER}};
	const struct policy *policy = judge->edition.policy;
	struct table *table = table_create(columns, G_N_ELEMENTS(columns));

	for (size_t i = 0; i < policy->rule_count; i++) {
		char users[NUMBER_TEXT_SIZE], locked_out[NUMBER_TEXT_SIZE];
		const char *const cells[] = {
			policy->rules[i].title,
			phase_name(schedule_phase(&judge->rules[i].schedule, judge->at)),
			number_format(forecast->rules[i].users, users),
			number_format(forecast->rules[i].locked_out, locked_out),
		};

		if ((judge->considered & UINT64_C(1) << i) != 0)
			table_add(table, cells);
	}
	putchar('\n');
	table_print(table);
	table_free(table);
}

/* The largest groups. */
static void print_groups(const char *title, const GArray *groups)
{
	const struct table_column columns[] = {{title, COLUMN_SHRINKS},
					       {"USERS AFFECTED", COLUMN_NUMBER}};
	struct table *table;

	if (groups->len == 0)
		return;
	table = table_create(columns, G_N_ELEMENTS(columns));
	for (guint i = 0; i < groups->len && i < 8; i++) {
		const struct forecast_group *group =
			&g_array_index(groups, struct forecast_group, i);
		char users[NUMBER_TEXT_SIZE];
		const char *const cells[] = {group->name[0] == '\0' ? "not known" : group->name,
					     number_format(group->users, users)};

		table_add(table, cells);
	}
	putchar('\n');
	table_print(table);
	table_free(table);
}

static void print_weeks(const struct forecast *forecast, int64_t reference)
{
	static const struct table_column columns[] = {{"WEEK FROM", COLUMN_NUMBER},
						      {"ACTIVE", COLUMN_NUMBER},
						      {"AFFECTED", COLUMN_NUMBER},
						      {"%", COLUMN_NUMBER}};
	struct table *table = table_create(columns, G_N_ELEMENTS(columns));

	for (int i = FORECAST_WEEKS - 1; i >= 0; i--) {
		const struct forecast_week *week = &forecast->weeks[i];
		int64_t begin = store_week_begin(store_week(reference) - i);
		char day[DAY_TEXT_SIZE], active[NUMBER_TEXT_SIZE], affected[NUMBER_TEXT_SIZE];
		char share[16];
		const char *const cells[] = {day_format(begin, (time_t)(reference / 1000), day),
					     number_format(week->active_users, active),
					     number_format(week->affected, affected), share};

		snprintf(share, sizeof(share), "%.1f", percent(week->affected, week->active_users));
		table_add(table, cells);
	}
	putchar('\n');
	table_print(table);
	table_free(table);
}

/* Who is counted, and what is supposed. */
static void print_heading(const struct options *options, int64_t since)
{
	char day[DATE_TEXT_SIZE], at[DATE_TEXT_SIZE];

	date_format((time_t)(since / 1000), day);
	date_format(options->at, at);
	printf("Users seen since %s, ", day);
	if (options->at != 0)
		printf("as %s at %s:\n\n",
		       options->rule == NULL ? "the rules stand" : "the rule stands", at);
	else
		printf("if %s enforced now:\n\n",
		       options->rule == NULL ? "all rules were" : "the rule were");
}

static void print_text(const struct options *options, const struct forecast *forecast,
		       const struct sighting_judge *judge, int64_t reference, int64_t since)
{
	uint64_t active = forecast->active_users;

	print_heading(options, since);
	print_line("active", active, 0);
	print_line("fine", forecast->fine, active);
	print_line("  of them have changed", forecast->changed, active);
	print_line("partly locked out", forecast->partly, active);
	print_line("wholly locked out", forecast->locked_out, active);
	print_line("told by mail", forecast->told, active);
	print_line("  of them have changed", forecast->told_changed, forecast->told);
	print_rules(forecast, judge);
	print_groups("SERVICE", forecast->services);
	print_groups("PROGRAM", forecast->programs);
	print_groups("COUNTRY", forecast->countries);
	print_weeks(forecast, reference);
}

/* ---- the command ---- */

static int answer(const struct options *options, struct inquiry *inquiry)
{
	time_t at = options->at == 0 ? time(NULL) : options->at;
	struct sighting_judge judge;
	const struct edition edition = loaded_edition(&inquiry->loaded);
	const struct rule *rule = NULL;
	struct forecast forecast;
	int64_t reference, since;
	bool answered;
	int status = EXIT_SUCCESS;

	if (options->rule != NULL) {
		rule = policy_rule(edition.policy, options->rule);
		if (rule == NULL)
			return inquiry_end(
				inquiry, true,
				usage_error("forecast", "no rule is called '%s'", options->rule));
	}
	if (!inquiry_reference(inquiry, at, &reference))
		return inquiry_end(inquiry, false, 0);
	since = inquiry_since(options->since, reference);
	sighting_judge_init(&judge, &edition, at, options->at == 0);
	if (rule != NULL)
		judge.considered = UINT64_C(1) << rule->index;
	answered = forecast_count(&forecast, inquiry->store, &judge, reference, since);
	if (answered) {
		if (options->json)
			print_json(&forecast, &judge, reference);
		else
			print_text(options, &forecast, &judge, reference, since);
		if (percent(forecast.partly + forecast.locked_out, forecast.active_users) >
		    options->fail_above)
			status = EXIT_NO;
	}
	forecast_free(&forecast);
	return inquiry_end(inquiry, answered, status);
}

int forecast_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.fail_above = 100};
	struct inquiry inquiry;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(&options, &inquiry);
}
