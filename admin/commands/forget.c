#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/files/file-open.h"
#include "admin/journal/importer.h"
#include "admin/journal/set-aside.h"
#include "admin/questions/loaded-policy.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"

/* A writer that has nothing to write lets go of its file within a few seconds. */
#define WAIT_MILLISECONDS 30000
#define STEP_MILLISECONDS 500

/* Within which a server whose file was taken writes what it has counted. */
#define COUNTED_MILLISECONDS 3000

static const struct command_help help = {
	.name = "forget",
	.usage = "USER",
	.description =
		"Removes all that is recorded about a person: from the journal, from the lines "
		"that were set aside, and from the store. What is written in the configuration "
		"and the exemptions is the operator's, and stays. A later login is recorded "
		"anew.",
	.closing = "Exit status: 0 removed, 1 nothing was known, 75 try again.",
};

static int say_failure(const struct store_failure *failure)
{
	if (failure->text[0] != '\0')
		fprintf(stderr, "portcullis forget: %s\n", failure->text);
	return failure->status == 0 ? EX_IOERR : failure->status;
}

/* Imports everything, until no file is left that has old lines in it. Returns an
   exit status. */
static int empty_journal(struct importer *importer)
{
	struct importer_rest rest;
	uint64_t rotate_size = 0;

	for (unsigned int waited = 0;; waited += STEP_MILLISECONDS) {
		if (!importer_pass(importer, rotate_size, &rest))
			return say_failure(importer_failure(importer));
		if (rest.problems > 0)
			return rest.status;
		if (rest.soon == 0 && rest.in_use == 0)
			return EXIT_SUCCESS;
		if (waited >= WAIT_MILLISECONDS || stop_signal)
			break;
		rotate_size = UINT64_MAX;
		stop_signal_sleep(STEP_MILLISECONDS);
	}
	fputs("portcullis forget: a journal file is still being written; nothing was removed, "
	      "try again\n",
	      stderr);
	return EX_TEMPFAIL;
}

/* Also what servers have only counted yet: they write it when their file was taken. */
static int empty_journal_and_servers(struct importer *importer, const struct policy *policy)
{
	int status = empty_journal(importer);

	if (status != EXIT_SUCCESS || policy->combine_seconds == 0)
		return status;
	stop_signal_sleep(COUNTED_MILLISECONDS);
	return empty_journal(importer);
}

static int forget_name(const struct policy *policy, struct store *store, const char *name,
		       bool *found)
{
	bool stored, wiped, set_aside;

	if (!store_forget(store, name, &stored, &wiped))
		return say_failure(store_failure(store));
	*found |= stored;
	if (!set_aside_forget(policy->journal, name, &set_aside)) {
		fprintf(stderr, "portcullis forget: %s/set-aside: %s\n", policy->journal,
			file_problem(errno));
		return EX_IOERR;
	}
	*found |= set_aside;
	if (wiped)
		return EXIT_SUCCESS;
	fputs("portcullis forget: no question finds it any more, but its bytes are still in the "
	      "files of the store, which another process reads; try again\n",
	      stderr);
	return EX_TEMPFAIL;
}

static int forget_user(const struct policy *policy, struct store *store, const char *user)
{
	static const struct importer_options options = {0};
	struct importer *importer = importer_create(store, policy, &options, &stop_signal);
	size_t size = strlen(user) + 1 +
		      (policy->default_domain == NULL ? 0 : strlen(policy->default_domain) + 1);
	char *recorded = g_malloc(size);
	bool found = false;
	int status;

	/* As it is recorded, and as it was given. */
	user_normalise(user, policy->default_domain, recorded, size);
	status = empty_journal_and_servers(importer, policy);
	if (status == EXIT_SUCCESS)
		status = forget_name(policy, store, recorded, &found);
	if (status == EXIT_SUCCESS && strcmp(user, recorded) != 0)
		status = forget_name(policy, store, user, &found);
	if (status == EXIT_SUCCESS && !found)
		status = EXIT_NO;
	if (status == EXIT_SUCCESS)
		puts("removed");
	else if (status == EXIT_NO)
		puts("nothing was known");
	importer_free(importer);
	g_free(recorded);
	return status;
}

int forget_command(const char *config_path, int argc, char **argv)
{
	static const struct command_option none[] = {{0}};
	struct store_failure failure;
	struct policy *policy;
	struct store *store;
	int status;

	if (!command_options_read(argc, argv, &help, none, &status))
		return status;
	if (argc - optind != 1 || argv[optind][0] == '\0')
		return usage_error("forget", "name one user");
	status = policy_load_as_owner(config_path, &policy);
	if (status != 0)
		return status;
	stop_signal_catch();
	signal(SIGIO, SIG_IGN);
	store = store_open(policy->store, policy->host, STORE_WRITE, &failure);
	if (store == NULL) {
		status = say_failure(&failure);
	} else {
		status = forget_user(policy, store, argv[optind]);
		store_close(store);
	}
	policy_free(policy);
	return status;
}
