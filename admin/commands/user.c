#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/exemptions/own-date.h"
#include "admin/questions/inquiry.h"
#include "admin/questions/user-ways.h"
#include "admin/sightings/sighting-text.h"
#include "admin/store/store-notices.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/terminal-text.h"
#include "command.h"

/* More do not fit on one screen with the rest. */
#define WAYS_SHOWN 8
#define UNVERIFIED_SHOWN 2
#define EXEMPTIONS_SHOWN 4
#define NOTICES_SHOWN 2

static const struct command_help help = {
	.name = "user",
	.usage = "[--at DATE] [--json] USER",
	.description =
		"Says all that the help desk wants to know about a user: the programs, which of "
		"them are fine and which are not, exemptions, and the settings to use.",
};

/* What is told of a user. */
struct portrait {
	const char *user; /* normalised */
	struct edition edition;
	time_t at;
	GArray *ways; /* of struct user_way */
	const struct exemption *exemptions;
	size_t exemption_count;
	GArray *notices; /* of struct told, the latest last */
};

/* A notice to the user. */
struct told {
	enum notice_reason reason;
	enum notice_state state;
	int64_t time;
	char *rules;
};

/* How a mail program is to be set up for a service. */
struct server {
	const char *service; /* as users know it */
	const char *name;    /* NULL: not offered */
	uint16_t port;
};

#define SERVER_COUNT 3

static void find_servers(const struct policy *policy, struct server servers_r[SERVER_COUNT])
{
	const struct client_settings *settings = &policy->client_settings;

	servers_r[0] = (struct server){"IMAP", settings->imap_server, settings->imap_port};
	servers_r[1] = (struct server){"POP3", settings->pop3_server, settings->pop3_port};
	servers_r[2] = (struct server){"SMTP", settings->smtp_server, settings->smtp_port};
	if (policy_retires_service(policy, SERVICE_IMAP))
		servers_r[0].name = NULL;
	if (policy_retires_service(policy, SERVICE_POP3))
		servers_r[1].name = NULL;
}

static const char *server_encryption(const struct policy *policy, const struct server *server)
{
	return policy_port_is_implicit_tls(policy, server->port) ? "SSL/TLS" : "STARTTLS";
}

/* When a rule will hold for the user, or has begun to. */
static time_t date_for_user(const struct portrait *portrait, const struct rule *rule,
			    bool *exempted_r)
{
	return own_date(portrait->exemptions, portrait->exemption_count, rule, portrait->at,
			exempted_r);
}

/* The last day on which the user is let off all of a rule: at its date or, where no
   exemption covers that, from now on. NULL when there is none. */
static const char *exempt_until(const struct portrait *portrait, const struct rule *rule,
				char day_r[static ISO_DAY_TEXT_SIZE])
{
	bool exempted;
	time_t end = date_for_user(portrait, rule, &exempted);

	if (!exempted)
		end = exemptions_end(portrait->exemptions, portrait->exemption_count, rule,
				     portrait->at);
	return exempted || end > portrait->at ? iso_day_format(end - 1, day_r) : NULL;
}

/* ---- the programs ---- */

/* When a way ends at the first: SCHEDULE_ALWAYS, it has; SCHEDULE_NEVER, no rule has a
   date for it. *exempted_r: it would end sooner without an exemption. */
static time_t first_end(const struct portrait *portrait, const struct sighting_verdict *verdict,
			bool *exempted_r)
{
	time_t first = SCHEDULE_NEVER;

	*exempted_r = false;
	for (uint64_t left = verdict->broken | verdict->exempt; left != 0; left &= left - 1) {
		unsigned int index = (unsigned int)__builtin_ctzll(left);
		const struct rule *rule = &portrait->edition.policy->rules[index];
		bool exempted;
		time_t date = date_for_user(portrait, rule, &exempted);

		if ((verdict->broken >> index & 1) != 0 &&
		    schedule_phase(&rule->schedule, portrait->at) == PHASE_ENFORCE)
			return SCHEDULE_ALWAYS;
		if (date >= first)
			continue;
		first = date;
		*exempted_r = exempted;
	}
	return first;
}

#define STATE_SIZE (sizeof("ends ") + ISO_DAY_TEXT_SIZE)

