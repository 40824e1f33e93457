#include "command-options.h"

#include <getopt.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "date-option.h"
#include "suggestion.h"
#include "terminal-width.h"
#include "wrapped-text.h"

#define HELP_WIDTH 80

/* Where a usage goes on that takes more than a line. */
#define USAGE_INDENT 11

static const struct command_option help_option = {
	.name = "help", .letter = 'h', .help = "print this help"};

static int point_to_help(const char *command)
{
	fprintf(stderr, "Try 'portcullis%s%s --help'.\n", command[0] == '\0' ? "" : " ", command);
	return EX_USAGE;
}

int usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "portcullis%s%s: ", command[0] == '\0' ? "" : " ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return point_to_help(command);
}

/* ---- the help ---- */

/* Prints a text from a column on; its further lines are indented. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
	size_t width = terminal_width();

	wrapped_text_print(text, column, indent, MIN(width, HELP_WIDTH));
}

static void print_usages(const struct command_help *help)
{
	char **usages = g_strsplit(help->usage, "\n", -1);

	for (size_t i = 0; usages[i] != NULL; i++) {
		char *usage = g_strdup_printf("portcullis %s%s%s%s",
					      help->name[0] == '\0' ? "" : "[-c FILE] ", help->name,
					      help->name[0] == '\0' ? "" : " ", usages[i]);

		fputs(i == 0 ? "Usage: " : "       ", stdout);
		print_wrapped(usage, strlen("Usage: "), USAGE_INDENT);
		g_free(usage);
	}
	g_strfreev(usages);
}

/* "  -u, --until DATE  ", which the caller frees. */
static char *option_label(const struct command_option *option)
{
	char letter[] = {'-', option->letter, ',', '\0'};

	return g_strdup_printf("  %3s --%s%s%s  ", option->letter == '\0' ? "" : letter,
			       option->name, option->argument == NULL ? "" : " ",
			       option->argument == NULL ? "" : option->argument);
}

static size_t label_width(const struct command_option *option)
{
	char *label = option_label(option);
	size_t width = strlen(label);

	g_free(label);
	return width;
}

static void print_option(const struct command_option *option, size_t width)
{
	char *label = option_label(option);

	printf("%-*s", (int)width, label);
	print_wrapped(option->help, width, width);
	g_free(label);
}

static bool takes_dates(const struct command_option options[])
{
	while (options->name != NULL && options->date == NULL && options->past == NULL &&
	       options->day == NULL)
		options++;
	return options->name != NULL;
}

/* NULL: nothing. */
static void print_closing(const char *text)
{
	if (text == NULL)
		return;
	putchar('\n');
	print_wrapped(text, 0, 0);
}

static void print_help(const struct command_help *help, const struct command_option options[])
{
	size_t width = label_width(&help_option);

	for (size_t i = 0; options[i].name != NULL; i++)
		width = MAX(width, label_width(&options[i]));
	print_usages(help);
	putchar('\n');
	print_wrapped(help->description, 0, 0);
	putchar('\n');
	for (size_t i = 0; options[i].name != NULL; i++)
		print_option(&options[i], width);
	print_option(&help_option, width);
	print_closing(takes_dates(options) ? DATE_OPTION_HELP : NULL);
	print_closing(help->closing);
}

/* ---- reading ---- */

/* What getopt_long(3) wants to have; the options are numbered behind all letters. */
#define FIRST_NUMBER 256

struct getopt_tables {
	GArray *names; /* of struct option */
	GString *letters;
};

static void add_option(struct getopt_tables *tables, const struct command_option *option, int value)
{
	const struct option name = {
		.name = option->name,
		.has_arg = option->argument == NULL ? no_argument : required_argument,
		.val = value,
	};

	g_array_append_val(tables->names, name);
	if (option->letter == '\0')
		return;
	g_string_append_c(tables->letters, option->letter);
	if (option->argument != NULL)
		g_string_append_c(tables->letters, ':');
}

