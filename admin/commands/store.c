#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/files/account.h"
#include "admin/journal/importer.h"
#include "admin/questions/loaded-policy.h"
#include "admin/store/store-admin.h"
#include "admin/store/store-copy.h"
#include "admin/store/store-uri.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/progress.h"
#include "admin/terminal/stop-signal.h"
#include "admin/terminal/wrapped-text.h"
#include "command.h"
#include "open-orders.h"

static const struct command_help help = {
	.name = "store",
	.usage = "create [URI]\n"
		 "upgrade [URI]\n"
		 "check [--json] [URI]\n"
		 "copy FROM TO\n"
		 "expire\n"
		 "forget-host HOST",
	.description =
		"Makes the tables of a store, brings those of an older version up to date, says "
		"what a store is and what it falls short of, copies all of one store into an empty "
		"one, erases what the configuration does not want kept, as imports do where "
		"they may, or waits no more for a host that is gone for good. Without URI, it is "
		"the store of the configuration.",
	.closing = "Exit status: 0 done, or all is well; 1 something falls short.",
};

static int report_failure(const struct store_failure *failure)
{
	fprintf(stderr, "portcullis store: %s\n", failure->text);
	return failure->status;
}

/* ---- what it is ---- */

/* One of a json_t array's. */
static void add_finding(void *findings, const char *id, const char *text, const char *mend)
{
	json_array_append_new(findings,
			      json_pack("{s:s, s:s, s:s}", "id", id, "text", text, "mend", mend));
}

static void print_size(int64_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	double size = (double)bytes;
	size_t unit = 0;

	for (; size >= 1000 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		size /= 1000;
	printf("%-16s %.*f %s\n", "size", unit > 0 && size < 10 ? 1 : 0, size, units[unit]);
}

static const char *text_of(const json_t *finding, const char *key)
{
	return json_string_value(json_object_get(finding, key));
}

static void print_text(const char *name, const struct store_check *check, json_t *orders,
		       json_t *findings)
{
	size_t place;
	json_t *finding;

	printf("%-16s %s\n%-16s %s\n%-16s %s\n", "store", name, "kept by", check->server,
	       "reached by", check->connection);
	printf("%-16s %" PRId64 "\n", "schema", check->version);
	print_size(check->bytes);
	for (size_t i = 0; i < check->table_count; i++)
		printf("%-16s %" PRId64 " rows\n", check->tables[i].name, check->tables[i].rows);
	open_orders_print(orders);
	json_array_foreach(findings, place, finding)
	{
		putchar('\n');
		wrapped_line_print(2, "%s", text_of(finding, "text"));
		wrapped_line_print(2, "  %s", text_of(finding, "mend"));
	}
}

static void print_json(const char *name, const struct store_check *check, json_t *orders,
		       json_t *findings)
{
	json_t *rows = json_object();

	for (size_t i = 0; i < check->table_count; i++)
		json_object_set_new(rows, check->tables[i].name,
				    json_integer(check->tables[i].rows));
	json_print(json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:O, s:O}", "store", name,
			     "server", check->server, "connection", check->connection, "encrypted",
			     check->is_encrypted, "version", (json_int_t)check->version, "newest",
			     (json_int_t)check->newest, "bytes", (json_int_t)check->bytes, "rows",
			     rows, "orders", orders, "findings", findings));
}

static int print_check(const char *uri, const struct store_check *check, json_t *orders,
		       json_t *findings, bool json)
{
	char *name = store_uri_to_show(uri);

	(json ? print_json : print_text)(name, check, orders, findings);
	g_free(name);
	return json_array_size(findings) == 0 ? EXIT_SUCCESS : EXIT_NO;
}

/* None are known of tables of another version. NULL when the store fails. */
static json_t *find_orders(const char *uri, const struct store_check *check,
			   struct store_failure *failure_r)
{
	struct store *store;
	json_t *orders;

	if (check->version != check->newest)
		return json_array();
	store = store_open(uri, NULL, STORE_READ, failure_r);
	if (store == NULL)
		return NULL;
	orders = open_orders(store);
	if (orders == NULL)
		*failure_r = *store_failure(store);
	store_close(store);
	return orders;
}

static int check(const char *uri, bool json)
{
	struct store_failure failure;
	struct store_check found;
	json_t *findings = json_array(), *orders = NULL;
	int status;

	if (store_check(uri, &found, add_finding, findings, &failure))
		orders = find_orders(uri, &found, &failure);
	status = orders == NULL ? report_failure(&failure)
				: print_check(uri, &found, orders, findings, json);
	json_decref(orders);
	json_decref(findings);
	return status;
}

