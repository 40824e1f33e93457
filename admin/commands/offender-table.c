#include "offender-table.h"

#include "admin/sightings/sighting-text.h"
#include "admin/terminal/display.h"

static const struct column columns[] = {
	{"USER", "user", COLUMN_SHRINKS_LAST},
	{"RULE", "rule", COLUMN_SHRINKS},
	{"PHASE", "phase", COLUMN_TEXT},
	{"SERVICE", "service", COLUMN_TEXT},
	{NULL, "port", COLUMN_NUMBER},
	{"TLS", "tls", COLUMN_TEXT},
	{"SASL", "mechanism", COLUMN_SHRINKS},
	{"IN", "country", COLUMN_TEXT},
	{"PROGRAM", "client_id", COLUMN_SHRINKS_FIRST},
	{"COUNT", "count", COLUMN_NUMBER},
	{"FIRST", "first_seen", COLUMN_TEXT},
	{"LAST", "last_seen", COLUMN_TEXT},
	{NULL, "verified", COLUMN_TEXT},
	{NULL, "last_client", COLUMN_TEXT},
	{NULL, "tls_version", COLUMN_TEXT},
};

/* Whom a table names; a star marks those who did not prove to be that user. */
static const char *user_text(const struct offender *offender, GString *text)
{
	g_string_assign(text, offender->verified ? "" : "*");
	if (offender->user == NULL)
		g_string_append(text, "(others)");
	else if (offender->user[0] == '\0')
		g_string_append(text, "(no login)");
	else
		g_string_append(text, offender->user);
	return text->str;
}

/* Nobody takes 0 for a port that is not known. */
static struct cell port_cell(uint16_t port)
{
	return port == 0 ? cell_text(NULL) : cell_number(port);
}

static void add(struct listing *listing, const struct offender *offender,
		enum listing_format format, GString *user)
{
	const struct store_habit *habit = offender->habit;
	char tls[TLS_TEXT_SIZE], service[SERVICE_TEXT_SIZE], first[DAY_TEXT_SIZE],
		last[DAY_TEXT_SIZE];
	/* Of a hundred thousand, these take their time, which programs need not wait for. */
	bool table = format == LISTING_TABLE;
	char *program = table ? program_format(habit->client_id) : NULL;
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text_shown(offender->user, user_text(offender, user)),
		cell_text(offender->rule->title),
		cell_text(phase_name(offender->phase)),
		cell_text_shown(service_name(habit->service), service_format(habit, service)),
		port_cell(habit->port),
		cell_text_shown(habit->tls == TLS_UNTOLD ? NULL : tls_state_name(habit->tls),
				tls_format(habit, tls)),
		cell_text(habit->mechanism),
		cell_text(habit->country.code),
		cell_text_shown(habit->client_id, program),
		offender->count == 0 ? cell_text_shown(NULL, "-") : cell_number(offender->count),
		cell_time(offender->first_seen,
			  table ? day_format(offender->first_seen, first) : NULL),
		cell_time(offender->last_seen,
			  table ? day_format(offender->last_seen, last) : NULL),
		cell_flag(offender->verified),
		cell_text(offender->last_client),
		cell_text(habit->tls_version == TLS_VERSION_UNKNOWN
				  ? NULL
				  : tls_version_name(habit->tls_version)),
	};

	listing_add(listing, cells);
	g_free(program);
}

void offender_table_print(const GArray *offenders, enum listing_format format, const char *if_none)
{
	struct listing *listing = listing_begin(format, columns, G_N_ELEMENTS(columns));
	GString *user = g_string_new(NULL);

	for (guint i = 0; i < offenders->len; i++)
		add(listing, &g_array_index(offenders, struct offender, i), format, user);
	listing_end(listing, if_none);
	g_string_free(user, TRUE);
}
