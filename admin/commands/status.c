#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/files/file-open.h"
#include "admin/journal/journal-position.h"
#include "admin/questions/health.h"
#include "admin/questions/log-standing.h"
#include "admin/questions/rule-standing.h"
#include "admin/questions/server-edition.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"
#include "admin/terminal/terminal-width.h"
#include "admin/terminal/wrapped-text.h"
#include "command.h"
#include "host-table.h"
#include "open-orders.h"

static const struct command_help help = {
	.name = "status",
	.usage = "[--at DATE] [--json]",
	.description =
		"Says where each rule stands, how many users still break it, and whether the "
		"suite is healthy.",
	.closing = "Exit status: 0 healthy, 1 not.",
};

static const struct column columns[] = {
	{"RULE", "rule", COLUMN_SHRINKS_LAST},
	{"PHASE", "phase", COLUMN_TEXT},
	{"NEXT", "next_phase", COLUMN_TEXT},
	{"FROM", "next_change", COLUMN_WHOLE},
	{"IN DAYS", "days", COLUMN_NUMBER},
	{"OFFENDERS", "offenders", COLUMN_NUMBER},
	{"AT START", "offenders_at_start", COLUMN_NUMBER},
};

static void add(struct listing *listing, const struct rule_standing *standing)
{
	bool changes = standing->next_change != SCHEDULE_NEVER;
	char date[DATE_TEXT_SIZE];
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text(standing->rule->title),
		cell_text(phase_name(standing->phase)),
		cell_text_shown(changes ? phase_name(standing->next_phase) : NULL,
				changes ? NULL : "-"),
		cell_date(standing->next_change, changes ? date : NULL),
		changes ? cell_number((uint64_t)standing->days) : cell_text(NULL),
		cell_number(standing->offenders),
		cell_number(standing->offenders_at_start),
	};

	date_format(standing->next_change, date);
	listing_add(listing, cells);
}

static struct listing *list_rules(enum listing_format format, const struct rule_standing *standings,
				  size_t count)
{
	struct listing *listing = listing_begin(format, columns, G_N_ELEMENTS(columns));

	for (size_t i = 0; i < count; i++)
		add(listing, &standings[i]);
	return listing;
}

struct server_list {
	const struct inquiry *inquiry;
	const struct host_standings *hosts;
	json_t *servers;
};

static bool add_server(void *context, const struct store_writer *writer)
{
	struct server_list *list = context;
	const struct inquiry *inquiry = list->inquiry;
	const struct server_edition edition =
		server_edition(&inquiry->loaded, list->hosts, inquiry->store, writer);
	char since[UTC_TEXT_SIZE];
	bool told = writer->edition[0] != '\0';

	json_array_append_new(list->servers,
			      json_pack("{s:s, s:s, s:s?, s:s?, s:b}", "host", writer->host,
					"source", source_name(writer->source), "edition",
					told ? writer->edition : NULL, "since",
					told ? utc_format(writer->edition_since, since) : NULL,
					"differs", edition.differs));
	return true;
}

/* NULL when the store fails. */
static json_t *list_servers(const struct inquiry *inquiry, const struct host_standings *hosts)
{
	struct server_list list = {.inquiry = inquiry, .hosts = hosts, .servers = json_array()};

	if (store_each_writer(inquiry->store, add_server, &list))
		return list.servers;
	json_decref(list.servers);
	return NULL;
}

/* NULL when the store fails. */
static json_t *list_logs(const struct inquiry *inquiry)
{
	size_t count = inquiry->loaded.policy->log_count;
	struct log_standing *standings = g_new(struct log_standing, count);
	json_t *logs = log_standings_find(standings, inquiry) ? json_array() : NULL;

	for (size_t i = 0; logs != NULL && i < count; i++) {
		const struct log_standing *standing = &standings[i];
		const char *problem = standing->error == 0 ? NULL : file_problem(standing->error);
		char read[UTC_TEXT_SIZE];

		json_array_append_new(
			logs,
			json_pack("{s:s, s:s?, s:I, s:s?}", "log", standing->log, "problem",
				  problem, "waiting", (json_int_t)standing->waiting, "read",
				  standing->read == 0 ? NULL : utc_format(standing->read, read)));
	}
	g_free(standings);
	return logs;
}

static void print_json(const struct rule_standing *standings, size_t count, time_t at,
		       json_t *hosts, json_t *servers, json_t *logs, json_t *orders,
		       const struct edition *edition,
		       const struct health_finding findings[HEALTH_COUNT])
{
	json_t *rules = listing_end_json(list_rules(LISTING_ARRAY, standings, count));
	json_t *health = json_array();

	for (size_t i = 0; i < HEALTH_COUNT; i++)
		json_array_append_new(health,
				      json_pack("{s:s, s:b, s:s}", "check", health_check_name(i),
						"healthy", findings[i].healthy, "text",
						findings[i].text));
	json_print(json_pack("{s:o, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "at", json_date(at),
			     "healthy", health_is_good(findings), "rules", rules, "health", health,
			     "edition", edition->id, "hosts", hosts, "servers", servers, "logs",
			     logs, "orders", orders));
}

/* Of a text in a column of its own. */
#define HEALTH_WIDTH_MIN 40

