#include "host-table.h"

#include <glib.h>

#include "admin/terminal/display.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"

static const struct column columns[] = {
	{"HOST", "host", COLUMN_SHRINKS_LAST},
	{"PORTCULLIS", "portcullis", COLUMN_TEXT},
	{"DOVECOT", "dovecot", COLUMN_TEXT},
	{"POSTFIX", "postfix", COLUMN_TEXT},
	{NULL, "edition", COLUMN_TEXT},
	{NULL, "since", COLUMN_TEXT},
	{"POLICY", "policy", COLUMN_SHRINKS_FIRST},
	{NULL, "differs", COLUMN_TEXT},
	{NULL, "country_database_built", COLUMN_TEXT},
	{"WAITING", "backlog", COLUMN_NUMBER},
	{NULL, "clock_offset", COLUMN_TEXT},
	{"LAST IMPORT", "last_import", COLUMN_WHOLE},
	{"STATE", NULL, COLUMN_SHRINKS},
};

static void add(struct listing *listing, const struct host_standing *standing, int64_t now)
{
	const struct store_host *host = &standing->host;
	char told[DATE_TEXT_SIZE];
	char *problem = host_standing_problem(standing, now);
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text(host->name),
		cell_text(host->portcullis),
		cell_text_shown(host->dovecot, host->dovecot == NULL ? "-" : NULL),
		cell_text_shown(host->postfix, host->postfix == NULL ? "-" : NULL),
		cell_text(host->edition),
		cell_time(host->edition_since, NULL),
		cell_text(host->policy),
		cell_flag(standing->differs),
		host->country_database_built == 0 ? cell_text(NULL)
						  : cell_time(host->country_database_built, NULL),
		cell_number(host->backlog),
		cell_json(json_real((double)host->clock_offset / 1000), NULL),
		cell_time(host->told, told),
		cell_text_shown(NULL, problem == NULL ? "ok" : problem),
	};

	date_format((time_t)(host->told / 1000), told);
	listing_add(listing, cells);
	g_free(problem);
}

static struct listing *list(const struct host_standings *hosts, enum listing_format format)
{
	struct listing *listing = listing_begin(format, columns, G_N_ELEMENTS(columns));

	for (size_t i = 0; i < hosts->count; i++)
		add(listing, &hosts->standings[i], hosts->now);
	return listing;
}

void host_table_print(const struct host_standings *hosts)
{
	listing_end(list(hosts, LISTING_TABLE), NULL);
}

json_t *host_table_json(const struct host_standings *hosts)
{
	return listing_end_json(list(hosts, LISTING_ARRAY));
}
