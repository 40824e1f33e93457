#include "survey-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/questions/survey-gaps.h"
#include "admin/questions/survey-policy.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/terminal-text.h"
#include "admin/terminal/wrapped-text.h"

/* Of hosts, and of files: how many, and how much of each. */
#define NAMES_SHOWN 8
#define NAME_SHOWN_MAX 128

/* Of lines with a title. */
#define FACT_INDENT 18

/* ---- rules ---- */

static const struct column columns[] = {
	{"RULE", "rule", COLUMN_SHRINKS_LAST},
	{NULL, "kind", COLUMN_TEXT},
	{NULL, "judged", COLUMN_TEXT},
	{"PEOPLE", "people", COLUMN_NUMBER},
	{"LOCKED OUT", "locked_out", COLUMN_NUMBER},
	{"PARTLY", "partly", COLUMN_NUMBER},
	{"NOT TOLD OF", "untold", COLUMN_NUMBER},
	{NULL, "why_not", COLUMN_TEXT},
	/* The operator's own rules he knows. */
	{"WHAT IT REFUSES", NULL, COLUMN_SHRINKS_FIRST},
};

/* Where nothing tells of the rule, people are not nobody. */
static struct cell people_cell(bool told, uint64_t people, const char *shown)
{
	return told ? cell_number(people) : cell_text_shown(NULL, shown);
}

static struct listing *list_rules(enum listing_format format, const struct survey_report *report)
{
	struct listing *listing =
		listing_begin(format, columns, G_N_ELEMENTS(columns) - !report->built_in);

	for (size_t i = 0; i < report->policy->rule_count; i++) {
		const struct rule *rule = &report->policy->rules[i];
		const struct survey_rule *found = &report->rules[i];
		bool told = survey_rule_is_told(found);
		const struct cell cells[G_N_ELEMENTS(columns)] = {
			cell_text(rule->title),
			cell_text(kind_name(rule->kind)),
			cell_flag(told),
			people_cell(told, found->people, "not told"),
			people_cell(told, found->locked_out, "-"),
			people_cell(told, found->partly, "-"),
			cell_number(found->untold),
			cell_text(told ? NULL : survey_why_not(rule, found)),
			cell_text(survey_policy_refuses(rule)),
		};

		if (found->considered)
			listing_add(listing, cells);
	}
	return listing;
}

/* ---- JSON and CSV ---- */

static json_t *time_json(int64_t time)
{
	char text[UTC_TEXT_SIZE];

	return time == 0 ? json_null() : json_string(utc_format(time, text));
}

static json_t *hosts_json(const struct log_tally *tally)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < log_tally_hosts(tally); i++) {
		char *host = g_utf8_make_valid(log_tally_host(tally, i), -1);

		json_array_append_new(hosts, json_string(host));
		g_free(host);
	}
	return hosts;
}

static json_t *missing_json(const struct log_tally_counts *counts)
{
	struct survey_gap gaps[SURVEY_GAPS_MAX];
	size_t count = survey_gaps(counts, gaps);
	json_t *missing = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(missing,
				      json_pack("{s:s, s:s, s:s}", "what", gaps[i].what, "server",
						gaps[i].server, "setting", gaps[i].setting));
	return missing;
}

void survey_report_print_json(const struct survey_report *report)
{
	const struct log_reader_counts *lines = log_reader_counts(report->reading->reader);
	struct log_tally_counts counts;

	log_tally_count(report->reading->tally, &counts);
	json_print(json_pack(
		"{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "lines",
		(json_int_t)lines->lines, "understood", (json_int_t)lines->understood, "unknown",
		(json_int_t)lines->unknown, "undated", (json_int_t)lines->undated, "from",
		time_json(counts.first), "to", time_json(counts.last), "hosts",
		hosts_json(report->reading->tally), "people", (json_int_t)counts.people, "logins",
		(json_int_t)counts.verified, "failed", (json_int_t)counts.unverified,
		"no_common_tls", (json_int_t)lines->no_common_tls, "rules",
		listing_end_json(list_rules(LISTING_ARRAY, report)), "missing",
		missing_json(&counts)));
}

void survey_report_print_csv(const struct survey_report *report)
{
	listing_end(list_rules(LISTING_CSV, report), NULL);
}

/* ---- for people ---- */

typedef const char *name_function(const void *context, size_t i);

static const char *host_name(const void *tally, size_t i)
{
	return log_tally_host(tally, i);
}

static const char *log_name(const void *sources, size_t i)
{
	return log_source_name(g_ptr_array_index((const GPtrArray *)sources, i));
}

/* A line with the first of some names, if there are any. */
static void print_names(const char *title, size_t count, name_function *name, const void *context)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
		g_string_append(text, i == 0 ? "" : ", ");
		terminal_text_append(text, name(context, i), NAME_SHOWN_MAX);
	}
	if (count > NAMES_SHOWN)
		g_string_append_printf(text, " and %zu more", count - NAMES_SHOWN);
	if (count > 0)
		wrapped_line_print(FACT_INDENT, "%-16s  %s", title, text->str);
	g_string_free(text, TRUE);
}

static void print_fact(const char *title, uint64_t number, const char *note)
{
	wrapped_line_print(FACT_INDENT, "%-16s  %" PRIu64 "%s", title, number, note);
}