#define HEALTH_INDENT 4

static void print_health(const struct health_finding findings[HEALTH_COUNT])
{
	/* Where the texts begin, unless that is too far right. */
	size_t indent = sizeof("WRONG  unknown countries  ") - 1;
	size_t width = terminal_width();

	putchar('\n');
	for (size_t i = 0; i < HEALTH_COUNT; i++) {
		const char *word = findings[i].healthy ? "ok" : "WRONG";

		if (width < indent + HEALTH_WIDTH_MIN) {
			wrapped_line_print(HEALTH_INDENT, "%s  %s: %s", word, health_check_name(i),
					   findings[i].text);
			continue;
		}
		printf("%-5s  %-17s  ", word, health_check_name(i));
		wrapped_text_print(findings[i].text, indent, indent, width);
	}
}

/* False when the store fails. */
static bool print_all_json(const struct rule_standing *standings, time_t at,
			   const struct inquiry *inquiry, const struct host_standings *hosts,
			   const struct health_finding findings[HEALTH_COUNT])
{
	const struct edition edition = loaded_edition(&inquiry->loaded);
	json_t *servers = list_servers(inquiry, hosts), *logs = list_logs(inquiry);
	json_t *orders = open_orders(inquiry->store);

	if (servers == NULL || logs == NULL || orders == NULL) {
		json_decref(servers);
		json_decref(logs);
		json_decref(orders);
		return false;
	}
	print_json(standings, inquiry->loaded.policy->rule_count, at, host_table_json(hosts),
		   servers, logs, orders, &edition, findings);
	return true;
}

/* False when the store fails. */
static bool print_all(const struct rule_standing *standings, const struct inquiry *inquiry,
		      const struct host_standings *hosts,
		      const struct health_finding findings[HEALTH_COUNT])
{
	json_t *orders = open_orders(inquiry->store);

	if (orders == NULL)
		return false;
	listing_end(list_rules(LISTING_TABLE, standings, inquiry->loaded.policy->rule_count), NULL);
	/* Of one alone, the health has it all. */
	if (hosts->count > 1) {
		putchar('\n');
		host_table_print(hosts);
	}
	print_health(findings);
	open_orders_print(orders);
	json_decref(orders);
	return true;
}

static int answer(time_t at, bool json, struct inquiry *inquiry)
{
	struct host_standings hosts = {0};
	struct rule_standing standings[RULES_MAX];
	struct health_finding findings[HEALTH_COUNT];
	int64_t now = (int64_t)time(NULL) * 1000;
	struct notice_health notices = {0};
	bool found = rule_standings_find(standings, &notices, inquiry, at, now) &&
		     host_standings_find(&hosts, inquiry) &&
		     health_examine(inquiry, &hosts, &notices, now, findings);

	if (found && json)
		found = print_all_json(standings, at, inquiry, &hosts, findings);
	else if (found)
		found = print_all(standings, inquiry, &hosts, findings);
	host_standings_free(&hosts);
	notice_health_clear(&notices);
	return inquiry_end(inquiry, found,
			   found && health_is_good(findings) ? EXIT_SUCCESS : EXIT_NO);
}

/* What waits on this host while the store's server is away. Its positions are there, too, so
   some may be imported already. */
static void print_backlog(const struct journal_backlog *backlog)
{
	char date[OFFSET_DATE_TEXT_SIZE];

	if (backlog->files == 0) {
		puts("nothing waits in the journal of this host");
		return;
	}
	offset_date_format((time_t)(backlog->oldest / 1000), date);
	printf("at most %" PRIu64 " bytes in %zu journal file%s of this host wait to be imported, "
	       "the first of them since %s\n",
	       backlog->bytes, backlog->files, backlog->files == 1 ? "" : "s", date);
}

static void print_backlog_json(const struct journal_backlog *backlog, time_t at,
			       const char *failure)
{
	char oldest[UTC_TEXT_SIZE];

	json_print(json_pack("{s:o, s:b, s:s, s:{s:I, s:I, s:s?}}", "at", json_date(at), "healthy",
			     false, "store", failure, "journal", "files",
			     (json_int_t)backlog->files, "bytes", (json_int_t)backlog->bytes,
			     "oldest",
			     backlog->files == 0 ? NULL : utc_format(backlog->oldest, oldest)));
}

static void answer_without_store(time_t at, bool json, const struct inquiry *inquiry)
{
	struct journal_backlog backlog;

	journal_backlog(inquiry->loaded.policy->journal, NULL, &backlog);
	if (json)
		print_backlog_json(&backlog, at, inquiry->failure.text);
	else
		print_backlog(&backlog);
}

static int ask(time_t at, bool json, struct inquiry *inquiry)
{
	int status = inquiry_open_store(inquiry);

	if (status == 0)
		return answer(at, json, inquiry);
	if (inquiry->failure.away)
		answer_without_store(at, json, inquiry);
	policy_unload(&inquiry->loaded);
	return status;
}

int status_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "the phases at this time instead of now", .date = &at},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct inquiry inquiry;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	status = inquiry_load(&inquiry, config_path);
	return status != 0 ? status : ask(at, json, &inquiry);
}
