#include "forecast-report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "admin/store/rule-titles.h"
#include "admin/store/store-week.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/terminal-width.h"
#include "admin/terminal/wrapped-text.h"

#define GROUPS_SHOWN 8

double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

struct forecast_figures forecast_figures(const struct forecast *forecast)
{
	struct forecast_figures figures = {
		.active = forecast_people(forecast->active_users),
		.affected = forecast_people(forecast->locked_out + forecast->partly),
		.locked_out = forecast_people(forecast->locked_out),
		.told_changed = forecast_people(forecast->told_changed),
	};

	figures.partly = figures.affected - figures.locked_out;
	figures.fine = figures.active - figures.affected;
	figures.changed = MIN(forecast_people(forecast->changed), figures.fine);
	figures.low = MIN((uint64_t)forecast->low, figures.affected);
	figures.high = (uint64_t)ceil(forecast->high);
	return figures;
}

static bool is_too_early(const struct forecast *forecast)
{
	return forecast->days_recorded < FORECAST_DAYS_MIN;
}

/* ---- printing ---- */

static json_t *groups_json(const struct forecast *forecast, enum grouping grouping)
{
	const GArray *groups = forecast->groups.groups[grouping];
	json_t *object = json_object();

	for (guint i = 0; i < groups->len; i++) {
		const struct forecast_group *group =
			&g_array_index(groups, struct forecast_group, i);

		json_object_set_new(object, group->name,
				    json_integer((json_int_t)forecast_people(group->users)));
	}
	return object;
}

static const struct column rule_columns[] = {
	{"RULE", NULL, COLUMN_SHRINKS_LAST},
	{"PHASE", "phase", COLUMN_TEXT},
	{"USERS", "users", COLUMN_NUMBER},
	{"LOCKED OUT", "locked_out", COLUMN_NUMBER},
};

/* Nobody is not what it is when nobody knows. */
static struct cell people_cell(const struct forecast_rule *rule, double expected)
{
	return rule->untold ? cell_text_shown(NULL, "not told")
			    : cell_number(forecast_people(expected));
}

static struct listing *list_rules(enum listing_format format, const struct forecast *forecast,
				  const struct policy *policy)
{
	struct listing *listing = listing_begin(format, rule_columns, G_N_ELEMENTS(rule_columns));

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct forecast_rule *rule = &forecast->rules[i];
		const struct cell cells[G_N_ELEMENTS(rule_columns)] = {
			cell_text(policy->rules[i].title),
			cell_text(phase_name(rule->phase)),
			people_cell(rule, rule->users),
			people_cell(rule, rule->locked_out),
		};

		if (rule->considered)
			listing_add(listing, cells);
	}
	return listing;
}

static const struct column week_columns[] = {
	{"WEEK FROM", "week", COLUMN_NUMBER},
	{"ACTIVE", "active_users", COLUMN_NUMBER},
	{"AFFECTED", "affected", COLUMN_NUMBER},
	{"%", NULL, COLUMN_NUMBER},
};

static struct listing *list_weeks(enum listing_format format, const struct forecast *forecast)
{
	struct listing *listing = listing_begin(format, week_columns, G_N_ELEMENTS(week_columns));

	for (int i = FORECAST_WEEKS - 1; i >= 0; i--) {
		const struct forecast_week *week = &forecast->weeks[i];
		int64_t begin = store_week_begin(store_week(forecast->reference) - i);
		char utc[UTC_TEXT_SIZE], share[16];
		const struct cell cells[G_N_ELEMENTS(week_columns)] = {
			cell_text(utc),
			cell_number(week->active_users),
			cell_number(week->affected),
			cell_text(share),
		};

		utc_format(begin, utc);
		utc[strlen("2024-09-20")] = '\0';
		snprintf(share, sizeof(share), "%.1f", percent(week->affected, week->active_users));
		listing_add(listing, cells);
	}
	return listing;
}

static json_t *course_json(const struct forecast *forecast, const struct policy *policy)
{
	json_t *course = json_array();

	for (size_t i = 0; i < forecast->course_count; i++) {
		const struct forecast_date *date = &forecast->course[i];
		json_t *rules = json_array();

		for (uint64_t left = date->rules; left != 0; left &= left - 1)
			json_array_append_new(
				rules, json_string(policy->rules[__builtin_ctzll(left)].title));
		json_array_append_new(course,
				      json_pack("{s:o, s:o, s:I}", "date", json_date(date->date),
						"rules", rules, "affected",
						(json_int_t)forecast_people(date->users)));
	}
	return course;
}

void forecast_print_json(const struct forecast *forecast, const struct policy *policy)
{
	struct forecast_figures figures = forecast_figures(forecast);

	json_print(json_pack(
		"{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, "
		"s:o,"
		" s:o, s:o}",
		"at", json_date(forecast->at), "active_users", (json_int_t)figures.active, "fine",
		(json_int_t)figures.fine, "affected", (json_int_t)figures.affected, "affected_low",
		(json_int_t)figures.low, "affected_high", (json_int_t)figures.high, "days_recorded",
		(json_int_t)forecast->days_recorded, "too_early", is_too_early(forecast),
		"locked_out", (json_int_t)figures.locked_out, "partly", (json_int_t)figures.partly,
		"changed", (json_int_t)figures.changed, "told", (json_int_t)forecast->told,
		"told_changed", (json_int_t)figures.told_changed, "rules",
		listing_end_json(list_rules(LISTING_OBJECT, forecast, policy)), "services",
		groups_json(forecast, GROUPED_BY_SERVICE), "programs",
		groups_json(forecast, GROUPED_BY_PROGRAM), "countries",
		groups_json(forecast, GROUPED_BY_COUNTRY), "weeks",
		listing_end_json(list_weeks(LISTING_ARRAY, forecast)), "course",
		course_json(forecast, policy)));
}