static const char *way_state(const struct portrait *portrait, const struct user_way *way,
			     char state_r[static STATE_SIZE])
{
	const struct sighting_verdict *verdict = &way->verdict;
	bool exempted;
	time_t end = first_end(portrait, verdict, &exempted);
	char day[ISO_DAY_TEXT_SIZE];

	if ((verdict->broken | verdict->exempt) == 0)
		return "fine";
	if (end == SCHEDULE_ALWAYS)
		return "REFUSED";
	if (end == SCHEDULE_NEVER)
		return "no date";
	if (exempted)
		return "let off";
	snprintf(state_r, STATE_SIZE, "ends %s", iso_day_format(end, day));
	return state_r;
}

/* The titles of rules. */
static const char *list_rules(const struct policy *policy, uint64_t rules, GString *text)
{
	g_string_truncate(text, 0);
	for (uint64_t left = rules; left != 0; left &= left - 1)
		g_string_append_printf(text, "%s%s", text->len == 0 ? "" : ",",
				       policy->rules[__builtin_ctzll(left)].title);
	return text->str;
}

static json_t *way_rules_json(const struct portrait *portrait, const struct user_way *way)
{
	const struct policy *policy = portrait->edition.policy;
	json_t *rules = json_array();

	for (unsigned int i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;
		char date[DATE_TEXT_SIZE], day[ISO_DAY_TEXT_SIZE];

		if (((way->verdict.broken | way->verdict.exempt) >> i & 1) == 0)
			continue;
		date_format(schedule->enforce, date);
		json_array_append_new(
			rules,
			json_pack("{s:s, s:s, s:s?, s:s?}", "rule", policy->rules[i].title, "phase",
				  phase_name(schedule_phase(schedule, portrait->at)), "enforce",
				  schedule->enforce == SCHEDULE_NEVER ? NULL : date, "exempt_until",
				  exempt_until(portrait, &policy->rules[i], day)));
	}
	return rules;
}

static const struct column way_columns[] = {
	{"", NULL, COLUMN_TEXT},
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
	{"ADDRESS", "last_client", COLUMN_SHRINKS},
	{NULL, "fine", COLUMN_TEXT},
	{"RULES", "rules", COLUMN_SHRINKS},
};

static void add_way(struct listing *listing, const struct portrait *portrait,
		    const struct user_way *way)
{
	const struct store_habit *habit = way->habit;
	GString *titles = g_string_new(NULL);
	char *program = program_format(habit->client_id);
	char service[SERVICE_TEXT_SIZE], last[DAY_TEXT_SIZE], state[STATE_SIZE];
	const struct cell cells[G_N_ELEMENTS(way_columns)] = {
		cell_text(way_state(portrait, way, state)),
		cell_text_shown(habit->client_id, program),
		cell_text_shown(service_name(habit->service), service_format(habit, service)),
		cell_number(habit->port),
		cell_text(tls_state_name(habit->tls)),
		cell_text(habit->mechanism),
		cell_text(habit->country.code),
		cell_number(way->count),
		cell_time(way->first_seen, NULL),
		cell_time(way->last_seen, day_format(way->last_seen, portrait->at, last)),
		cell_flag(way->verified),
		cell_text(way->last_client),
		cell_flag(way->verdict.broken == 0),
		cell_json(way_rules_json(portrait, way),
			  list_rules(portrait->edition.policy,
				     way->verdict.broken | way->verdict.exempt, titles)),
	};

	listing_add(listing, cells);
	g_free(program);
	g_string_free(titles, TRUE);
}

/* ---- JSON ---- */

static json_t *ways_json(const struct portrait *portrait)
{
	struct listing *listing =
		listing_begin(LISTING_ARRAY, way_columns, G_N_ELEMENTS(way_columns));

	for (guint i = 0; i < portrait->ways->len; i++)
		add_way(listing, portrait, &g_array_index(portrait->ways, struct user_way, i));
	return listing_end_json(listing);
}

static json_t *exemption_json(const struct portrait *portrait, const struct exemption *exemption)
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
		const struct told *told = &g_array_index(notices, struct told, i);
		char time[UTC_TEXT_SIZE];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "time",
						       utc_format(told->time, time), "reason",
						       notice_reason_name(told->reason), "rules",
						       told->rules, "state",
						       notice_state_name(told->state)));
	}
	return array;
}

