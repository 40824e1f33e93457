#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "admin/questions/forecast-count.h"
#include "admin/questions/inquiry.h"
#include "admin/questions/survey-policy.h"
#include "admin/terminal/command-options.h"
#include "command.h"
#include "forecast-report.h"
#include "offender-table.h"
#include "survey-report.h"

static const struct command_help help = {
	.name = "survey",
	.usage = "[OPTION...] [FILE|DIRECTORY|journal|-]...",
	.description =
		"Says who would be locked out, by the mail logs that are there already: it needs "
		"nothing installed in the mail servers, and no configuration. Without arguments it "
		"reads the mail logs in /var/log, or the systemd journal where there are none; "
		"files may be packed. Without a portcullis.conf it goes by a list of its own: no "
		"TLS, TLS older than 1.2, mechanisms other than PLAIN and LOGIN, POP3, "
		"STARTTLS ports, sending by port 25, and countries as --allow-countries has them.",
	.closing = "Exit status: 0 fine, 1 no line was understood, 74 a file could not be read to "
		   "its end; what was read of it counts.",
};

/* What it prints, besides the people of each rule. */
enum form { FORM_OFFENDERS = 1, FORM_FORECAST, FORM_UNKNOWN };

struct options {
	bool offenders, forecast, unknown, csv, json;
	const char *rule, *port_25_name;
	time_t since; /* SCHEDULE_NEVER: not given */
	time_t at;    /* 0: likewise */
	struct survey_countries countries;
};

static bool check_options(const char *config_path, const struct options *options, int *status_r)
{
	bool has_config = survey_has_config(config_path);

	if (options->countries.allowed != NULL && options->countries.database == NULL)
		*status_r = usage_error("survey", "--allow-countries needs --country-database");
	else if (options->countries.allowed == NULL && options->countries.database != NULL)
		*status_r = usage_error("survey", "--country-database needs --allow-countries");
	else if (options->countries.allowed != NULL && has_config)
		*status_r =
			usage_error("survey",
				    "--allow-countries is for where there is no portcullis.conf; "
				    "%s has rules of its own",
				    config_path);
	/* "Nobody" would be no answer. */
	else if (options->at != 0 && !has_config)
		*status_r = usage_error("survey", "--at needs a portcullis.conf: the survey's own "
						  "rules have no dates");
	else if (options->csv && options->json)
		*status_r = usage_error("survey", "--csv and --json cannot be used together");
	return *status_r == 0;
}

static bool read_options(const char *config_path, int argc, char **argv, struct options *options,
			 int *status_r)
{
	const struct command_option known[] = {
		{"offenders", '\0', NULL, "print who breaks what, as 'portcullis offenders' does",
		 .flag = &options->offenders, .makes = FORM_OFFENDERS},
		{"forecast", '\0', NULL, "print a forecast, as 'portcullis forecast' does",
		 .flag = &options->forecast, .makes = FORM_FORECAST},
		{"unknown", '\0', NULL, "print examples of the lines that were not understood",
		 .flag = &options->unknown, .makes = FORM_UNKNOWN},
		{"rule", 'r', "RULE", "only this rule", .text = &options->rule},
		{"since", 's', "DATE", "only logins since then", .past = &options->since},
		{"at", '\0', "DATE",
		 "as the rules of a portcullis.conf stand at this time; by default, as if all were "
		 "enforced today",
		 .date = &options->at},
		{"allow-countries", '\0', "COUNTRIES",
		 "as if logins were allowed from these only: DE,AT",
		 .text = &options->countries.allowed},
		{"country-database", '\0', "FILE", "that says where an address is",
		 .text = &options->countries.database},
		{"port-25-name", '\0', "NAME",
		 "the syslog_name of Postfix's service on port 25, if it is not 'postfix'",
		 .text = &options->port_25_name},
		{"csv", '\0', NULL, "print CSV", .flag = &options->csv,
		 .forms = COMMAND_FORM(0) | COMMAND_FORM(FORM_OFFENDERS)},
		{"json", 'j', NULL, "print JSON", .flag = &options->json,
		 .forms = COMMAND_FORM(0) | COMMAND_FORM(FORM_OFFENDERS) |
			  COMMAND_FORM(FORM_FORECAST)},
		{0},
	};

	return command_options_read(argc, argv, &help, known, status_r) &&
	       check_options(config_path, options, status_r);
}

/* A survey that was read, with what it is to be asked. */
struct survey {
	const struct options *options;
	struct survey_reading reading;
	struct inquiry inquiry;
	struct sighting_judge judge;
	const struct rule *rule; /* NULL: all */
	bool built_in;
	struct survey_rule rules[RULES_MAX];
	struct survey_report report;
};

static bool print_rules(const struct survey *survey)
{
	if (survey->options->json)
		survey_report_print_json(&survey->report);
	else if (survey->options->csv)
		survey_report_print_csv(&survey->report);
	else
		survey_report_print(&survey->report);
	return true;
}