/* ---- copying ---- */

static void count_row(void *context)
{
	progress_add(context, 1);
}

/* False when the store fails. */
static bool count_rows(struct store *store, uint64_t *count_r)
{
	*count_r = 0;
	if (!store_begin_reading(store))
		return false;
	for (enum store_table table = 0; table < STORE_TABLE_COUNT; table++) {
		int64_t count;

		if (!store_count_table(store, table, &count))
			return false;
		*count_r += (uint64_t)count;
	}
	return store_commit(store);
}

static int copy_open(struct store *from, struct store *to)
{
	struct progress progress = {0};
	struct store *told = from;
	uint64_t count;
	bool fine = count_rows(from, &count);

	progress_begin(&progress, count);
	fine = fine && store_copy(from, to, count_row, &progress, &told);
	progress_clear(&progress);
	if (!fine)
		return report_failure(store_failure(told));
	printf("%" PRIu64 " rows copied\n", count);
	return EXIT_SUCCESS;
}

struct owner {
	const char *host; /* as whose it is to be copied */
	char *name;       /* whose it is, if that is another one; the caller's */
};

static bool note_owner(void *context, const struct store_host *host)
{
	struct owner *owner = context;

	if (strcmp(host->name, owner->host) != 0)
		owner->name = g_strdup(host->name);
	return owner->name == NULL;
}

/* A file's positions become this host's: those of another one would be missing there, and it
   would import its journal once more. Returns 0 or an exit status. */
static int check_owner(struct store *from)
{
	struct owner owner = {.host = store_host_name(from)};
	int status = 0;

	if (!store_each_host(from, note_owner, &owner)) {
		status = report_failure(store_failure(from));
	} else if (owner.name != NULL) {
		fprintf(stderr,
			"portcullis store: the records are of host '%s': copy them there, or with "
			"a configuration that has host = \"%s\"\n",
			owner.name, owner.name);
		status = EX_CONFIG;
	}
	g_free(owner.name);
	return status;
}

static int copy_as(const char *host, const char *from_uri, const char *to_uri)
{
	struct store_failure failure;
	struct store *from = store_open(from_uri, host, STORE_READ, &failure);
	struct store *to = from == NULL ? NULL : store_open(to_uri, host, STORE_WRITE, &failure);
	int status = to == NULL ? report_failure(&failure) : 0;

	if (status == 0 && store_file_of(from_uri) != NULL)
		status = check_owner(from);
	if (status == 0)
		status = copy_open(from, to);

	store_close(to);
	store_close(from);
	return status;
}

/* Whose positions they are, a configuration says, where there is one. */
static int copy(const char *config_path, const char *from_uri, const char *to_uri)
{
	struct policy *policy = NULL;
	int status;

	/* A copy has the positions of one host alone. */
	if (store_uri_is_postgresql(from_uri) && store_uri_is_postgresql(to_uri))
		return usage_error("store", "from one server to another, pg_dump moves what all "
					    "hosts have");
	if (access(config_path, F_OK) == 0) {
		policy = policy_load_alone(config_path);
		if (policy == NULL)
			return EX_CONFIG;
	}
	status = copy_as(policy == NULL ? NULL : policy->host, from_uri, to_uri);
	policy_free(policy);
	return status;
}

/* ---- expiry ---- */

static int expire_as_importer(struct store *store, const struct policy *policy)
{
	static const struct importer_options options;
	struct importer *importer = importer_create(store, policy, &options, &stop_signal);
	int status = importer_expire(importer) ? EXIT_SUCCESS
					       : report_failure(importer_failure(importer));

	if (status == EXIT_SUCCESS && importer_held_back(importer) != 0) {
		fputs("portcullis store: the newest record is so old that what is older than "
		      "keep-addresses or keep-sightings by now is not erased, lest a wrong clock "
		      "erase all; 'portcullis import --force' does\n",
		      stderr);
		status = EXIT_NO;
	}
	importer_free(importer);
	return status;
}

static int expire_open(struct store *store, const struct policy *policy)
{
	int may = store_may_erase(store);

	if (may > 0)
		return expire_as_importer(store, policy);
	if (may < 0)
		return report_failure(store_failure(store));
	fputs("portcullis store: the role of this URI may not erase; that of the operator may\n",
	      stderr);
	return EX_NOPERM;
}

