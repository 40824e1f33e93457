#include <stdio.h>
#include <stdlib.h>

#include "admin/questions/health.h"
#include "admin/questions/inquiry.h"
#include "admin/questions/rule-history.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/table.h"
#include "command.h"

static const struct command_help help = {
	.name = "status",
	.usage = "[--at DATE] [--json]",
	.description =
		"Says where each rule stands, how many users still break it, and whether the "
		"suite is healthy.",
	.closing = "Exit status: 0 healthy, 1 not.",
};

/* Where a rule stands. */
struct standing {
	const struct rule *rule;
	enum phase phase, next_phase;
	time_t next_change; /* SCHEDULE_NEVER: none */
	int64_t days;       /* until then, as a calendar counts them */
	uint64_t offenders, offenders_at_start;
};

/* Days since 1970 in local time. */
static int64_t calendar_day(time_t time)
{
	struct tm local;

	if (localtime_r(&time, &local) == NULL)
		return 0;
	return ((int64_t)time + local.tm_gmtoff) / 86400;
}

static struct standing stand(const struct rule *rule, time_t at, const struct rule_history *history,
			     unsigned int start)
{
	struct standing standing = {
		.rule = rule,
		.phase = schedule_phase(&rule->schedule, at),
		.offenders = history->windows[0],
		.offenders_at_start = history->windows[start],
	};

	standing.next_change = schedule_next_change(&rule->schedule, at, &standing.next_phase);
	if (standing.next_change != SCHEDULE_NEVER)
		standing.days = calendar_day(standing.next_change) - calendar_day(at);
	return standing;
}

static bool all_healthy(const struct health_finding findings[HEALTH_COUNT])
{
	for (size_t i = 0; i < HEALTH_COUNT; i++) {
		if (!findings[i].healthy)
			return false;
	}
	return true;
}

/* ---- printing ---- */

static json_t *standing_json(const struct standing *standing)
{
	bool changes = standing->next_change != SCHEDULE_NEVER;
	char date[DATE_TEXT_SIZE];

	date_format(standing->next_change, date);
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:I, s:I}", "rule", standing->rule->title,
			 "phase", phase_name(standing->phase), "next_phase",
			 changes ? phase_name(standing->next_phase) : NULL, "next_change",
			 changes ? date : NULL, "days",
			 changes ? json_integer(standing->days) : json_null(), "offenders",
			 (json_int_t)standing->offenders, "offenders_at_start",
			 (json_int_t)standing->offenders_at_start);
}

static void print_json(const struct standing *standings, size_t count, time_t at,
		       const struct health_finding findings[HEALTH_COUNT])
{
	json_t *rules = json_array(), *health = json_array();
	char date[DATE_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		json_array_append_new(rules, standing_json(&standings[i]));
	for (size_t i = 0; i < HEALTH_COUNT; i++)
		json_array_append_new(health,
				      json_pack("{s:s, s:b, s:s}", "check", health_check_name(i),
						"healthy", findings[i].healthy, "text",
						findings[i].text));
	date_format(at, date);
	json_print(json_pack("{s:s, s:b, s:o, s:o}", "at", date, "healthy", all_healthy(findings),
			     "rules", rules, "health", health));
}

static void print_rules(const struct standing *standings, size_t count)
{
	static const struct table_column columns[] = {
		{"RULE", COLUMN_SHRINKS},    {"PHASE", COLUMN_TEXT},
		{"NEXT", COLUMN_TEXT},       {"FROM", COLUMN_TEXT},
		{"IN DAYS", COLUMN_NUMBER},  {"OFFENDERS", COLUMN_NUMBER},
		{"AT START", COLUMN_NUMBER},
	};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < count; i++) {
		const struct standing *standing = &standings[i];
		bool changes = standing->next_change != SCHEDULE_NEVER;
		char date[DATE_TEXT_SIZE], days[NUMBER_TEXT_SIZE];
		char offenders[NUMBER_TEXT_SIZE], at_start[NUMBER_TEXT_SIZE];
		const char *const cells[] = {
			standing->rule->title,
			phase_name(standing->phase),
			changes ? phase_name(standing->next_phase) : "-",
			changes ? date : "",
			changes ? number_format((uint64_t)standing->days, days) : "",
			number_format(standing->offenders, offenders),
			number_format(standing->offenders_at_start, at_start),
		};

		date_format(standing->next_change, date);
		table_add(table, cells);
	}
	table_print(table);
	table_free(table);
}

static void print_health(const struct health_finding findings[HEALTH_COUNT])
{
	putchar('\n');
	for (size_t i = 0; i < HEALTH_COUNT; i++)
		printf("%-5s  %-17s  %s\n", findings[i].healthy ? "ok" : "WRONG",
		       health_check_name(i), findings[i].text);
}

static int answer(time_t at, bool json, struct inquiry *inquiry)
{
	const struct policy *policy = inquiry->loaded.policy;
	int64_t now = (int64_t)time(NULL) * 1000, reference, first_record;
	struct rule_history histories[RULES_MAX];
	struct health_finding findings[HEALTH_COUNT];
	struct standing standings[RULES_MAX];

	if (!inquiry_reference(inquiry, at, &reference) ||
	    !rule_histories_count(histories, inquiry->store, policy, reference) ||
	    !rule_history_first_record(inquiry->store, reference, &first_record) ||
	    !health_examine(inquiry, now, findings))
		return inquiry_end(inquiry, false, 0);
	for (size_t i = 0; i < policy->rule_count; i++)
		standings[i] = stand(
			&policy->rules[i], at, &histories[i],
			rule_history_start(&policy->rules[i].schedule, first_record, reference));
	if (json) {
		print_json(standings, policy->rule_count, at, findings);
	} else {
		print_rules(standings, policy->rule_count);
		print_health(findings);
	}
	return inquiry_end(inquiry, true, all_healthy(findings) ? EXIT_SUCCESS : EXIT_NO);
}

int status_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "the phases at \"YYYY-MM-DD HH:MM\" instead of now",
		 .date = &at},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct inquiry inquiry;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(at, json, &inquiry);
}