static json_t *settings_json(const struct policy *policy)
{
	struct server servers[SERVER_COUNT];
	json_t *array = json_array();

	find_servers(policy, servers);
	for (size_t i = 0; i < SERVER_COUNT; i++) {
		if (servers[i].name != NULL)
			json_array_append_new(
				array,
				json_pack("{s:s, s:s, s:i, s:s}", "service", servers[i].service,
					  "server", servers[i].name, "port", (int)servers[i].port,
					  "encryption", server_encryption(policy, &servers[i])));
	}
	return array;
}

static void print_json(const struct portrait *portrait)
{
	json_t *exemptions = json_array();
	char at[DATE_TEXT_SIZE];

	for (size_t i = 0; i < portrait->exemption_count; i++)
		json_array_append_new(exemptions,
				      exemption_json(portrait, &portrait->exemptions[i]));
	date_format(portrait->at, at);
	json_print(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "user", portrait->user, "at", at,
			     "programs", ways_json(portrait), "exemptions", exemptions, "notices",
			     notices_json(portrait->notices), "settings",
			     settings_json(portrait->edition.policy)));
}

/* ---- text ---- */

/* Ways from begin on that are as verified; returns where the others begin. */
static guint print_ways(const struct portrait *portrait, guint begin, bool verified)
{
	struct listing *listing =
		listing_begin(LISTING_TABLE, way_columns, G_N_ELEMENTS(way_columns));
	guint end = begin, most = verified ? WAYS_SHOWN : UNVERIFIED_SHOWN;

	for (; end < portrait->ways->len; end++) {
		const struct user_way *way = &g_array_index(portrait->ways, struct user_way, end);

		if (way->verified != verified)
			break;
		if (end - begin < most)
			add_way(listing, portrait, way);
	}
	if (end > begin)
		listing_end(listing, NULL);
	else
		listing_abandon(listing);
	if (end - begin > most)
		printf("and %u more; --json tells all\n", end - begin - most);
	return end;
}

/* One line for each rule that some program breaks, or is let off. */
static void print_rules(const struct portrait *portrait)
{
	const struct policy *policy = portrait->edition.policy;
	uint64_t broken = 0, exempt = 0;

	for (guint i = 0; i < portrait->ways->len; i++) {
		const struct user_way *way = &g_array_index(portrait->ways, struct user_way, i);

		broken |= way->verdict.broken;
		exempt |= way->verdict.exempt;
	}
	if ((broken | exempt) != 0)
		putchar('\n');
	for (uint64_t left = broken | exempt; left != 0; left &= left - 1) {
		unsigned int index = (unsigned int)__builtin_ctzll(left);
		const struct rule *rule = &policy->rules[index];
		char date[DATE_TEXT_SIZE], day[ISO_DAY_TEXT_SIZE];
		const char *until = exempt_until(portrait, rule, day);

		date_format(rule->schedule.enforce, date);
		printf("%s: now in phase %s", rule->title,
		       phase_name(schedule_phase(&rule->schedule, portrait->at)));
		if (rule->schedule.enforce == SCHEDULE_NEVER)
			printf(", no date yet");
		else if (rule->schedule.enforce > portrait->at)
			printf(", enforced from %s", date);
		printf("%s%s\n", until == NULL ? "" : "; let off until ",
		       until == NULL ? "" : until);
	}
}

static void print_exemption(const struct portrait *portrait, const struct exemption *exemption)
{
	char day[ISO_DAY_TEXT_SIZE];

	printf("  %s", portrait->edition.policy->rules[exemption->rule].title);
	for (size_t i = 0; i < exemption->country_count; i++)
		printf("%c%s", i == 0 ? '=' : ',', exemption->countries[i].code);
	if (exemption->begin != SCHEDULE_ALWAYS)
		printf(" from %s", iso_day_format(exemption->begin, day));
	printf(" until %s%s\n", iso_day_format(exemption->end - 1, day),
	       exemption->end <= portrait->at ? ", which is over" : "");
}

/* Those that are over come last. */
static void print_exemptions(const struct portrait *portrait)
{
	size_t count = portrait->exemption_count, shown = 0;

	if (count > 0)
		puts("\nExemptions:");
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
		printf("  and %zu more; --json tells all\n", count - shown);
}

