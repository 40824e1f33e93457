#define _GNU_SOURCE /* asprintf() */

#include "config-problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_out_of_memory(struct config_problems *problems)
{
	problems->out_of_memory = true;
}

char *config_strdup(struct config_problems *problems, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		config_out_of_memory(problems);
	return copy;
}

bool config_has_errors(const struct config_problems *problems)
{
	return problems->errors > 0 || problems->out_of_memory;
}

/* A value that is quoted may hold a newline. */
static void replace_control_characters(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static void add(struct config_problems *problems, unsigned int line, bool is_error,
		const char *format, va_list arguments)
{
	struct config_problem *list =
		reallocarray(problems->list, problems->count + 1, sizeof(*list));
	char *text = NULL;

	if (list != NULL)
		problems->list = list;
	if (list == NULL || vasprintf(&text, format, arguments) < 0) {
		config_out_of_memory(problems);
		return;
	}
	replace_control_characters(text);
	list[problems->count] = (struct config_problem){.line = line,
							.order = problems->count,
							.is_error = is_error,
							.syntax = problems->syntax,
							.text = text};
	problems->count++;
	if (is_error)
		problems->errors++;
}

void config_error(struct config_problems *problems, unsigned int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(problems, line, true, format, arguments);
	va_end(arguments);
}

void config_warning(struct config_problems *problems, unsigned int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(problems, line, false, format, arguments);
	va_end(arguments);
}

static int compare(const void *a, const void *b)
{
	const struct config_problem *left = a, *right = b;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

void config_report_nothing(void *context, const char *message)
{
	(void)context;
	(void)message;
}

void config_report_at(config_report *report, void *context, const char *file, unsigned int line,
		      const char *text)
{
	char *message;
	int length = line > 0 ? asprintf(&message, "%s:%u: %s", file, line, text)
			      : asprintf(&message, "%s: %s", file, text);

	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): only warnings are for nobody */
	report(context, length < 0 ? text : message);
	if (length >= 0)
		free(message);
}

void config_problems_report(struct config_problems *problems, config_report *error,
			    config_report *warning, void *context)
{
	unsigned int malformed_line = 0;

	if (problems->count > 0)
		qsort(problems->list, problems->count, sizeof(*problems->list), compare);
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->list[i];
		config_report *report = problem->is_error ? error : warning;

		if (report != NULL && (malformed_line == 0 || problem->line != malformed_line))
			config_report_at(report, context, problems->file, problem->line,
					 problem->text);
		if (problem->syntax)
			malformed_line = problem->line;
		free(problem->text);
	}
	free(problems->list);
	if (problems->out_of_memory)
		config_report_at(error, context, problems->file, 0, "out of memory");
	*problems = (struct config_problems){.file = problems->file};
}
