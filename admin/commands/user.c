#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/questions/user-portrait.h"
#include "admin/sightings/sighting-text.h"
#include "admin/store/rule-titles.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/terminal-text.h"
#include "admin/terminal/wrapped-text.h"
#include "command.h"

/* More do not fit on one screen with the rest. */
#define DEVICES_SHOWN 8
#define UNVERIFIED_SHOWN 2
#define EXEMPTIONS_SHOWN 4
#define NOTICES_SHOWN 2

static const struct command_help help = {
	.name = "user",
	.usage = "[--at DATE] [--json] USER",
	.description =
		"Says all that the help desk wants to know about a user: the programs, which of "
		"them are fine, which were repaired and which are not, exemptions, and the "
		"settings to use.",
};

/* The last day on which the user is let off all of a rule, or at least in a country (NULL: none);
   NULL when there is none. */
static const char *exempt_until(const struct user_portrait *portrait, const struct rule *rule,
				const struct country *country, char day_r[static ISO_DAY_TEXT_SIZE])
{
	time_t end;

	return user_is_exempt(portrait, rule, country, &end) ? iso_day_format(end - 1, day_r)
							     : NULL;
}

/* The last day of the user's grace; NULL when there is none. */
static const char *grace_until(const struct user_portrait *portrait, const struct rule *rule,
			       char day_r[static ISO_DAY_TEXT_SIZE])
{
	time_t end = user_grace_end(portrait, rule);

	return end == 0 ? NULL : iso_day_format(end - 1, day_r);
}

static const char *server_encryption(const struct user_server *server)
{
	return server->implicit_tls ? "SSL/TLS" : "STARTTLS";
}

/* ---- the programs ---- */

#define FATE_SIZE (sizeof("ends ") + ISO_DAY_TEXT_SIZE)

static const char *fate_text(const struct user_portrait *portrait, const struct user_way *way,
			     char text_r[static FATE_SIZE])
{
	char day[ISO_DAY_TEXT_SIZE];
	time_t end;

	switch (user_way_fate(portrait, way, &end)) {
	case USER_WAY_FINE:
		return "fine";
	case USER_WAY_REFUSED:
		return "REFUSED";
	case USER_WAY_EXEMPT:
		return "let off";
	case USER_WAY_UNDATED:
		return "no date";
	case USER_WAY_ENDS:
		break;
	}
	snprintf(text_r, FATE_SIZE, "ends %s", iso_day_format(end, day));
	return text_r;
}

static void add_brownout(json_t *array, const struct brownout *brownout)
{
	if (brownout != NULL)
		json_array_append_new(array,
				      json_pack("{s:o, s:o}", "begin", json_date(brownout->begin),
						"end", json_date(brownout->end)));
}

static json_t *brownouts_json(const struct schedule *schedule, time_t at)
{
	const struct user_brownouts brownouts = user_brownouts_find(schedule, at);
	json_t *array = json_array();

	add_brownout(array, brownouts.last);
	add_brownout(array, brownouts.present);
	add_brownout(array, brownouts.next);
	return array;
}

static json_t *way_rules_json(const struct user_portrait *portrait, const struct user_way *way)
{
	const struct policy *policy = portrait->edition.policy;
	json_t *rules = json_array();

	for (unsigned int i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;
		char day[ISO_DAY_TEXT_SIZE], grace_day[ISO_DAY_TEXT_SIZE];

		if (((way->verdict.broken | way->verdict.exempt) >> i & 1) == 0)
			continue;
		json_array_append_new(
			rules, json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:o}", "rule",
					 policy->rules[i].title, "phase",
					 phase_name(schedule_phase(schedule, portrait->at)),
					 "enforce", json_date(schedule->enforce), "exempt_until",
					 exempt_until(portrait, &policy->rules[i],
						      &way->verdict.country, day),
					 "grace_until",
					 grace_until(portrait, &policy->rules[i], grace_day),
					 "brownouts", brownouts_json(schedule, portrait->at)));
	}
	return rules;
}

