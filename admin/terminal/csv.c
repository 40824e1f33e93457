#include "csv.h"

#include <stdio.h>
#include <string.h>

#include "terminal-text.h"

static void print_field(const char *field)
{
	fputc('"', stdout);
	if (field[0] != '\0' && strchr("=+-@", field[0]) != NULL)
		fputc('\'', stdout);
	for (; *field != '\0'; field++) {
		if (*field == '"')
			fputc('"', stdout);
		fputc(*field, stdout);
	}
	fputc('"', stdout);
}

void csv_print(const char *const fields[], size_t count)
{
	GString *safe = g_string_new(NULL);

	for (size_t i = 0; i < count; i++) {
		g_string_truncate(safe, 0);
		terminal_text_append(safe, fields[i], G_MAXSIZE);
		if (i > 0)
			fputc(',', stdout);
		if (strpbrk(safe->str, "\",=+-@") != NULL)
			print_field(safe->str);
		else
			fputs(safe->str, stdout);
	}
	fputs("\r\n", stdout);
	g_string_free(safe, TRUE);
}
