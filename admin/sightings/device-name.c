#include "device-name.h"

#include <ctype.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "mail-program.h"
#include "policy/address.h"

#define LABEL_CHARACTERS 24

static bool is_localhost(const char *helo)
{
	static const char localhost[] = "localhost";
	size_t length = sizeof(localhost) - 1;

	return strncasecmp(helo, localhost, length) == 0 &&
	       (helo[length] == '\0' || helo[length] == '.');
}

static bool is_no_name(const char *helo)
{
	struct address address;

	return helo[0] == '\0' || helo[0] == '[' || is_localhost(helo) ||
	       address_parse(helo, &address);
}

static void append_without_numbers(GString *rest, const char *word)
{
	g_string_append_c(rest, ' ');
	for (; *word != '\0'; word++) {
		if (!isdigit((unsigned char)*word) && *word != '.')
			g_string_append_c(rest, *word);
	}
}

/* Whatever it says but its versions, and numbers, which may be one. */
static char *without_versions(const char *id)
{
	GString *rest = g_string_new(NULL);
	char **words = g_strsplit(id, " ", -1);

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strstr(words[i], "version=") == NULL)
			append_without_numbers(rest, words[i]);
	}
	g_strfreev(words);
	return g_string_free(rest, FALSE);
}

char *device_name(const char *client_id)
{
	char *program;

	/* The ID command says "name=value". */
	if (strchr(client_id, '=') == NULL)
		return is_no_name(client_id) ? NULL : g_ascii_strdown(client_id, -1);
	program = mail_program_versionless(client_id);
	return program == NULL ? without_versions(client_id) : program;
}

/* A sentence is none any more without its blanks; see mail_program_label(). */
static char *helo_label(const char *helo)
{
	GString *label = g_string_new(NULL);
	bool has_hyphen = false;

	for (; *helo != '\0' && *helo != '.' && label->len < LABEL_CHARACTERS; helo++) {
		if (g_ascii_isalnum(*helo) || (*helo == '-' && !has_hyphen))
			g_string_append_c(label, *helo);
		has_hyphen |= *helo == '-';
	}
	return g_string_free(label, label->len == 0);
}

char *device_label(const char *client_id)
{
	if (strchr(client_id, '=') != NULL)
		return mail_program_label(client_id);
	/* Of iPhones, iPads and Macs alike. */
	if (strcasecmp(client_id, "smtpclient.apple") == 0)
		return g_strdup("Apple Mail");
	return is_no_name(client_id) ? NULL : helo_label(client_id);
}