static const struct column way_columns[] = {
	{"", NULL, COLUMN_WHOLE},
	{"PROGRAM", "client_id", COLUMN_SHRINKS},
	{"SERVICE", "service", COLUMN_TEXT},
	{NULL, "port", COLUMN_NUMBER},
	{"TLS", "tls", COLUMN_TEXT},
	{"SASL", "mechanism", COLUMN_SHRINKS},
	{"IN", "country", COLUMN_TEXT},
	{NULL, "count", COLUMN_NUMBER},
	{NULL, "first_seen", COLUMN_TEXT},
	{"LAST", "last_seen", COLUMN_TEXT},
	{NULL, "verified", COLUMN_TEXT},
	{NULL, "device", COLUMN_TEXT},
	{"ADDRESS", "last_client", COLUMN_SHRINKS},
	{NULL, "fine", COLUMN_TEXT},
	{"RULES", "rules", COLUMN_SHRINKS},
};

static void add_way(struct listing *listing, const struct user_portrait *portrait,
		    const struct user_way *way)
{
	const struct store_habit *habit = way->habit;
	char *program = program_format(habit->client_id);
	char *rules = rule_titles_format(portrait->edition.policy,
					 way->verdict.broken | way->verdict.exempt);
	char service[SERVICE_TEXT_SIZE], last[DAY_TEXT_SIZE], fate[FATE_SIZE];
	const struct cell cells[G_N_ELEMENTS(way_columns)] = {
		cell_text(fate_text(portrait, way, fate)),
		cell_text_shown(habit->client_id, program),
		cell_text_shown(service_name(habit->service), service_format(habit, service)),
		cell_number(habit->port),
		cell_text(tls_state_name(habit->tls)),
		cell_text(habit->mechanism),
		cell_text(habit->country.code),
		cell_number(way->count),
		cell_time(way->first_seen, NULL),
		cell_time(way->last_seen, day_format(way->last_seen, last)),
		cell_flag(way->verified),
		cell_json(way->verified ? json_integer((json_int_t)way->device) : json_null(),
			  NULL),
		cell_text(way->last_client),
		cell_flag(way->verdict.broken == 0),
		cell_json(way_rules_json(portrait, way), rules),
	};

	listing_add(listing, cells);
	g_free(program);
	g_free(rules);
}

/* ---- the devices ---- */

static const struct column device_columns[] = {
	{"", "state", COLUMN_WHOLE},
	{"PROGRAM", "client_id", COLUMN_SHRINKS},
	{NULL, "device", COLUMN_NUMBER},
	{NULL, "purpose", COLUMN_TEXT},
	{"SERVICE", "service", COLUMN_TEXT},
	{NULL, "port", COLUMN_NUMBER},
	{"TLS", "tls", COLUMN_TEXT},
	{"SASL", "mechanism", COLUMN_SHRINKS},
	{"IN", "country", COLUMN_TEXT},
	{NULL, "first_seen", COLUMN_TEXT},
	{"LAST", "last_seen", COLUMN_TEXT},
	{NULL, "rhythm", COLUMN_TEXT},
	{"ADDRESS", "last_client", COLUMN_SHRINKS},
	{"RULES", "rules", COLUMN_SHRINKS},
};

static const char *device_fate_text(const struct user_portrait *portrait,
				    const struct user_device *device, char text_r[static FATE_SIZE])
{
	return device->state == DEVICE_OPEN ? fate_text(portrait, device->way, text_r)
					    : device_state_name(device->state);
}

/* In days. */
static json_t *rhythm_json(int64_t rhythm)
{
	return rhythm == 0 ? json_null() : json_real((double)rhythm / MILLISECONDS_A_DAY);
}

static void add_device(struct listing *listing, const struct user_portrait *portrait,
		       const struct user_device *found)
{
	const struct device *device = found->device;
	const struct store_habit *habit = found->way->habit;
	char *program = program_format(device->client_id);
	char *rules = rule_titles_format(portrait->edition.policy, found->rules);
	char service[SERVICE_TEXT_SIZE], last[DAY_TEXT_SIZE], fate[FATE_SIZE];
	const struct cell cells[G_N_ELEMENTS(device_columns)] = {
		cell_text_shown(device_state_name(found->state),
				device_fate_text(portrait, found, fate)),
		cell_text_shown(device->client_id, program),
		cell_number(found->way->device),
		cell_text(device_purpose_name(device->purpose)),
		cell_text_shown(service_name(habit->service), service_format(habit, service)),
		cell_number(habit->port),
		cell_text(tls_state_name(habit->tls)),
		cell_text(habit->mechanism),
		cell_text(habit->country.code),
		cell_time(device->first_seen, NULL),
		cell_time(device->last_seen, day_format(device->last_seen, last)),
		cell_json(rhythm_json(found->record.rhythm), NULL),
		cell_text(found->way->last_client),
		cell_list(rules),
	};

	listing_add(listing, cells);
	g_free(program);
	g_free(rules);
}

