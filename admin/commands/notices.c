#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/inquiry.h"
#include "admin/store/store-notices.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/listing.h"
#include "command.h"

static const struct command_help help = {
	.name = "notices",
	.usage = "[OPTION...]",
	.description = "Lists what people were told.",
};

static const struct column columns[] = {
	{"TIME", NULL, COLUMN_TEXT},        {"USER", "user", COLUMN_SHRINKS_LAST},
	{NULL, "recipient", COLUMN_TEXT},   {"REASON", "reason", COLUMN_TEXT},
	{"RULES", "rules", COLUMN_SHRINKS}, {"STATE", "state", COLUMN_TEXT},
	{NULL, "time", COLUMN_TEXT},        {NULL, "attempts", COLUMN_NUMBER},
	{NULL, "message_id", COLUMN_TEXT},  {"ERROR", "error", COLUMN_SHRINKS_FIRST},
};

static bool add(void *context, const struct store_notice *notice)
{
	int64_t time = store_notice_time(notice);
	char date[DATE_TEXT_SIZE];
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text(date),
		cell_text(notice->user),
		cell_text(notice->recipient),
		cell_text(notice_reason_name(notice->reason)),
		cell_list(notice->rules),
		cell_text(notice_state_name(notice->state)),
		cell_time(time, NULL),
		cell_number(notice->attempts),
		cell_text(notice->message_id),
		cell_text(notice->error),
	};

	date_format((time_t)(time / 1000), date);
	listing_add(context, cells);
	return true;
}

static bool answer(struct store *store, const char *user, bool json)
{
	struct listing *listing =
		listing_begin(json ? LISTING_JSON : LISTING_TABLE, columns, G_N_ELEMENTS(columns));
	bool answered = store_each_notice(store, user, add, listing);

	if (answered)
		listing_end(listing, "Nobody was told anything.");
	else
		listing_abandon(listing);
	return answered;
}

int notices_command(const char *config_path, int argc, char **argv)
{
	const char *user = NULL;
	bool json = false;
	const struct command_option known[] = {
		{"user", 'u', "USER", "only this user", .text = &user},
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	char normalised[USER_SIZE];
	struct inquiry inquiry;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	status = inquiry_begin(&inquiry, config_path);
	if (status != 0)
		return status;
	if (user != NULL) {
		user_normalise(user, inquiry.loaded.policy->default_domain, normalised,
			       sizeof(normalised));
		user = normalised;
	}
	return inquiry_end(&inquiry, answer(inquiry.store, user, json), EXIT_SUCCESS);
}
