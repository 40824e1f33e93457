#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "admin/questions/forecast-count.h"
#include "admin/terminal/command-options.h"
#include "command.h"
#include "forecast-report.h"

static const struct command_help help = {
	.name = "forecast",
	.usage = "[OPTION...]",
	.description = "Says what enforcing would do to those who were seen lately: judges what is "
		       "recorded by the configuration as it is now.",
	.closing = "Exit status: 0 fine, 1 more than --fail-above, 66 nobody was seen, so that "
		   "--fail-above says nothing.",
};

struct options {
	const char *rule;
	time_t at;    /* 0: not given */
	time_t since; /* SCHEDULE_NEVER: not given */
	const char *fail_above;
	double percent_max; /* the same */
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
	const struct command_option known[] = {
		{"at", '\0', "DATE",
		 "as the rules stand at this time; by default, as if all of them were "
		 "enforced today",
		 .date = &options->at},
		{"rule", 'r', "RULE", "as if there were only this rule", .text = &options->rule},
		{"since", 's', "DATE", "lately means since then; by default, the last 30 days",
		 .past = &options->since},
		{"fail-above", '\0', "PERCENT",
		 "fail when a larger share of the users would lose a way to their mail",
		 .text = &options->fail_above},
		{"json", 'j', NULL, "print JSON", .flag = &options->json},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	if (options->fail_above == NULL ||
	    percent_parse(options->fail_above, &options->percent_max))
		return true;
	*status_r = usage_error("forecast", "--fail-above: '%s' is not a percentage from 0 to 100",
				options->fail_above);
	return false;
}

/* ---- the command ---- */

/* For --fail-above, an exit status. Where nobody was seen, it must not look as if nobody was
   affected: perhaps nothing is recorded any more. */
static int compare_with(const struct forecast *forecast, double percent_max)
{
	struct forecast_figures figures = forecast_figures(forecast);
	char day[DATE_TEXT_SIZE];

	if (figures.active == 0) {
		date_format((time_t)(forecast->since / 1000), day);
		fprintf(stderr,
			"portcullis forecast: nobody was seen since %s, so --fail-above has "
			"nothing to go by\n",
			day);
		return EX_NOINPUT;
	}
	return percent(figures.affected, figures.active) > percent_max ? EXIT_NO : EXIT_SUCCESS;
}

static int answer(const struct options *options, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	const struct rule *rule = NULL;
	struct forecast forecast;
	int status = EXIT_SUCCESS;
	bool answered;

	if (options->rule != NULL) {
		rule = policy_rule(policy, options->rule);
		if (rule == NULL)
			return inquiry_end(
				inquiry, true,
				usage_error("forecast", "no rule is called '%s'", options->rule));
	}
	answered = forecast_ask(&forecast, inquiry, rule, options->at, options->since);
	if (answered) {
		if (options->json)
			forecast_print_json(&forecast, policy);
		else
			forecast_print(&forecast, policy, rule != NULL, options->at);
		if (options->fail_above != NULL)
			status = compare_with(&forecast, options->percent_max);
	}
	forecast_free(&forecast);
	return inquiry_end(inquiry, answered, status);
}

int forecast_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.since = SCHEDULE_NEVER};
	struct inquiry inquiry;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(&options, &inquiry);
}
