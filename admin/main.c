#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/commands/command.h"
#include "admin/terminal/command-options.h"
#include "policy/config.h"

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
	{"offenders", "say who breaks what, how often and with which program", offenders_command},
	{"forecast", "say what enforcing would do", forecast_command},
	{"status", "say where each rule stands, and whether all is healthy", status_command},
	{"user", "say all that is known about a user, for the help desk", user_command},
	{"exempt", "let users off rules for some time", exempt_command},
	{"notify", "write to the people who are concerned, each in time and once", notify_command},
	{"notices", "list what people were told", notices_command},
	{"import", "take what the servers recorded into the store", import_command},
	{"forget", "remove all that is known about a person", forget_command},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static void print_help(FILE *file)
{
	fputs("Usage: portcullis [-c FILE] COMMAND [OPTION...]\n"
	      "\n"
	      "  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
	      "  -h, --help         print this, or with a command, its options\n"
	      "  -V, --version      print the version\n"
	      "\n"
	      "Commands:\n",
	      file);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(file, "  %-17s  %s\n", commands[i].name, commands[i].summary);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* An answer that did not get out is none: a full disk, a closed pipe. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "portcullis: cannot write the output: %s\n", strerror(errno));
	return EX_IOERR;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	const char *config_path = CONFIG_DEFAULT_PATH;
	const struct command *command;
	int option;

	/* '+': what stands behind the command is the command's. */
	while ((option = getopt_long(argc, argv, "+c:hV", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 'h':
			print_help(stdout);
			return finish(EXIT_SUCCESS);
		case 'V':
			puts("portcullis " PORTCULLIS_VERSION);
			return finish(EXIT_SUCCESS);
		default:
			print_help(stderr);
			return EX_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EX_USAGE;
	}
	command = find_command(argv[optind]);
	if (command == NULL)
		return usage_error("", "there is no command '%s'", argv[optind]);
	argc -= optind;
	argv += optind;
	optind = 0; /* begin anew, as getopt(3) of glibc has it */
	return finish(command->run(config_path, argc, argv));
}