static bool print_offenders(struct survey *survey)
{
	const struct options *options = survey->options;
	const struct store_filter filter = {
		.rule = options->rule, .broken = true, .verified = true, .names = true};
	enum listing_format format = listing_format(options->csv, options->json);
	struct offender_list list;
	bool answered;

	offender_list_begin(&list, survey->inquiry.loaded.policy, survey->judge.at);
	answered = offender_list_fill(&list, survey->inquiry.store, &filter);
	if (answered) {
		offender_list_sort(&list, "user");
		offender_table_print(list.offenders, format, "Nobody, as far as these logs tell.");
	}
	if (answered && format == LISTING_TABLE)
		survey_report_print_untold(&survey->report);
	offender_list_end(&list);
	return answered;
}

/* A forecast of the store has the records of all servers. */
static void note_untold(struct forecast *forecast, const struct survey *survey)
{
	for (size_t i = 0; i < survey->inquiry.loaded.policy->rule_count; i++)
		forecast->rules[i].untold |= !survey_rule_is_told(&survey->rules[i]);
}

static bool print_forecast(struct survey *survey)
{
	const struct options *options = survey->options;
	const struct policy *policy = survey->inquiry.loaded.policy;
	struct forecast forecast;
	bool answered = forecast_ask(&forecast, &survey->inquiry, survey->rule, options->at,
				     options->since);

	if (answered)
		note_untold(&forecast, survey);
	if (answered && options->json) {
		forecast_print_json(&forecast, policy);
	} else if (answered) {
		forecast_print(&forecast, policy, survey->rule != NULL, options->at);
		survey_report_print_untold(&survey->report);
	}
	forecast_free(&forecast);
	return answered;
}

/* It may be another program's log, or one that nothing here can unpack. */
static void tell_that_nothing_was_understood(const struct log_reader_counts *lines)
{
	if (lines->lines == 0)
		fputs("portcullis survey: there is no line in what was read\n", stderr);
	else
		fputs("portcullis survey: no line is one of Dovecot or Postfix; is it a mail log, "
		      "plain or packed by gzip, bzip2, xz or zstd?\n",
		      stderr);
}

static bool print_answer(struct survey *survey)
{
	survey->report = (struct survey_report){.reading = &survey->reading,
						.policy = survey->inquiry.loaded.policy,
						.built_in = survey->built_in,
						.rules = survey->rules};
	if (!survey_count(survey->rules, survey->inquiry.store, &survey->judge))
		return false;
	if (survey->options->offenders)
		return print_offenders(survey);
	return survey->options->forecast ? print_forecast(survey) : print_rules(survey);
}

static int answer(struct survey *survey)
{
	const struct log_reader_counts *lines = log_reader_counts(survey->reading.reader);
	int status = EXIT_SUCCESS;

	if (survey->reading.problems > 0)
		status = EX_IOERR;
	else if (lines->understood == 0)
		status = EXIT_NO;
	if (status == EXIT_NO)
		tell_that_nothing_was_understood(lines);
	if (survey->options->unknown) {
		survey_report_print_unknown(&survey->reading);
		return status;
	}
	survey->inquiry.store = log_tally_store(survey->reading.tally, &survey->judge);
	return inquiry_close_store(&survey->inquiry, print_answer(survey), status);
}

static int read_and_answer(struct survey *survey, char *const paths[])
{
	const struct options *options = survey->options;
	const struct edition edition = loaded_edition(&survey->inquiry.loaded);
	const struct survey_question question = {
		.edition = &edition,
		.since = options->since == SCHEDULE_NEVER ? 0 : (int64_t)options->since * 1000,
		.port_25_name = options->port_25_name};
	int status = EX_NOINPUT;

	sighting_judge_init(&survey->judge, &edition, options->at == 0 ? time(NULL) : options->at,
			    options->at == 0);
	if (survey->rule != NULL)
		survey->judge.considered = UINT64_C(1) << survey->rule->index;
	if (survey_read(&survey->reading, paths, &question))
		status = answer(survey);
	survey_reading_free(&survey->reading);
	return status;
}

static bool load_policy(struct survey *survey, const char *config_path)
{
	survey->built_in = !survey_has_config(config_path);
	return survey->built_in
		       ? survey_policy_load(&survey->options->countries, &survey->inquiry.loaded)
		       : policy_load(config_path, &survey->inquiry.loaded);
}

int survey_command(const char *config_path, int argc, char **argv)
{
	struct options options = {.since = SCHEDULE_NEVER};
	struct survey survey = {.options = &options};
	int status;

	if (!read_options(config_path, argc, argv, &options, &status))
		return status;
	if (!load_policy(&survey, config_path))
		return EX_CONFIG;
	if (options.rule != NULL)
		survey.rule = policy_rule(survey.inquiry.loaded.policy, options.rule);
	if (options.rule != NULL && survey.rule == NULL)
		status = usage_error("survey", "no rule is called '%s'", options.rule);
	else
		status = read_and_answer(&survey, argv + optind);
	policy_unload(&survey.inquiry.loaded);
	return status;
}