static struct getopt_tables make_tables(const struct command_help *help,
					const struct command_option options[])
{
	struct getopt_tables tables = {
		.names = g_array_new(TRUE, FALSE, sizeof(struct option)),
		/* '+': what stands behind the command is the command's. */
		.letters = g_string_new(help->name[0] == '\0' ? "+" : ""),
	};

	for (int i = 0; options[i].name != NULL; i++)
		add_option(&tables, &options[i], FIRST_NUMBER + i);
	add_option(&tables, &help_option, help_option.letter);
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

/* These leave *error_r as it is when all is well. */
static void set_date(const struct command_option *option, const char *value, const char **error_r)
{
	bool day_alone;

	if (date_option_parse(value, time(NULL), option->date, &day_alone, error_r) &&
	    option->day_alone != NULL)
		*option->day_alone = day_alone;
}

/* An answer about nothing would look as if all were well. */
static void set_past(const struct command_option *option, const char *value, const char **error_r)
{
	time_t now = time(NULL);
	bool day_alone;

	if (date_option_parse(value, now, option->past, &day_alone, error_r) && *option->past > now)
		*error_r = "that is still to come; 7d, without a plus sign, is seven days ago";
}

static void set_day(const struct command_option *option, const char *value, const char **error_r)
{
	char day[ISO_DAY_TEXT_SIZE];

	if (day_option_parse(value, time(NULL), day, error_r))
		*option->day = g_intern_string(day);
}

static bool set(const char *command, const struct command_option *option, const char *value)
{
	const char *error = NULL;

	if (option->date != NULL)
		set_date(option, value, &error);
	else if (option->past != NULL)
		set_past(option, value, &error);
	else if (option->day != NULL)
		set_day(option, value, &error);
	else if (option->text != NULL)
		*option->text = value;
	else
		*option->flag = true;
	if (error != NULL)
		usage_error(command, "--%s: %s", option->name, error);
	return error == NULL;
}

/* Says which option might be meant by one that there is not; getopt_long(3) has said that
   there is not, or which ones it might be short for. */
static void suggest_option(const char *typed, const struct command_option options[])
{
	size_t length = strcspn(typed, "=");
	char *name = g_strndup(typed, length);
	struct suggestion suggestion = suggestion_for(name);
	bool short_for_some = false;

	for (; options->name != NULL; options++) {
		short_for_some |= strncmp(options->name, name, length) == 0;
		suggestion_consider(&suggestion, options->name);
	}
	suggestion_consider(&suggestion, help_option.name);
	if (suggestion.name != NULL && !short_for_some)
		fprintf(stderr, "Did you mean --%s?\n", suggestion.name);
	g_free(name);
}

/* ---- forms ---- */

/* What was given so far. */
struct reading {
	const struct command_help *help;
	const struct command_option *options;
	uint64_t given;                    /* a bit each */
	const struct command_option *form; /* which made the command another; NULL: none */
};

static bool is_of_form(const struct command_option *option, unsigned int form)
{
	return option->forms == 0 || (option->forms & COMMAND_FORM(form)) != 0;
}

/* "--dry-run or --to": what makes the forms that an option belongs to; the caller frees it. */
static char *name_forms(const struct command_option options[], const struct command_option *option)
{
	GString *names = g_string_new(NULL);

	for (; options->name != NULL; options++) {
		if (options->makes != 0 && is_of_form(option, options->makes))
			g_string_append_printf(names, "%s--%s", names->len == 0 ? "" : " or ",
					       options->name);
	}
	return g_string_free(names, FALSE);
}

/* Says that an option does not belong to the form. Returns EX_USAGE. */
static int refuse(const struct reading *reading, const struct command_option *option)
{
	const char *command = reading->help->name;
	char *names;

	if (is_of_form(option, 0))
		return usage_error(command, "--%s does not work with --%s", option->name,
				   reading->form->name);
	names = name_forms(reading->options, option);
	usage_error(command, "--%s works only with %s", option->name, names);
	g_free(names);
	return EX_USAGE;
}

/* Returns 0 or EX_USAGE. */
static int check_forms(const struct reading *reading)
{
	unsigned int form = reading->form == NULL ? 0 : reading->form->makes;

	for (uint64_t left = reading->given; left != 0; left &= left - 1) {
		const struct command_option *option = &reading->options[__builtin_ctzll(left)];

		if (option->makes == 0 && !is_of_form(option, form))
			return refuse(reading, option);
	}
	return 0;
}

/* Returns 0 or EX_USAGE. */
static int note_given(struct reading *reading, const struct command_option *option)
{
	const struct command_option *form = reading->form;

	reading->given |= UINT64_C(1) << (option - reading->options);
	if (option->makes == 0)
		return 0;
	if (form != NULL && form->makes != option->makes)
		return usage_error(reading->help->name, "--%s and --%s cannot be used together",
				   form->name, option->name);
	reading->form = option;
	return 0;
}

/* ---- the whole ---- */

/* True to go on with the next option. argument: where getopt_long(3) found it. */
static bool take(struct reading *reading, int found, const char *argument, int *status_r)
{
	const struct command_option *options = reading->options;
	const char *command = reading->help->name;

	if (found == help_option.letter) {
		print_help(reading->help, options);
		return false;
	}
	if (found == '?' && optopt == 0 && strncmp(argument, "--", 2) == 0)
		suggest_option(argument + 2, options);
	if (found == '?')
		*status_r = point_to_help(command);
	else if (!set(command, find(options, found), optarg))
		*status_r = EX_USAGE;
	else
		*status_r = note_given(reading, find(options, found));
	return *status_r == 0;
}

bool command_options_read(int argc, char **argv, const struct command_help *help,
			  const struct command_option options[], int *status_r)
{
	const struct getopt_tables tables = make_tables(help, options);
	const struct option *names = (const struct option *)tables.names->data;
	struct reading reading = {.help = help, .options = options};
	char *own_name = argv[0];
	bool go_on = true;
	int found;

	*status_r = EXIT_SUCCESS;
	/* Which getopt_long(3) begins its messages with, as ours begin. */
	argv[0] = help->name[0] == '\0' ? g_strdup("portcullis")
					: g_strconcat("portcullis ", help->name, NULL);
	while (go_on && (found = getopt_long(argc, argv, tables.letters->str, names, NULL)) != -1)
		go_on = take(&reading, found, argv[optind - 1], status_r);
	g_free(argv[0]);
	argv[0] = own_name;
	g_array_free(tables.names, TRUE);
	g_string_free(tables.letters, TRUE);
	if (go_on)
		*status_r = check_forms(&reading);
	return go_on && *status_r == 0;
}

bool command_options_read_all(int argc, char **argv, const struct command_help *help,
			      const struct command_option options[], int *status_r)
{
	if (!command_options_read(argc, argv, help, options, status_r))
		return false;
	if (optind < argc)
		*status_r = usage_error(help->name, "unexpected argument '%s'", argv[optind]);
	return optind == argc;
}
