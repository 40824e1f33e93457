#define _GNU_SOURCE /* vasprintf() */
#include "last-valid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config-problems.h"
#include "config-scanner.h"
#include "text-file.h"

static void report(config_report *function, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void report(config_report *function, void *context, const char *format, ...)
{
	char *message;
	va_list args;
	int length;

	if (function == NULL)
		return;
	va_start(args, format);
	length = vasprintf(&message, format, args);
	va_end(args);
	if (length < 0) {
		function(context, "out of memory");
		return;
	}
	function(context, message);
	free(message);
}

/* The value of the first line that sets the journal, in whatever else the text may
   be, allocated; NULL if there is none. Cuts the text up. */
static char *find_journal(char *text)
{
	struct config_problems ignored = {.file = ""};
	char *words = malloc(CONFIG_WORDS_SIZE(strlen(text)));
	char *journal = NULL, *line, *rest;

	for (line = words == NULL ? NULL : strtok_r(text, "\r\n", &rest);
	     line != NULL && journal == NULL; line = strtok_r(NULL, "\r\n", &rest)) {
		struct config_scanner scanner;
		struct config_token key, equals, value;

		config_scanner_start(&scanner, line, words, &ignored);
		key = config_scanner_next(&scanner);
		equals = config_scanner_next(&scanner);
		value = config_scanner_next(&scanner);
		if (strcmp(key.text, "journal") == 0 && equals.type == CONFIG_TOKEN_EQUALS &&
		    value.text[0] == '/')
			journal = strdup(value.text);
	}
	config_problems_report(&ignored, config_report_nothing, NULL, NULL);
	free(words);
	return journal;
}

static struct policy *load_copy(const struct valid_copies *copies, const char *directory,
				const char *path, config_report *error, void *context)
{
	const char *problem;
	struct policy *policy = NULL;
	size_t length;
	char *copy;
	/* Nobody but root and this user makes policy. */
	char *text = valid_copy_read(copies, directory, path, geteuid(), CONFIG_SIZE_MAX, &length,
				     &copy, &problem);

	if (text == NULL)
		report(error, context,
		       "%s: there is no last valid configuration to fall back on (%s: %s)", path,
		       copy == NULL ? "its name" : copy, problem);
	else
		policy =
			config_load_text(copy, text, length, error, config_report_nothing, context);
	free(text);
	free(copy);
	return policy;
}

static struct policy *load_any_copy(const struct valid_copies *copies, const char *path,
				    const char *journal, config_report *error, void *context)
{
	const char *directories[2];
	struct policy *policy;

	valid_copy_directories(copies, journal == NULL ? JOURNAL_DEFAULT_PATH : journal, path,
			       geteuid(), directories);
	policy = load_copy(copies, directories[0], path, error, context);
	return policy != NULL ? policy : load_copy(copies, directories[1], path, error, context);
}

/* Where there is none that can be used, it is told of each why. */
static struct policy *fall_back(const struct valid_copies *copies, const char *path,
				char *broken_text, config_report *error, void *context)
{
	char *journal = broken_text == NULL ? NULL : find_journal(broken_text);
	struct policy *policy = load_any_copy(copies, path, journal, config_report_nothing, NULL);

	if (policy == NULL)
		policy = load_any_copy(copies, path, journal, error, context);
	else
		report(error, context,
		       "%s is broken and NOT in force. THE LAST VALID CONFIGURATION IS IN FORCE "
		       "INSTEAD: %s. Correct the errors above and reload %s.",
		       path, policy->file,
		       copies->server == SOURCE_DOVECOT ? "Dovecot" : "the daemon (SIGHUP)");
	free(journal);
	return policy;
}

static void keep_copy(const struct valid_copies *copies, const struct policy *policy,
		      const char *path, const char *text, size_t length, config_report *warning,
		      void *context)
{
	int result = valid_copy_keep_at_start(copies, policy->journal, path, text, length);
	char *problem;

	if (result == 0)
		return;
	problem = valid_copy_problem(copies, policy->journal, result);
	report(warning, context, "%s: this valid configuration has no copy in %s", path,
	       problem == NULL ? copies->directory : problem);
	free(problem);
}

struct policy *last_valid_load(const struct valid_copies *copies, const char *path,
			       config_report *error, config_report *warning, void *context)
{
	const char *problem;
	size_t length;
	char *text = text_file_read(path, CONFIG_SIZE_MAX, &length, &problem);
	struct policy *policy = NULL;

	if (text != NULL)
		policy = config_load_text(path, text, length, error, warning, context);
	else
		config_report_at(error, context, path, 0, problem);
	if (policy != NULL)
		keep_copy(copies, policy, path, text, length, warning, context);
	else
		policy = fall_back(copies, path, text, error, context);
	free(text);
	return policy;
}