/* ---- JSON ---- */

static json_t *ways_json(const struct user_portrait *portrait)
{
	struct listing *listing =
		listing_begin(LISTING_ARRAY, way_columns, G_N_ELEMENTS(way_columns));

	for (guint i = 0; i < portrait->ways->len; i++)
		add_way(listing, portrait, &g_array_index(portrait->ways, struct user_way, i));
	return listing_end_json(listing);
}

static json_t *devices_json(const struct user_portrait *portrait)
{
	struct listing *listing =
		listing_begin(LISTING_ARRAY, device_columns, G_N_ELEMENTS(device_columns));

	for (guint i = 0; i < portrait->devices->len; i++)
		add_device(listing, portrait,
			   &g_array_index(portrait->devices, struct user_device, i));
	return listing_end_json(listing);
}

static json_t *exemption_json(const struct user_portrait *portrait,
			      const struct exemption *exemption)
{
	char from[ISO_DAY_TEXT_SIZE], until[ISO_DAY_TEXT_SIZE];
	json_t *countries = json_array();

	for (size_t i = 0; i < exemption->country_count; i++)
		json_array_append_new(countries, json_string(exemption->countries[i].code));
	return json_pack(
		"{s:s, s:o, s:s?, s:s, s:i}", "rule",
		portrait->edition.policy->rules[exemption->rule].title, "countries", countries,
		"from",
		exemption->begin == SCHEDULE_ALWAYS ? NULL : iso_day_format(exemption->begin, from),
		"until", iso_day_format(exemption->end - 1, until), "line", (int)exemption->line);
}

static json_t *notices_json(const GArray *notices)
{
	json_t *array = json_array();

	for (guint i = 0; i < notices->len; i++) {
		const struct user_notice *notice = &g_array_index(notices, struct user_notice, i);
		char time[UTC_TEXT_SIZE];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "time",
						       utc_format(notice->time, time), "reason",
						       notice_reason_name(notice->reason), "rules",
						       notice->rules, "state",
						       notice_state_name(notice->state)));
	}
	return array;
}

static json_t *settings_json(const struct user_portrait *portrait)
{
	json_t *array = json_array();

	for (size_t i = 0; i < portrait->server_count; i++) {
		const struct user_server *server = &portrait->servers[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:i, s:s}", "service", server->service,
						"server", server->name, "port", (int)server->port,
						"encryption", server_encryption(server)));
	}
	return array;
}

static void print_json(const struct user_portrait *portrait)
{
	json_t *exemptions = json_array();

	for (size_t i = 0; i < portrait->exemption_count; i++)
		json_array_append_new(exemptions,
				      exemption_json(portrait, &portrait->exemptions[i]));
	json_print(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "user", portrait->user, "at",
			     json_date(portrait->at), "devices", devices_json(portrait), "programs",
			     ways_json(portrait), "exemptions", exemptions, "notices",
			     notices_json(portrait->notices), "settings", settings_json(portrait)));
}

/* ---- text ---- */

static void print_more(guint count, guint shown)
{
	if (count > shown)
		wrapped_line_print(2, "and %u more; --json tells all", count - shown);
}

static void print_devices(const struct user_portrait *portrait)
{
	const GArray *devices = portrait->devices;
	struct listing *listing;

	if (devices->len == 0) {
		puts("Not seen.");
		return;
	}
	listing = listing_begin(LISTING_TABLE, device_columns, G_N_ELEMENTS(device_columns));
	for (guint i = 0; i < devices->len && i < DEVICES_SHOWN; i++)
		add_device(listing, portrait, &g_array_index(devices, struct user_device, i));
	listing_end(listing, NULL);
	print_more(devices->len, DEVICES_SHOWN);
}

/* What may be somebody else's comes at the end. */
static void print_strangers(const struct user_portrait *portrait)
{
	struct listing *listing;
	guint count = 0;

	for (guint i = 0; i < portrait->ways->len; i++)
		count += !g_array_index(portrait->ways, struct user_way, i).verified;
	if (count == 0)
		return;
	wrapped_line_print(0, "\nWith a wrong password, or refused before it was looked at; "
			      "maybe someone else:");
	listing = listing_begin(LISTING_TABLE, way_columns, G_N_ELEMENTS(way_columns));
	for (guint i = 0; i < count && i < UNVERIFIED_SHOWN; i++)
		add_way(listing, portrait,
			&g_array_index(portrait->ways, struct user_way,
				       portrait->ways->len - count + i));
	listing_end(listing, NULL);
	print_more(count, UNVERIFIED_SHOWN);
}