/* Of such a line with its columns. */
#define LINE_WIDTH 40

static void print_line(const char *title, uint64_t users, uint64_t of)
{
	char share[sizeof("  100.0 %")] = "";

	if (of > 0)
		snprintf(share, sizeof(share), "  %5.1f %%", percent(users, of));
	if (terminal_width() < LINE_WIDTH)
		wrapped_line_print(2, "%s: %" PRIu64 "%s", title, users, share);
	else
		printf("%-22s  %7" PRIu64 "%s\n", title, users, share);
}

/* The largest groups. */
static void print_groups(const char *title, const GArray *groups)
{
	const struct column columns[] = {{title, NULL, COLUMN_SHRINKS},
					 {"USERS AFFECTED", NULL, COLUMN_NUMBER}};
	struct listing *listing;

	if (groups->len == 0)
		return;
	listing = listing_begin(LISTING_TABLE, columns, G_N_ELEMENTS(columns));
	for (guint i = 0; i < groups->len && i < GROUPS_SHOWN; i++) {
		const struct forecast_group *group =
			&g_array_index(groups, struct forecast_group, i);
		const struct cell cells[G_N_ELEMENTS(columns)] = {
			cell_text(group->name[0] == '\0' ? "not known" : group->name),
			cell_number(forecast_people(group->users)),
		};

		listing_add(listing, cells);
	}
	putchar('\n');
	listing_end(listing, NULL);
}

/* Who is counted, and what is supposed. */
static void print_heading(const struct forecast *forecast, bool one_rule, time_t at)
{
	char day[DATE_TEXT_SIZE], moment[DATE_TEXT_SIZE];

	date_format((time_t)(forecast->since / 1000), day);
	date_format(at, moment);
	if (at != 0)
		wrapped_line_print(0, "Users seen since %s, as %s at %s:\n", day,
				   one_rule ? "the rule stands" : "the rules stand", moment);
	else
		wrapped_line_print(0, "Users seen since %s, if %s enforced now:\n", day,
				   one_rule ? "the rule were" : "all rules were");
}

static void print_interval(const struct forecast *forecast, const struct forecast_figures *figures)
{
	if (is_too_early(forecast))
		wrapped_line_print(0,
				   "It is too early to say: only %" PRId64 " day%s recorded, and "
				   "who comes once a week or less is not known yet.",
				   forecast->days_recorded,
				   forecast->days_recorded == 1 ? " is" : "s are");
	else if (figures->low == figures->high)
		wrapped_line_print(0,
				   "%" PRIu64 " people would lose a way to their mail. %" PRId64
				   " days are recorded.",
				   figures->affected, forecast->days_recorded);
	else
		wrapped_line_print(0,
				   "%" PRIu64 " people would lose a way to their mail, or between "
				   "%" PRIu64 " and %" PRIu64 ": that much is uncertain. %" PRId64
				   " days are recorded.",
				   figures->affected, figures->low, figures->high,
				   forecast->days_recorded);
}

static const struct column course_columns[] = {
	{"DATE", NULL, COLUMN_WHOLE},
	{"RULES", NULL, COLUMN_SHRINKS},
	{"STILL AFFECTED", NULL, COLUMN_NUMBER},
};

/* How it will be at each date to come. */
static void print_course(const struct forecast *forecast, const struct policy *policy)
{
	struct listing *listing;

	if (is_too_early(forecast) || forecast->course_count == 0)
		return;
	wrapped_line_print(0, "If it goes on like this:");
	listing = listing_begin(LISTING_TABLE, course_columns, G_N_ELEMENTS(course_columns));
	for (size_t i = 0; i < forecast->course_count; i++) {
		const struct forecast_date *date = &forecast->course[i];
		char *titles = rule_titles_format(policy, date->rules), day[DATE_TEXT_SIZE];
		const struct cell cells[G_N_ELEMENTS(course_columns)] = {
			cell_date(date->date, day),
			cell_text(titles),
			cell_number(forecast_people(date->users)),
		};

		date_format(date->date, day);
		listing_add(listing, cells);
		g_free(titles);
	}
	listing_end(listing, NULL);
	putchar('\n');
}

void forecast_print(const struct forecast *forecast, const struct policy *policy, bool one_rule,
		    time_t at)
{
	struct forecast_figures figures = forecast_figures(forecast);
	uint64_t active = figures.active;

	print_heading(forecast, one_rule, at);
	print_line("active", active, 0);
	print_line("fine", figures.fine, active);
	print_line("  of them have changed", figures.changed, active);
	print_line("partly locked out", figures.partly, active);
	print_line("wholly locked out", figures.locked_out, active);
	print_line("told by mail", forecast->told, active);
	print_line("  of them have changed", figures.told_changed, forecast->told);
	putchar('\n');
	print_interval(forecast, &figures);
	putchar('\n');
	print_course(forecast, policy);
	listing_end(list_rules(LISTING_TABLE, forecast, policy), NULL);
	print_groups("SERVICE", forecast->groups.groups[GROUPED_BY_SERVICE]);
	print_groups("PROGRAM", forecast->groups.groups[GROUPED_BY_PROGRAM]);
	print_groups("COUNTRY", forecast->groups.groups[GROUPED_BY_COUNTRY]);
	putchar('\n');
	listing_end(list_weeks(LISTING_TABLE, forecast), NULL);
}
