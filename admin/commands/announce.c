#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/files/account.h"
#include "admin/questions/loaded-policy.h"
#include "admin/terminal/command-options.h"
#include "admin/wording/announcement.h"
#include "command.h"

static const struct command_help help = {
	.name = "announce",
	.usage = "[--html|--text] [OPTION...]",
	.description = "Writes the page that tells the public what is being retired and when, how "
		       "the dates have changed, and which settings are the right ones.",
};

/* What it writes. */
enum form { FORM_HTML = 1, FORM_TEXT };

struct options {
	bool html, text, publish;
	const char *language, *history;
	time_t at; /* 0: now */
};

static bool read_options(int argc, char **argv, struct options *options, int *status_r)
{
	const struct command_option known[] = {
		{"html", '\0', NULL, "write HTML", .flag = &options->html, .makes = FORM_HTML},
		{"text", '\0', NULL, "write plain text (the default)", .flag = &options->text,
		 .makes = FORM_TEXT},
		{"language", '\0', "CODE",
		 "write it in this language, not the first of notices { }",
		 .text = &options->language},
		{"at", '\0', "DATE", "write it as of this time instead of now",
		 .date = &options->at},
		{"publish", '\0', NULL, "record that the public is told of these dates",
		 .flag = &options->publish},
		{"history", '\0', "FILE",
		 "the record of published dates; by default announced.json beside the store",
		 .text = &options->history},
		{0},
	};

	if (!command_options_read_all(argc, argv, &help, known, status_r))
		return false;
	if (options->publish && options->at != 0)
		*status_r = usage_error("announce", "--publish and --at cannot be used together");
	return *status_r == 0;
}

/* The page is right also when it is not recorded, so that is a warning. */
static void record(const struct announced_dates *dates, const char *path)
{
	char *error;

	if (announced_dates_save(dates, path, &error))
		return;
	fprintf(stderr, "%s (warning: the published dates are not recorded)\n", error);
	g_free(error);
}

/* Nobody was told by a page that did not get out, as onto a full disk; main() says so. */
static bool write_page(const char *page)
{
	return fputs(page, stdout) >= 0 && fflush(stdout) == 0;
}

static int announce(const struct policy *policy, const struct notice_texts *texts,
		    const struct options *options)
{
	const char *code =
		options->language != NULL ? options->language : policy->notices.languages[0];
	const struct text_language *language = notice_texts_find(texts, code);
	time_t now = options->at == 0 ? time(NULL) : options->at;
	struct announced_dates *dates;
	bool changed;
	char *path, *error, *page;

	if (language == NULL)
		return usage_error("announce",
				   "--language: '%s' is not one of the languages of notices { }",
				   code);
	path = options->history != NULL ? g_strdup(options->history)
					: policy_beside_records(policy, "announced.json");
	if (!account_become_owner(path)) {
		g_free(path);
		return EX_NOPERM;
	}
	dates = announced_dates_load(path, &error);
	if (dates == NULL) {
		fprintf(stderr, "%s\n", error);
		g_free(error);
		g_free(path);
		return EX_DATAERR;
	}
	/* What has changed stands on the page, too. */
	changed = options->at == 0 && announced_dates_update(dates, policy, now);
	page = options->html ? announcement_html(policy, language, dates, now)
			     : announcement_plain(policy, language, dates, now);
	if (write_page(page) && changed && options->publish)
		record(dates, path);
	else if (changed && !options->publish)
		fputs("portcullis announce: there are dates that were not published yet; "
		      "--publish records them\n",
		      stderr);
	g_free(page);
	g_free(path);
	announced_dates_free(dates);
	return EXIT_SUCCESS;
}

int announce_command(const char *config_path, int argc, char **argv)
{
	struct options options = {0};
	struct notice_texts *texts;
	struct policy *policy;
	int status;

	if (!read_options(argc, argv, &options, &status))
		return status;
	policy = policy_load_alone(config_path);
	if (policy == NULL)
		return EX_CONFIG;
	texts = notice_texts_load(policy, report_error, NULL);
	status = texts == NULL ? EX_CONFIG : announce(policy, texts, &options);
	notice_texts_free(texts);
	policy_free(policy);
	return status;
}
