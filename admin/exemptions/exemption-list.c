#include "exemption-list.h"

#include <string.h>

#include "admin/terminal/display.h"
#include "admin/terminal/listing.h"

static const struct column columns[] = {
	{"USER", "user", COLUMN_SHRINKS_LAST},
	{"RULES", "rules", COLUMN_SHRINKS},
	{"FROM", "from", COLUMN_WHOLE},
	{"UNTIL", "until", COLUMN_WHOLE},
	{"", "state", COLUMN_TEXT},
	{"REASON", "reason", COLUMN_SHRINKS_FIRST},
	{NULL, "line", COLUMN_NUMBER},
};

static const char *state_name(const struct exemption *exemption, time_t at)
{
	if (at >= exemption->end)
		return "over";
	return at < exemption->begin ? "to come" : "holds";
}

/* What is asked for, and where it goes. */
struct request {
	const struct exemption_file *file;
	const char *only; /* NULL: all users */
	time_t at;
	struct listing *listing;
};

static void add_row(const struct request *request, const char *user, const char *rules,
		    const char *reason, const struct exemption *exemption)
{
	bool begins = exemption->begin != SCHEDULE_ALWAYS;
	char from[ISO_DAY_TEXT_SIZE], until[ISO_DAY_TEXT_SIZE];
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text(user),
		cell_text(rules),
		cell_text(begins ? iso_day_format(exemption->begin, from) : NULL),
		cell_text(iso_day_format(exemption->end - 1, until)),
		cell_text(state_name(exemption, request->at)),
		cell_text(reason),
		cell_number(exemption->line),
	};

	listing_add(request->listing, cells);
}

static void add_line(const struct request *request, const char *line, size_t length,
		     unsigned int number)
{
	struct exemption_line parts;
	char user[USER_SIZE];
	const struct exemption *exemption =
		exemption_file_read_line(request->file, line, length, number, &parts, user);
	char *rules, *reason;

	if (exemption == NULL || (request->only != NULL && strcmp(request->only, user) != 0))
		return;
	rules = g_strndup(line + parts.rules, parts.rules_end - parts.rules);
	reason = g_strndup(line + parts.comment, parts.end - parts.comment);
	add_row(request, user, rules, reason, exemption);
	g_free(rules);
	g_free(reason);
}

void exemption_list_print(const struct exemption_file *file, const char *only, time_t at, bool json)
{
	struct request request = {
		.file = file,
		.at = at,
		.listing = listing_begin(json ? LISTING_JSON : LISTING_TABLE, columns,
					 G_N_ELEMENTS(columns)),
	};
	char user[USER_SIZE];
	size_t position = 0, length;
	unsigned int number = 0;
	const char *line;

	if (only != NULL) {
		user_normalise(only, file->policy->default_domain, user, sizeof(user));
		request.only = user;
	}
	while (exemption_file_next(file->text, &position, &line, &length))
		add_line(&request, line, length, ++number);
	listing_end(request.listing, NULL);
}
