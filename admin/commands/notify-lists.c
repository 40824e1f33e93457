#include "notify-lists.h"

#include "admin/store/rule-titles.h"
#include "admin/terminal/display.h"

/* What stands in both lists, and what in one of them only. */
enum { USER, ADDRESS, WHY, MAILS, RULES, DEVICES, FIRST_SEEN, DATE, COLUMNS };

static const struct column untold_columns[COLUMNS] = {
	[USER] = {"USER", "user", COLUMN_SHRINKS_LAST},
	[ADDRESS] = {NULL, "address", COLUMN_TEXT},
	[WHY] = {"WHY", "why", COLUMN_TEXT},
	[MAILS] = {NULL, "mails", COLUMN_NUMBER},
	[RULES] = {"RULES", "rules", COLUMN_SHRINKS},
	[DEVICES] = {"DEVICES", "devices", COLUMN_SHRINKS_FIRST},
	[FIRST_SEEN] = {"SINCE", "first_seen", COLUMN_TEXT},
	[DATE] = {"DATE", "enforce", COLUMN_WHOLE},
};

static const struct column call_columns[COLUMNS] = {
	[USER] = {"USER", "user", COLUMN_SHRINKS_LAST},
	[ADDRESS] = {"ADDRESS", "address", COLUMN_SHRINKS},
	[WHY] = {NULL, NULL, COLUMN_TEXT},
	[MAILS] = {"MAILS", "mails", COLUMN_NUMBER},
	[RULES] = {NULL, "rules", COLUMN_TEXT},
	[DEVICES] = {"DEVICES", "devices", COLUMN_SHRINKS_FIRST},
	[FIRST_SEEN] = {"SINCE", "first_seen", COLUMN_TEXT},
	[DATE] = {"DATE", "enforce", COLUMN_WHOLE},
};

static void add(struct listing *listing, const struct policy *policy,
		const struct desk_entry *entry)
{
	bool dated = entry->date != SCHEDULE_NEVER;
	int64_t first_seen = (int64_t)entry->first_seen * 1000;
	char day[ISO_DAY_TEXT_SIZE], since[DAY_TEXT_SIZE];
	char *rules = rule_titles_format(policy, entry->rules);
	const struct cell cells[COLUMNS] = {
		[USER] = cell_text(entry->user),
		[ADDRESS] = cell_text_shown(entry->address, entry->address == NULL ? "-" : NULL),
		[WHY] = cell_text(entry->why),
		[MAILS] = cell_number(entry->mails),
		[RULES] = cell_list(rules),
		[DEVICES] = cell_list(entry->devices),
		[FIRST_SEEN] = cell_time(first_seen, day_format(first_seen, since)),
		[DATE] = cell_date(entry->date, dated ? iso_day_format(entry->date, day) : "-"),
	};

	listing_add(listing, cells);
	g_free(rules);
}

void notify_list_print(enum desk_list list, const struct policy *policy, const GArray *entries,
		       enum listing_format format)
{
	bool untold = list == DESK_UNTOLD;
	struct listing *listing =
		listing_begin(format, untold ? untold_columns : call_columns, COLUMNS);

	for (guint i = 0; i < entries->len; i++)
		add(listing, policy, &g_array_index(entries, struct desk_entry, i));
	listing_end(listing, untold ? "Everybody can be told." : "Nobody is to be called.");
}
