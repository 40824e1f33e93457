#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/files/file-open.h"
#include "admin/journal/set-aside.h"
#include "admin/questions/loaded-policy.h"
#include "admin/store/store-orders.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/stop-signal.h"
#include "command.h"
#include "import-logs.h"
#include "importers.h"

/* A writer that has nothing to write lets go of its file within a few seconds. */
#define WAIT_MILLISECONDS 30000
#define STEP_MILLISECONDS 500

/* So long, other hosts that share the store are waited for. */
#define HOSTS_MILLISECONDS 30000

static const struct command_help help = {
	.name = "forget",
	.usage = "USER",
	.description =
		"Removes all that is recorded about a person: from the journal, from the lines "
		"that were set aside, and from the store. What is written in the configuration "
		"and the exemptions is the operator's, and stays. A later login is recorded "
		"anew. Of hosts that share the store, each is waited for.",
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
static int empty_journal_and_servers(const struct importers *importers)
{
	int status = empty_journal(importers->journal);

	if (status != EXIT_SUCCESS || importers->loaded.policy->combine_seconds == 0)
		return status;
	stop_signal_sleep(IMPORTER_COUNTED_MILLISECONDS);
	return empty_journal(importers->journal);
}

/* So that they do not tell of it later. *whole_r: all of them could be read. */
static int empty_logs(const struct importers *importers, bool *whole_r)
{
	size_t problems = 0;

	if (!import_logs_pass(importers->logs, importers->loaded.policy, &problems))
		return say_failure(log_importer_failure(importers->logs));
	*whole_r = problems == 0 && !stop_signal;
	return EXIT_SUCCESS;
}

/* What is asked for, and what came of it. */
struct request {
	struct store *store;
	const struct policy *policy;
	/* As it is recorded, and as it was given. */
	const char *names[2];
	int64_t before; /* this time, in milliseconds since 1970 */
	bool found;
};

static int forget_name(struct request *request, const char *name)
{
	const char *journal = request->policy->journal;
	bool stored, wiped, set_aside;

	if (!store_forget(request->store, name, request->before, &stored, &wiped))
		return say_failure(store_failure(request->store));
	request->found |= stored;
	if (!set_aside_forget(journal, name, &set_aside)) {
		fprintf(stderr, "portcullis forget: %s/set-aside: %s\n", journal,
			file_problem(errno));
		return EX_IOERR;
	}
	request->found |= set_aside;
	if (wiped)
		return EXIT_SUCCESS;
	fputs("portcullis forget: no question finds it any more, but its bytes are still in the "
	      "files of the store, which another process reads; try again\n",
	      stderr);
	return EX_TEMPFAIL;
}

/* ---- hosts that share the store ---- */

/* What is not answered yet of this request. */
struct open_orders {
	const struct request *request;
	GArray *ours;     /* ids of what this host is to answer */
	GPtrArray *hosts; /* all that are to answer */
};

static bool add_order(void *context, const struct store_order *order)
{
	struct open_orders *orders = context;
	const struct request *request = orders->request;

	if (strcmp(order->user, request->names[0]) != 0 &&
	    strcmp(order->user, request->names[1]) != 0)
		return true;
	if (order->is_ours)
		g_array_append_val(orders->ours, order->id);
	if (!g_ptr_array_find_with_equal_func(orders->hosts, order->host, g_str_equal, NULL))
		g_ptr_array_add(orders->hosts, g_strdup(order->host));
	return true;
}

/* False when the store fails. */
static bool find_orders(struct open_orders *orders)
{
	g_array_set_size(orders->ours, 0);
	g_ptr_array_set_size(orders->hosts, 0);
	return store_each_order(orders->request->store, add_order, orders);
}

/* This host has done it. False when the store fails. */
static bool answer(struct open_orders *orders)
{
	bool fine = find_orders(orders);

	for (guint i = 0; fine && i < orders->ours->len; i++)
		fine = store_answer_order(orders->request->store,
					  g_array_index(orders->ours, int64_t, i));
	return fine;
}

/* False when the store fails. */
static bool wait_for_hosts(struct open_orders *orders)
{
	bool fine = find_orders(orders);

	for (unsigned int waited = 0;
	     fine && orders->hosts->len > 0 && !stop_signal && waited < HOSTS_MILLISECONDS;
	     waited += STEP_MILLISECONDS) {
		stop_signal_sleep(STEP_MILLISECONDS);
		fine = find_orders(orders);
	}
	return fine;
}

static int say_who_is_open(const struct open_orders *orders)
{
	char *hosts;

	if (orders->hosts->len == 0)
		return EXIT_SUCCESS;
	g_ptr_array_add(orders->hosts, NULL);
	hosts = g_strjoinv(", ", (char **)orders->hosts->pdata);
	fprintf(stderr,
		"portcullis forget: the store has nothing any more, but these hosts are still to "
		"go through their journals, which their imports do: %s\n",
		hosts);
	g_free(hosts);
	return EX_TEMPFAIL;
}

/* answers: this host has gone through all that it has. */
static int see_to_hosts(const struct request *request, bool answers)
{
	struct open_orders orders = {
		.request = request,
		.ours = g_array_new(FALSE, FALSE, sizeof(int64_t)),
		.hosts = g_ptr_array_new_with_free_func(g_free),
	};
	bool fine = (!answers || answer(&orders)) && wait_for_hosts(&orders);
	int status = fine ? say_who_is_open(&orders) : say_failure(store_failure(request->store));

	g_ptr_array_unref(orders.hosts);
	g_array_unref(orders.ours);
	return status;
}

/* ---- the command ---- */

static int forget_both(const struct importers *importers, struct request *request)
{
	bool whole = true;
	int status = empty_journal_and_servers(importers);

	if (status == EXIT_SUCCESS && importers->logs != NULL)
		status = empty_logs(importers, &whole);
	if (status == EXIT_SUCCESS)
		status = forget_name(request, request->names[0]);
	if (status == EXIT_SUCCESS && strcmp(request->names[0], request->names[1]) != 0)
		status = forget_name(request, request->names[1]);
	return status == EXIT_SUCCESS ? see_to_hosts(request, whole) : status;
}

static int forget_user(struct policy *policy, struct store *store, const char *user)
{
	static const struct importer_options options = {0};
	struct importers importers;
	size_t size = strlen(user) + 1 +
		      (policy->default_domain == NULL ? 0 : strlen(policy->default_domain) + 1);
	char *recorded = g_malloc(size);
	struct request request = {
		.store = store,
		.policy = policy,
		.names = {recorded, user},
		.before = g_get_real_time() / 1000,
	};
	int status;

	user_normalise(user, policy->default_domain, recorded, size);
	importers_begin(&importers, store, policy, &options);
	status = forget_both(&importers, &request);
	if (status == EXIT_SUCCESS && !request.found)
		status = EXIT_NO;
	if (status == EXIT_SUCCESS)
		puts("removed");
	else if (status == EXIT_NO)
		puts("nothing was known");
	importers_end(&importers);
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
