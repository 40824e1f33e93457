#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/commands/command.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/suggestion.h"
#include "policy/config.h"

static int help_command(const char *config_path, int argc, char **argv);

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(const char *config_path, int argc, char **argv);
} commands[] = {
	{"announce", "write the page that tells the public what is being retired",
	 announce_command},
	{"check-config", "check the configuration and the files that it names",
	 check_config_command},
	{"explain", "say what happens to a login or a mail, and why", explain_command},
	{"survey", "say who would be locked out, by the logs that you have", survey_command},
	{"offenders", "say who breaks what, how often and with which program", offenders_command},
	{"forecast", "say what enforcing would do", forecast_command},
	{"status", "say where each rule stands, and whether all is healthy", status_command},
	{"doctor", "say what is wrong with the mail servers, and what mends it", doctor_command},
	{"user", "say all that is known about a user, for the help desk", user_command},
	{"exempt", "let users off rules for some time", exempt_command},
	{"notify", "write to the people concerned, each in time and once", notify_command},
	{"notices", "list what people were told", notices_command},
	{"import", "take what the servers recorded into the store", import_command},
	{"store", "make the store's tables, or say what it is", store_command},
	{"forget", "remove all that is known about a person", forget_command},
	{"help", "print these commands, or the options of one", help_command},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

/* Below the options of portcullis itself; the caller frees it with g_free(). */
static char *list_commands(void)
{
	GString *list = g_string_new("Commands:");

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		g_string_append_printf(list, "\n  %-17s  %s", commands[i].name,
				       commands[i].summary);
	return g_string_free(list, FALSE);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* name: what is no command. Returns EX_USAGE. */
static int unknown_command(const char *name)
{
	struct suggestion suggestion = suggestion_for(name);

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		suggestion_consider(&suggestion, commands[i].name);
	if (suggestion.name == NULL)
		return usage_error("", "unknown command '%s'", name);
	return usage_error("", "unknown command '%s'\nDid you mean %s?", name, suggestion.name);
}

/* An answer that did not get out is none: a full disk, a closed pipe. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "portcullis: cannot write the output: %s\n", strerror(errno));
	return EX_IOERR;
}

/* True to go on with the command at optind. */
static bool read_options(int argc, char **argv, const char **config_path, int *status_r)
{
	bool version = false;
	const struct command_option known[] = {
		{"config", 'c', "FILE", "read FILE instead of " CONFIG_DEFAULT_PATH,
		 .text = config_path},
		{"version", 'V', NULL, "print the version", .flag = &version},
		{0},
	};
	char *list = list_commands();
	const struct command_help help = {
		.name = "",
		.usage = "[-c FILE] COMMAND [OPTION...]",
		.description =
			"Retires insecure mail access without a surprise for anyone. 'portcullis "
			"help COMMAND' prints the options of a command.",
		.closing = list,
	};
	bool go_on = command_options_read(argc, argv, &help, known, status_r);

	g_free(list);
	if (go_on && version)
		puts("portcullis " PORTCULLIS_VERSION);
	else if (go_on && optind == argc)
		*status_r = usage_error("", "name a command");
	return go_on && !version && optind < argc;
}

static int run(const char *config_path, int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);

	if (command == NULL)
		return unknown_command(argv[0]);
	optind = 0; /* begin anew, as getopt(3) of glibc has it */
	return command->run(config_path, argc, argv);
}

/* portcullis help [COMMAND] */
static int help_command(const char *config_path, int argc, char **argv)
{
	static const struct command_option none[] = {{0}};
	static const struct command_help help = {
		.name = "help",
		.usage = "[COMMAND]",
		.description = "Prints the commands, or the options of one.",
	};
	char *asking[] = {"portcullis", "--help", NULL};
	int status;

	if (!command_options_read(argc, argv, &help, none, &status))
		return status;
	if (argc - optind > 1)
		return usage_error("help", "unexpected argument '%s'", argv[optind + 1]);
	if (optind < argc) {
		asking[0] = argv[optind];
		return run(config_path, 2, asking);
	}
	optind = 0;
	read_options(2, asking, &config_path, &status);
	return status;
}

int main(int argc, char **argv)
{
	const char *config_path = CONFIG_DEFAULT_PATH;
	int status;

	if (read_options(argc, argv, &config_path, &status))
		status = run(config_path, argc - optind, argv + optind);
	return finish(status);
}