static void append_brownout(GString *line, const char *which, const struct brownout *brownout)
{
	char begin[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];

	if (brownout == NULL)
		return;
	date_format(brownout->begin, begin);
	date_format(brownout->end, end);
	g_string_append_printf(line, ", %s brown-out %s to %s", which, begin, end);
}

static void append_brownouts(GString *line, const struct user_brownouts *brownouts)
{
	char end[DATE_TEXT_SIZE];

	append_brownout(line, "last", brownouts->last);
	if (brownouts->present != NULL) {
		date_format(brownouts->present->end, end);
		g_string_append_printf(line, ", a brown-out until %s", end);
	}
	append_brownout(line, "next", brownouts->next);
}

/* The country that the way is let off in, where the user is not let off all of the rule. */
static const char *let_off_in(const struct user_way *way, const struct rule *rule)
{
	return way->verified && (way->verdict.exempt >> rule->index & 1) != 0
		       ? way->verdict.country.code
		       : "";
}

static bool is_of_earlier_way(const struct user_portrait *portrait, guint way,
			      const struct rule *rule, const char *country)
{
	for (guint i = 0; i < way; i++) {
		if (strcmp(let_off_in(&g_array_index(portrait->ways, struct user_way, i), rule),
			   country) == 0)
			return true;
	}
	return false;
}

static void append_countries(GString *line, const struct user_portrait *portrait,
			     const struct rule *rule)
{
	for (guint i = 0; i < portrait->ways->len; i++) {
		const struct user_way *way = &g_array_index(portrait->ways, struct user_way, i);
		const char *country = let_off_in(way, rule), *until;
		char day[ISO_DAY_TEXT_SIZE];

		if (country[0] == '\0' || is_of_earlier_way(portrait, i, rule, country))
			continue;
		until = exempt_until(portrait, rule, &way->verdict.country, day);
		if (until != NULL)
			g_string_append_printf(line, "; let off in %s until %s", country, until);
	}
}

static void print_rule(const struct user_portrait *portrait, const struct rule *rule)
{
	const struct user_brownouts brownouts = user_brownouts_find(&rule->schedule, portrait->at);
	char date[DATE_TEXT_SIZE], day[ISO_DAY_TEXT_SIZE], grace_day[ISO_DAY_TEXT_SIZE];
	const char *until = exempt_until(portrait, rule, NULL, day);
	const char *grace = grace_until(portrait, rule, grace_day);
	GString *line = g_string_new(NULL);

	date_format(rule->schedule.enforce, date);
	g_string_printf(line, "%s: now in phase %s", rule->title,
			phase_name(schedule_phase(&rule->schedule, portrait->at)));
	append_brownouts(line, &brownouts);
	if (rule->schedule.enforce == SCHEDULE_NEVER)
		g_string_append(line, ", no date yet");
	else if (rule->schedule.enforce > portrait->at)
		g_string_append_printf(line, ", enforced from %s", date);
	if (until != NULL)
		g_string_append_printf(line, "; let off until %s", until);
	else
		append_countries(line, portrait, rule);
	if (grace != NULL)
		g_string_append_printf(line, "; grace until %s", grace);
	if ((portrait->strangers_rules & UINT64_C(1) << rule->index) != 0)
		g_string_append(line, "; broken only by what may be someone else");
	wrapped_line_print(2, "%s", line->str);
	g_string_free(line, TRUE);
}

/* One line for each rule that some program breaks, or is let off. */
static void print_rules(const struct user_portrait *portrait)
{
	uint64_t rules = portrait->rules | portrait->strangers_rules;

	if (rules != 0)
		putchar('\n');
	for (; rules != 0; rules &= rules - 1)
		print_rule(portrait, &portrait->edition.policy->rules[__builtin_ctzll(rules)]);
}