static void print_days(const struct log_tally_counts *counts)
{
	int64_t days = calendar_day((time_t)(counts->last / 1000)) -
		       calendar_day((time_t)(counts->first / 1000)) + 1;
	char first[DAY_TEXT_SIZE], last[DAY_TEXT_SIZE];

	day_format(counts->first, first);
	day_format(counts->last, last);
	/* Of a day with one digit. */
	g_strchug(first);
	g_strchug(last);
	if (days == 1)
		wrapped_line_print(FACT_INDENT, "%-16s  %s", "logins of", first);
	else
		wrapped_line_print(FACT_INDENT, "%-16s  %s to %s, %" PRId64 " days", "logins from",
				   first, last, days);
}

static void print_read(const struct survey_reading *reading, const struct log_tally_counts *counts)
{
	const struct log_reader_counts *lines = log_reader_counts(reading->reader);
	const GPtrArray *sources = log_input_sources(reading->input);

	print_names("logs", sources->len, log_name, sources);
	print_fact("lines", lines->lines, "");
	if (lines->unknown > 0)
		print_fact("not understood", lines->unknown, " (--unknown shows examples)");
	if (counts->last != 0)
		print_days(counts);
	print_names("on", log_tally_hosts(reading->tally), host_name, reading->tally);
	print_fact("people", counts->people, ", who had the right password");
	print_fact("their logins", counts->verified, "");
	print_fact("failed attempts", counts->unverified, "");
	if (lines->undated > 0)
		print_fact("without a time", lines->undated, " logins, which do not count");
	if (lines->no_common_tls > 0)
		print_fact("without TLS", lines->no_common_tls,
			   " connections that ended because no version of TLS suited both sides: "
			   "programs that are locked out already");
}

static void print_rules_untold(const struct survey_report *report)
{
	for (size_t i = 0; i < report->policy->rule_count; i++) {
		const struct survey_rule *rule = &report->rules[i];

		if (rule->considered && !survey_rule_is_told(rule))
			wrapped_line_print(2, "%s: %s", report->policy->rules[i].title,
					   survey_why_not(&report->policy->rules[i], rule));
	}
}

static bool is_of_one_line(const struct survey_gap *gap, const struct survey_gap *other)
{
	return strcmp(gap->server, other->server) == 0 && strcmp(gap->setting, other->setting) == 0;
}

/* What the line tells, once for all that it does; NULL when an earlier one had it. The caller
   frees it. */
static char *line_tells(const struct survey_gap *gaps, size_t count, size_t i)
{
	GString *text = g_string_new(gaps[i].missing);

	for (size_t j = 0; j < i; j++) {
		if (is_of_one_line(&gaps[j], &gaps[i])) {
			g_string_free(text, TRUE);
			return NULL;
		}
	}
	for (size_t j = i + 1; j < count; j++) {
		if (is_of_one_line(&gaps[j], &gaps[i]))
			g_string_append_printf(text, ", %s", gaps[j].missing);
	}
	return g_string_free(text, FALSE);
}

static void print_gaps(const struct survey_reading *reading)
{
	struct survey_gap gaps[SURVEY_GAPS_MAX];
	struct log_tally_counts counts;
	size_t count;

	log_tally_count(reading->tally, &counts);
	count = survey_gaps(&counts, gaps);
	if (count > 0)
		wrapped_line_print(0, "\nWhat these logs do not tell, or not of every login, and "
				      "the line of configuration that makes them tell it:");
	for (size_t i = 0; i < count; i++) {
		char *tells = line_tells(gaps, count, i);

		if (tells == NULL)
			continue;
		wrapped_line_print(2, "%s: %s. In %s:", gaps[i].server, tells, gaps[i].place);
		/* Whole, so that it can be copied. */
		printf("    %s\n", gaps[i].setting);
		g_free(tells);
	}
}

void survey_report_print_untold(const struct survey_report *report)
{
	print_rules_untold(report);
	print_gaps(report->reading);
}

void survey_report_print(const struct survey_report *report)
{
	struct log_tally_counts counts;

	log_tally_count(report->reading->tally, &counts);
	print_read(report->reading, &counts);
	if (counts.people == 0) {
		wrapped_line_print(0, "\nNobody with a right password is in what was read, or none "
				      "since the time that was asked for.");
		return;
	}
	wrapped_line_print(
		0,
		"\nPeople with a right password whom a rule would refuse: LOCKED OUT came "
		"in no other way, PARTLY did. Of those NOT TOLD OF the logs leave it open.%s",
		report->built_in ? " There is no portcullis.conf, so these are the "
				   "survey's own rules."
				 : "");
	listing_end(list_rules(LISTING_TABLE, report), NULL);
	survey_report_print_untold(report);
	wrapped_line_print(0, "\nWho they are, by which way they came and when last: the same with "
			      "--offenders.");
}

void survey_report_print_unknown(const struct survey_reading *reading)
{
	const struct log_examples *examples = log_reader_examples(reading->reader);

	for (guint i = 0; i < examples->examples->len; i++) {
		const struct log_example *example =
			&g_array_index(examples->examples, struct log_example, i);
		GString *text = g_string_new(NULL);

		terminal_text_append(text, example->text, SIZE_MAX);
		printf("%7" PRIu64 "  %s\n", example->count, text->str);
		g_string_free(text, TRUE);
	}
	if (examples->others > 0)
		printf("%7" PRIu64 "  of other kinds\n", examples->others);
	if (examples->examples->len == 0)
		puts("Every line was understood.");
}
