#include "table-file.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config-problems.h"
#include "policy/text-file.h"

#define FILE_SIZE_MAX ((size_t)256 << 20)

bool table_file_read(const char *path, table_file_line *take, void *table, config_report *error,
		     void *context)
{
	const char *problem;
	size_t length;
	char *text = text_file_read(path, FILE_SIZE_MAX, &length, &problem), *line = text, *next;

	if (text == NULL) {
		config_report_at(error, context, path, 0, problem);
		return false;
	}
	for (unsigned int number = 1; line != NULL; number++, line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		g_strstrip(line);
		if (line[0] == '\0' || line[0] == '#')
			continue;
		problem = take(table, line);
		if (problem != NULL)
			config_report_at(error, context, path, number, problem);
	}
	free(text);
	return true;
}