/* The latest ones. */
static void print_notices(const struct portrait *portrait)
{
	guint count = portrait->notices->len;

	if (count > 0)
		puts("\nTold by mail:");
	for (guint i = count > NOTICES_SHOWN ? count - NOTICES_SHOWN : 0; i < count; i++) {
		const struct told *told = &g_array_index(portrait->notices, struct told, i);
		char date[DATE_TEXT_SIZE];

		date_format((time_t)(told->time / 1000), date);
		printf("  %s  %s (%s), %s\n", date, notice_reason_name(told->reason), told->rules,
		       notice_state_name(told->state));
	}
}

static void print_settings(const struct portrait *portrait)
{
	const struct policy *policy = portrait->edition.policy;
	const struct client_settings *settings = &policy->client_settings;
	struct server servers[SERVER_COUNT];
	bool offered = false;

	find_servers(policy, servers);
	puts("\nSettings that work:");
	for (size_t i = 0; i < SERVER_COUNT; i++) {
		if (servers[i].name == NULL)
			continue;
		offered = true;
		printf("  %s  %s, port %u, %s, normal password\n", servers[i].service,
		       servers[i].name, servers[i].port, server_encryption(policy, &servers[i]));
	}
	if (!offered)
		puts("  not known: portcullis.conf has no client-settings");
	if (offered && settings->user_name != NULL)
		printf("  User name: %s\n", settings->user_name);
	if (settings->webmail_url != NULL)
		printf("  Webmail: %s\n", settings->webmail_url);
	if (settings->vpn_url != NULL)
		printf("  VPN: %s\n", settings->vpn_url);
	if (policy->help_url != NULL)
		printf("  Help: %s\n", policy->help_url);
}

static void print_text(const struct portrait *portrait)
{
	GString *name = g_string_new(NULL);
	guint verified;

	terminal_text_append(name, portrait->user, TABLE_WIDTH);
	printf("%s\n\n", name->str);
	g_string_free(name, TRUE);
	verified = print_ways(portrait, 0, true);
	if (verified == 0)
		puts("Not seen.");
	if (verified < portrait->ways->len) {
		puts("\nWith a wrong password, or refused before it was looked at; may be others:");
		print_ways(portrait, verified, false);
	}
	print_rules(portrait);
	print_exemptions(portrait);
	print_notices(portrait);
	print_settings(portrait);
}

/* ---- the command ---- */

static void free_told(gpointer told)
{
	g_free(((struct told *)told)->rules);
}

static bool add_told(void *context, const struct store_notice *notice)
{
	const struct told told = {
		.reason = notice->reason,
		.state = notice->state,
		.time = notice->settled == 0 ? notice->intended : notice->settled,
		.rules = g_strdup(notice->rules),
	};

	g_array_append_val((GArray *)context, told);
	return true;
}

static int answer(const char *user, time_t at, bool json, struct inquiry *inquiry)
{
	struct portrait portrait = {.edition = loaded_edition(&inquiry->loaded), .at = at};
	struct sighting_judge judge;
	char normalised[USER_SIZE];
	bool answered;

	user_normalise(user, portrait.edition.policy->default_domain, normalised,
		       sizeof(normalised));
	portrait.user = normalised;
	portrait.exemptions = exemptions_of_user(portrait.edition.exemptions, normalised,
						 &portrait.exemption_count);
	sighting_judge_init(&judge, &portrait.edition, at, true);
	portrait.ways = user_ways_find(inquiry->store, &judge, normalised);
	portrait.notices = g_array_new(FALSE, FALSE, sizeof(struct told));
	g_array_set_clear_func(portrait.notices, free_told);
	answered = portrait.ways != NULL &&
		   store_each_notice(inquiry->store, normalised, add_told, portrait.notices);
	if (answered && json)
		print_json(&portrait);
	else if (answered)
		print_text(&portrait);
	if (portrait.ways != NULL)
		g_array_free(portrait.ways, TRUE);
	g_array_free(portrait.notices, TRUE);
	return inquiry_end(inquiry, answered, EXIT_SUCCESS);
}

int user_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "as the rules stand at \"YYYY-MM-DD HH:MM\" instead of now",
		 .date = &at},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct inquiry inquiry;
	int status;

	if (!command_options_read(argc, argv, &help, known, &status))
		return status;
	if (argc - optind != 1)
		return usage_error(argv[0],
				   argc == optind ? "USER is missing" : "one USER at a time");
	status = inquiry_begin(&inquiry, config_path);
	return status != 0 ? status : answer(argv[optind], at, json, &inquiry);
}
