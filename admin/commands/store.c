#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/questions/loaded-policy.h"
#include "admin/store/store-admin.h"
#include "admin/store/store-uri.h"
#include "admin/terminal/command-options.h"
#include "command.h"

static const struct command_help help = {
	.name = "store",
	.usage = "create [URI]\n"
		 "upgrade [URI]\n"
		 "check [--json] [URI]",
	.description =
		"Makes the tables of a store, brings those of an older version up to date, or says "
		"what a store is and what it falls short of. Without URI, it is the store of the "
		"configuration.",
	.closing = "Exit status: 0 done, or all is well; 1 something falls short.",
};

static int report_failure(const struct store_failure *failure)
{
	fprintf(stderr, "portcullis store: %s\n", failure->text);
	return failure->status;
}

/* ---- what it is ---- */

/* NULL: all is well. */
static const char *shortcoming(const struct store_check *check)
{
	if (check->version < check->newest)
		return "its tables are of an older version; 'portcullis store upgrade' brings them "
		       "up to date";
	if (check->version > check->newest)
		return "its tables are of a newer version of Portcullis than this program";
	return check->is_encrypted ? NULL
				   : "names and addresses go over the network in clear; "
				     "sslmode=verify-full in the URI lets none be read";
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

static void print_text(const char *name, const struct store_check *check)
{
	const char *problem = shortcoming(check);

	printf("%-16s %s\n%-16s %s\n%-16s %s\n", "store", name, "kept by", check->server,
	       "reached by", check->connection);
	printf("%-16s %" PRId64 "\n", "schema", check->version);
	print_size(check->bytes);
	for (size_t i = 0; i < check->table_count; i++)
		printf("%-16s %" PRId64 " rows\n", check->tables[i].name, check->tables[i].rows);
	if (problem != NULL)
		printf("\n%s\n", problem);
}

static void print_json(const char *name, const struct store_check *check)
{
	json_t *rows = json_object(), *findings = json_array(), *answer;

	for (size_t i = 0; i < check->table_count; i++)
		json_object_set_new(rows, check->tables[i].name,
				    json_integer(check->tables[i].rows));
	if (shortcoming(check) != NULL)
		json_array_append_new(findings, json_string(shortcoming(check)));
	answer = json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:o}", "store", name, "server",
			   check->server, "connection", check->connection, "encrypted",
			   check->is_encrypted, "version", (json_int_t)check->version, "newest",
			   (json_int_t)check->newest, "bytes", (json_int_t)check->bytes, "rows",
			   rows, "findings", findings);
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static int check(const char *uri, bool json)
{
	struct store_failure failure;
	struct store_check found;
	char *name;

	if (!store_check(uri, &found, &failure))
		return report_failure(&failure);
	name = store_uri_to_show(uri);
	(json ? print_json : print_text)(name, &found);
	g_free(name);
	return shortcoming(&found) == NULL ? EXIT_SUCCESS : EXIT_NO;
}

/* ---- the command ---- */

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

static bool is_action(const char *action, bool json)
{
	if (strcmp(action, "check") == 0)
		return true;
	return !json && (strcmp(action, "create") == 0 || strcmp(action, "upgrade") == 0);
}

int store_command(const char *config_path, int argc, char **argv)
{
	bool json = false;
	const struct command_option known[] = {
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct policy *policy;
	int status;

	if (!command_options_read(argc, argv, &help, known, &status))
		return status;
	if (optind == argc)
		return usage_error("store", "say what to do: create, upgrade or check");
	if (!is_action(argv[optind], json))
		return usage_error("store",
				   json ? "--json belongs to check"
					: "create, upgrade or check, not '%s'",
				   argv[optind]);
	if (argc - optind > 2)
		return usage_error("store", "unexpected argument '%s'", argv[optind + 2]);
	if (argc - optind == 2)
		return run(argv[optind], argv[optind + 1], json);
	status = policy_load_as_owner(config_path, &policy);
	if (status != 0)
		return status;
	status = run(argv[optind], policy->store, json);
	policy_free(policy);
	return status;
}
