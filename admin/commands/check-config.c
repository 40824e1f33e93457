#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/delivery/address-map.h"
#include "admin/questions/loaded-policy.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/json-output.h"
#include "admin/wording/notice-texts.h"
#include "command.h"

static const struct command_help help = {
	.name = "check-config",
	.usage = "[--at DATE] [--json]",
	.description =
		"Checks the configuration, the exemptions, the country database and the texts "
		"of notices, and prints the phase of every rule.",
	.closing =
		"Exit status: 0 all is well, 1 a file that the configuration names has problems, "
		"78 the configuration is wrong.",
};

/* "enforce from 2024-09-20 00:00", or "-" when nothing changes any more. */
static void print_next_change(const struct schedule *schedule, time_t at)
{
	char date[DATE_TEXT_SIZE];
	enum phase next_phase;
	time_t next = schedule_next_change(schedule, at, &next_phase);

	if (next == SCHEDULE_NEVER) {
		puts("-");
		return;
	}
	date_format(next, date);
	printf("%s from %s\n", phase_name(next_phase), date);
}

static int title_width(const struct policy *policy)
{
	size_t width = strlen("RULE");

	for (size_t i = 0; i < policy->rule_count; i++) {
		size_t length = strlen(policy->rules[i].title);

		if (length > width)
			width = length;
	}
	return (int)width;
}

static void print_text(const struct loaded_policy *loaded, time_t at)
{
	const struct policy *policy = loaded->policy;
	int width = title_width(policy);
	char built[DATE_TEXT_SIZE];

	printf("%-*s  %-15s  %-7s  %s\n", width, "RULE", "KIND", "PHASE", "NEXT");
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		printf("%-*s  %-15s  %-7s  ", width, rule->title, kind_name(rule->kind),
		       phase_name(schedule_phase(&rule->schedule, at)));
		print_next_change(&rule->schedule, at);
	}
	if (loaded->exemptions != NULL)
		printf("\n%zu exemptions in %s\n", exemptions_count(loaded->exemptions),
		       policy->exemptions);
	if (loaded->countries != NULL) {
		date_format(country_database_built(loaded->countries), built);
		printf("\nCountries from %s, built %s\n", policy->country_database, built);
	}
}

static json_t *rule_json(const struct rule *rule, time_t at)
{
	char date[DATE_TEXT_SIZE];
	enum phase next_phase;
	time_t next = schedule_next_change(&rule->schedule, at, &next_phase);
	json_t *services = json_array();

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((rule->services & SERVICE_BIT(service)) != 0)
			json_array_append_new(services, json_string(service_name(service)));
	}
	date_format(next, date);
	return json_pack("{s:s, s:s, s:o, s:s, s:s?, s:s?}", "rule", rule->title, "kind",
			 kind_name(rule->kind), "services", services, "phase",
			 phase_name(schedule_phase(&rule->schedule, at)), "next_phase",
			 next == SCHEDULE_NEVER ? NULL : phase_name(next_phase), "next_change",
			 next == SCHEDULE_NEVER ? NULL : date);
}

static void print_json(const struct loaded_policy *loaded, time_t at)
{
	const struct policy *policy = loaded->policy;
	char built[DATE_TEXT_SIZE] = "";
	json_t *rules = json_array(), *top;

	for (size_t i = 0; i < policy->rule_count; i++)
		json_array_append_new(rules, rule_json(&policy->rules[i], at));
	if (loaded->countries != NULL)
		date_format(country_database_built(loaded->countries), built);
	top = json_pack(
		"{s:s, s:i, s:o, s:I, s:s?}", "file", policy->file, "problems",
		(int)loaded->problems, "rules", rules, "exemptions",
		(json_int_t)(loaded->exemptions == NULL ? 0 : exemptions_count(loaded->exemptions)),
		"country_database_built", loaded->countries == NULL ? NULL : built);
	json_print(top);
}

static void report_notice_problem(void *context, const char *message)
{
	struct loaded_policy *loaded = context;

	fprintf(stderr, "%s\n", message);
	loaded->problems++;
}

/* The texts of mails and the addresses, if any are to be sent. */
static void check_notices(struct loaded_policy *loaded)
{
	if (!notices_are_configured(&loaded->policy->notices))
		return;
	notice_texts_free(notice_texts_load(loaded->policy, report_notice_problem, loaded));
	address_map_close(address_map_open(loaded->policy, report_notice_problem, loaded));
}

int check_config_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "print the phases at \"YYYY-MM-DD HH:MM\" instead of now",
		 .date = &at},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct loaded_policy loaded;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	if (!policy_load(config_path, &loaded))
		return EX_CONFIG;
	check_notices(&loaded);
	if (json)
		print_json(&loaded, at);
	else
		print_text(&loaded, at);
	status = loaded.problems > 0 ? EXIT_NO : EXIT_SUCCESS;
	policy_unload(&loaded);
	return status;
}
