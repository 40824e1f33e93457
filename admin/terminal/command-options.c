#include "command-options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "date-option.h"

int usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "portcullis%s%s: ", command[0] == '\0' ? "" : " ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'portcullis%s%s --help'.\n", command[0] == '\0' ? "" : " ", command);
	return EX_USAGE;
}

/* What getopt_long(3) wants to have; the options are numbered behind all letters. */
#define FIRST_NUMBER 256

struct getopt_tables {
	struct option names[COMMAND_OPTIONS_MAX + 2];
	char letters[2 * COMMAND_OPTIONS_MAX + 2];
};

static struct getopt_tables make_tables(const struct command_option options[])
{
	struct getopt_tables tables = {.letters = "h"};
	char *letter = tables.letters + 1;
	int i;

	for (i = 0; options[i].name != NULL; i++) {
		bool has_value = options[i].flag == NULL;

		tables.names[i] = (struct option){
			.name = options[i].name,
			.has_arg = has_value ? required_argument : no_argument,
			.val = FIRST_NUMBER + i,
		};
		if (options[i].letter == '\0')
			continue;
		*letter++ = options[i].letter;
		if (has_value)
			*letter++ = ':';
	}
	tables.names[i] = (struct option){"help", no_argument, NULL, 'h'};
	return tables;
}

static const struct command_option *find(const struct command_option options[], int found)
{
	if (found >= FIRST_NUMBER)
		return &options[found - FIRST_NUMBER];
	while (options->letter != found)
		options++;
	return options;
}

static bool set(const char *command, const struct command_option *option)
{
	if (option->date != NULL)
		return date_option(command, option->name, optarg, option->date);
	if (option->text != NULL)
		*option->text = optarg;
	else
		*option->flag = true;
	return true;
}

bool command_options_read(int argc, char **argv, const struct command_option options[],
			  void print_help(void), int *status_r)
{
	const struct getopt_tables tables = make_tables(options);
	int found;

	*status_r = EX_USAGE;
	while ((found = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		if (found == 'h') {
			print_help();
			*status_r = EXIT_SUCCESS;
			return false;
		}
		if (found == '?' || !set(argv[0], find(options, found)))
			return false;
	}
	*status_r = EXIT_SUCCESS;
	return true;
}

bool command_options_read_all(int argc, char **argv, const struct command_option options[],
			      void print_help(void), int *status_r)
{
	if (!command_options_read(argc, argv, options, print_help, status_r))
		return false;
	if (optind < argc)
		*status_r = usage_error(argv[0], "unexpected '%s'", argv[optind]);
	return optind == argc;
}
