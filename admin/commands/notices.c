#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/notices/notice-output.h"
#include "admin/questions/inquiry.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/table.h"
#include "command.h"

static const struct command_help help = {
	.name = "notices",
	.usage = "[OPTION...]",
	.description = "Lists what people were told.",
};

struct listing {
	struct table *table;
	struct json_array_printer *printer;
	size_t count;
};

static bool list(void *context, const struct store_notice *notice)
{
	struct listing *listing = context;
	char time[DATE_TEXT_SIZE];

	listing->count++;
	if (listing->printer != NULL) {
		json_array_element(listing->printer, notice_json(notice));
		return true;
	}
	table_add(listing->table,
		  (const char *const[]){notice_time(notice, time), notice->user,
					notice_reason_name(notice->reason), notice->rules,
					notice_state_name(notice->state), notice->error});
	return true;
}

static bool answer(struct store *store, const char *user, bool json)
{
	static const struct table_column columns[] = {
		{"TIME", COLUMN_TEXT},   {"USER", COLUMN_SHRINKS},
		{"REASON", COLUMN_TEXT}, {"RULES", COLUMN_SHRINKS},
		{"STATE", COLUMN_TEXT},  {"ERROR", COLUMN_SHRINKS_FIRST},
	};
	struct json_array_printer printer;
	struct listing listing = {0};
	bool answered;

	if (json) {
		listing.printer = &printer;
		json_array_begin(&printer);
		answered = store_each_notice(store, user, list, &listing);
		json_array_end(&printer);
		return answered;
	}
	listing.table = table_create(columns, G_N_ELEMENTS(columns));
	answered = store_each_notice(store, user, list, &listing);
	if (answered && listing.count == 0)
		puts("Nobody was told anything.");
	else if (answered)
		table_print(listing.table);
	table_free(listing.table);
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