static int expire(const struct policy *policy)
{
	struct store_failure failure;
	struct store *store = store_open(policy->store, policy->host, STORE_WRITE, &failure);
	int status = store == NULL ? report_failure(&failure) : expire_open(store, policy);

	store_close(store);
	return status;
}

/* ---- hosts ---- */

static int forget_host(const struct policy *policy, const char *host)
{
	struct store_failure failure;
	struct store *store = store_open(policy->store, policy->host, STORE_WRITE, &failure);
	bool found = false, fine;
	int status;

	if (store == NULL)
		return report_failure(&failure);
	fine = store_forget_host(store, host, &found);
	status = fine ? EXIT_SUCCESS : report_failure(store_failure(store));
	store_close(store);
	if (!fine)
		return status;
	puts(found ? "removed" : "nothing was known");
	return found ? EXIT_SUCCESS : EXIT_NO;
}

/* ---- the command ---- */

static const struct action {
	const char *name;
	int least, most; /* arguments */
	bool json;
	const char *needs;
} actions[] = {
	{"create", 0, 1, false, NULL}, {"upgrade", 0, 1, false, NULL},
	{"check", 0, 1, true, NULL},   {"copy", 2, 2, false, "the URIs of two stores"},
	{"expire", 0, 0, false, NULL}, {"forget-host", 1, 1, false, "the name of a host"},
};

#define ACTIONS "create, upgrade, check, copy, expire or forget-host"

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(name, actions[i].name) == 0)
			return &actions[i];
	}
	return NULL;
}

/* What stands on a command line, everybody on the machine may read. */
static bool has_password(const char *uri)
{
	char *shown = store_uri_to_show(uri);
	bool hides = strcmp(shown, uri) != 0;

	g_free(shown);
	return hides;
}

/* Returns 0 or EX_USAGE. */
static int check_arguments(const struct action *action, char **arguments, int count, bool json)
{
	if (json && !action->json)
		return usage_error("store", "--json belongs to check");
	if (count < action->least)
		return usage_error("store", "%s needs %s", action->name, action->needs);
	if (count > action->most)
		return usage_error("store", "unexpected argument '%s'", arguments[action->most]);
	for (int i = 0; i < count; i++) {
		if (has_password(arguments[i]))
			return usage_error("store",
					   "a password on the command line can be read by all; put "
					   "it into a passfile (~/.pgpass)");
	}
	return 0;
}

static int run(const char *action, const char *uri, bool json)
{
	struct store_failure failure;

	if (strcmp(action, "check") == 0)
		return check(uri, json);
	if (strcmp(action, "create") == 0 ? store_create(uri, &failure)
					  : store_upgrade(uri, &failure))
		return EXIT_SUCCESS;
	return report_failure(&failure);
}

/* What root makes is the owner's of the folder, who has to work with it. */
static bool become_owner(char **uris)
{
	for (; *uris != NULL; uris++) {
		if (store_file_of(*uris) != NULL)
			return account_become_owner(store_file_of(*uris));
	}
	return true;
}

/* As the account that owns the records. */
static int run_on_configured(const char *config_path, const char *action, const char *host,
			     bool json)
{
	struct policy *policy;
	int status = policy_load_as_owner(config_path, &policy);

	if (status != 0)
		return status;
	if (strcmp(action, "expire") == 0)
		status = expire(policy);
	else if (host != NULL)
		status = forget_host(policy, host);
	else
		status = run(action, policy->store, json);
	policy_free(policy);
	return status;
}

int store_command(const char *config_path, int argc, char **argv)
{
	bool json = false;
	const struct command_option known[] = {
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	const struct action *action;
	char **arguments;
	int status;

	if (!command_options_read(argc, argv, &help, known, &status))
		return status;
	if (optind == argc)
		return usage_error("store", "say what to do: " ACTIONS);
	action = find_action(argv[optind]);
	if (action == NULL)
		return usage_error("store", ACTIONS ", not '%s'", argv[optind]);
	arguments = argv + optind + 1;
	status = check_arguments(action, arguments, argc - optind - 1, json);
	if (status != 0)
		return status;
	if (arguments[0] == NULL || strcmp(action->name, "forget-host") == 0)
		return run_on_configured(config_path, action->name, arguments[0], json);
	if (!become_owner(arguments))
		return EX_NOPERM;
	return action->least == 2 ? copy(config_path, arguments[0], arguments[1])
				  : run(action->name, arguments[0], json);
}
