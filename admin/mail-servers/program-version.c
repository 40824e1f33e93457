#include "program-version.h"

#include <glib.h>
#include <string.h>

#include "program-output.h"

#define ANSWER_SECONDS 3
#define ANSWER_LENGTH_MAX 4096

char *program_version(const char *const arguments[])
{
	struct program_output output = program_output(arguments, ANSWER_SECONDS, ANSWER_LENGTH_MAX);
	char *version = output.text;

	g_free(output.problem);
	if (version == NULL)
		return NULL;
	version[strcspn(version, " \t\r\n")] = '\0';
	if (version[0] == '\0')
		g_clear_pointer(&version, g_free);
	return version;
}

static char *installed_version(const char *program, const char *first, const char *second)
{
	char *path = program_path(program);
	const char *const arguments[] = {path, first, second, NULL};
	char *version = path == NULL ? NULL : program_version(arguments);

	g_free(path);
	return version;
}

char *dovecot_version(void)
{
	return installed_version("dovecot", "--version", NULL);
}

char *postfix_version(void)
{
	return installed_version("postconf", "-h", "mail_version");
}
