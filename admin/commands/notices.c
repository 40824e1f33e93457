#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "admin/notices/failed-notices.h"
#include "admin/notices/notice-bounce.h"
#include "admin/questions/inquiry.h"
#include "admin/store/store-notices.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/listing.h"
#include "command.h"

static const struct command_help help = {
	.name = "notices",
	.usage = "[OPTION...]\n"
		 "--bounce",
	.description =
		"Lists what people were told, or learns from the mail system which mails came "
		"back.",
	.closing = "Exit status: with --bounce, 0 also for a mail that says nothing of the kind, "
		   "75 what is wrong here, so that the mail system tries it again.",
};

struct options {
	const char *user;
	bool failed, bounce, json;
};

/* Besides the list. */
enum form { FORM_BOUNCE = 1 };

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"user", 'u', "USER", "only this user", .text = &options->user,
		 .forms = COMMAND_FORM(0)},
		{"failed", 'f', NULL, "only those who could not be told, each by the last mail",
		 .flag = &options->failed, .forms = COMMAND_FORM(0)},
		{"bounce", '\0', NULL,
		 "read a mail on standard input; if it says that a notice came back, mark that as "
		 "failed",
		 .flag = &options->bounce, .makes = FORM_BOUNCE},
		{"json", 'j', NULL, "print JSON", .flag = &options->json, .forms = COMMAND_FORM(0)},
		{0},
	};

	return command_options_read_all(argc, argv, &help, known, status_r);
}

/* ---- the list ---- */

static const struct column columns[] = {
	{"TIME", NULL, COLUMN_WHOLE},       {"USER", "user", COLUMN_SHRINKS_LAST},
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

struct failed_listing {
	struct listing *listing;
	GHashTable *failed; /* as failed_notices_find() has it */
};

static bool add_failed(void *context, const struct store_notice *notice)
{
	struct failed_listing *listing = context;
	const int64_t *id = g_hash_table_lookup(listing->failed, notice->user);

	return id == NULL || *id != notice->id || add(listing->listing, notice);
}

static bool list_failed(struct store *store, const char *user, struct listing *listing)
{
	struct failed_listing failed = {
		.listing = listing,
		.failed = failed_notices_find(store, user, (int64_t)time(NULL) * 1000),
	};
	bool answered =
		failed.failed != NULL && store_each_notice(store, user, add_failed, &failed);

	if (failed.failed != NULL)
		g_hash_table_unref(failed.failed);
	return answered;
}

static bool answer(struct store *store, const char *user, const struct options *options)
{
	struct listing *listing = listing_begin(options->json ? LISTING_JSON : LISTING_TABLE,
						columns, G_N_ELEMENTS(columns));
	bool answered = options->failed ? list_failed(store, user, listing)
					: store_each_notice(store, user, add, listing);

	if (!answered)
		listing_abandon(listing);
	else
		listing_end(listing, options->failed ? "No last mail to anybody failed."
						     : "Nobody was told anything.");
	return answered;
}

static int list(const char *config_path, const struct options *options)
{
	const char *user = NULL;
	char normalised[USER_SIZE];
	struct inquiry inquiry;
	int status = inquiry_begin(&inquiry, config_path);

	if (status != 0)
		return status;
	if (options->user != NULL) {
		user_normalise(options->user, inquiry.loaded.policy->default_domain, normalised,
			       sizeof(normalised));
		user = normalised;
	}
	return inquiry_end(&inquiry, answer(inquiry.store, user, options), EXIT_SUCCESS);
}

/* ---- --bounce ---- */

/* A notice that is sent back whole is much smaller. */
#define MAIL_SIZE_MAX ((size_t)1 << 20)

/* All that comes, so that the mail system can write it; what is too much is forgotten. False
   after a message when it cannot be read. */
static bool read_mail(GString *mail)
{
	char chunk[65536];
	ssize_t got;

	do {
		got = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (got > 0)
			g_string_append_len(mail, chunk,
					    MIN(got, (ssize_t)(MAIL_SIZE_MAX - mail->len)));
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		fprintf(stderr, "portcullis notices: cannot read the mail: %s\n", strerror(errno));
	return got == 0;
}

/* Returns false when the mail system shall come again. */
static bool take_bounce(const struct policy *policy, const GString *mail)
{
	struct store_failure failure;
	struct store *store = store_open(policy->store, policy->host, STORE_WRITE, &failure);
	enum notice_bounce bounce;
	char *text;

	if (store == NULL) {
		fprintf(stderr, "portcullis notices: %s\n", failure.text);
		return false;
	}
	bounce = notice_bounce(store, mail->str, mail->len, (int64_t)time(NULL) * 1000, &text);
	if (bounce == NOTICE_BOUNCE_STORE_FAILED)
		fprintf(stderr, "portcullis notices: %s\n", store_failure(store)->text);
	else
		printf("portcullis notices: %s\n", text);
	g_free(text);
	store_close(store);
	return bounce != NOTICE_BOUNCE_STORE_FAILED;
}

static int bounce(const char *config_path)
{
	GString *mail = g_string_new(NULL);
	struct policy *policy;
	bool fine = read_mail(mail) && policy_load_as_owner(config_path, &policy) == 0;

	if (fine) {
		fine = take_bounce(policy, mail);
		policy_free(policy);
	}
	g_string_free(mail, TRUE);
	return fine ? EXIT_SUCCESS : EX_TEMPFAIL;
}

int notices_command(const char *config_path, int argc, char **argv)
{
	struct options options = {0};
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	return options.bounce ? bounce(config_path) : list(config_path, &options);
}