static void print_exemption(const struct user_portrait *portrait, const struct exemption *exemption)
{
	char day[ISO_DAY_TEXT_SIZE];
	GString *line = g_string_new(portrait->edition.policy->rules[exemption->rule].title);

	for (size_t i = 0; i < exemption->country_count; i++)
		g_string_append_printf(line, "%c%s", i == 0 ? '=' : ',',
				       exemption->countries[i].code);
	if (exemption->begin != SCHEDULE_ALWAYS)
		g_string_append_printf(line, " from %s", iso_day_format(exemption->begin, day));
	g_string_append_printf(line, " until %s%s", iso_day_format(exemption->end - 1, day),
			       exemption->end <= portrait->at ? ", which is over" : "");
	wrapped_line_print(4, "  %s", line->str);
	g_string_free(line, TRUE);
}

/* Those that are over come last. */
static void print_exemptions(const struct user_portrait *portrait)
{
	size_t count = portrait->exemption_count, shown = 0;

	if (count > 0)
		wrapped_line_print(0, "\nExemptions:");
	for (int over = 0; over <= 1; over++) {
		for (size_t i = 0; i < count && shown < EXEMPTIONS_SHOWN; i++) {
			const struct exemption *exemption = &portrait->exemptions[i];

			if ((exemption->end <= portrait->at) != (over == 1))
				continue;
			print_exemption(portrait, exemption);
			shown++;
		}
	}
	if (count > shown)
		wrapped_line_print(4, "  and %zu more; --json tells all", count - shown);
}

/* The latest ones. */
static void print_notices(const struct user_portrait *portrait)
{
	guint count = portrait->notices->len;

	if (count > 0)
		wrapped_line_print(0, "\nTold by mail:");
	for (guint i = count > NOTICES_SHOWN ? count - NOTICES_SHOWN : 0; i < count; i++) {
		const struct user_notice *notice =
			&g_array_index(portrait->notices, struct user_notice, i);
		char date[DATE_TEXT_SIZE];

		date_format((time_t)(notice->time / 1000), date);
		wrapped_line_print(4, "  %s  %s (%s), %s", date, notice_reason_name(notice->reason),
				   notice->rules, notice_state_name(notice->state));
	}
}

static void print_settings(const struct user_portrait *portrait)
{
	const struct policy *policy = portrait->edition.policy;
	const struct client_settings *settings = &policy->client_settings;
	const char *user_name = policy_user_name(policy, "en");

	wrapped_line_print(0, "\nSettings that work:");
	for (size_t i = 0; i < portrait->server_count; i++) {
		const struct user_server *server = &portrait->servers[i];

		wrapped_line_print(4, "  %s  %s, port %u, %s, normal password", server->service,
				   server->name, server->port, server_encryption(server));
	}
	if (portrait->server_count == 0)
		wrapped_line_print(4, "  not known: portcullis.conf has no client-settings");
	if (portrait->server_count > 0 && user_name != NULL)
		wrapped_line_print(4, "  User name: %s", user_name);
	if (settings->webmail_url != NULL)
		wrapped_line_print(4, "  Webmail: %s", settings->webmail_url);
	if (settings->vpn_url != NULL)
		wrapped_line_print(4, "  VPN: %s", settings->vpn_url);
	if (policy->help_url != NULL)
		wrapped_line_print(4, "  Help: %s", policy->help_url);
}

static void print_text(const struct user_portrait *portrait)
{
	GString *name = g_string_new(NULL);

	terminal_text_append(name, portrait->user, SIZE_MAX);
	wrapped_line_print(0, "%s\n", name->str);
	g_string_free(name, TRUE);
	print_devices(portrait);
	print_strangers(portrait);
	print_rules(portrait);
	print_exemptions(portrait);
	print_notices(portrait);
	print_settings(portrait);
}

/* ---- the command ---- */

static int answer(const char *user, time_t at, bool json, struct inquiry *inquiry)
{
	struct user_portrait portrait;
	bool answered = user_portrait_draw(&portrait, inquiry, user, at);

	if (answered && json)
		print_json(&portrait);
	else if (answered)
		print_text(&portrait);
	user_portrait_clear(&portrait);
	return inquiry_end(inquiry, answered, EXIT_SUCCESS);
}

int user_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "as the rules stand at this time instead of now", .date = &at},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct inquiry inquiry;
	int status;

	if (!command_options_read(argc, argv, &help, known, &status))
		return status;
	if (argc - optind != 1)
		return usage_error("user",
				   argc == optind ? "USER is missing" : "one USER at a time");
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(argv[optind], at, json, &inquiry);
}
