#define _GNU_SOURCE /* strcasestr() */

#include "mail-program.h"

#include <ctype.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "harmless-text.h"

#define NAME_CHARACTERS 48
#define LABEL_CHARACTERS 24
#define VERSION_LENGTH 20

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The first that matches counts, so the more exact come first. */
static const struct {
	const char *part;
	enum mail_program program;
} parts[] = {
	{"k-9", MAIL_PROGRAM_K9},
	{"fsck.k9", MAIL_PROGRAM_K9},
	{"thunderbird for android", MAIL_PROGRAM_K9},
	{"thunderbird.android", MAIL_PROGRAM_K9},
	{"thunderbird", MAIL_PROGRAM_THUNDERBIRD},
	{"outlook", MAIL_PROGRAM_OUTLOOK},
	{"iphone", MAIL_PROGRAM_IPHONE},
	{"ipad", MAIL_PROGRAM_IPHONE},
	{"mobilemail", MAIL_PROGRAM_IPHONE},
	{"mac os x", MAIL_PROGRAM_MAC},
	{"macos", MAIL_PROGRAM_MAC},
	{"com.apple.mail", MAIL_PROGRAM_MAC},
	{"android.gm", MAIL_PROGRAM_GMAIL},
	{"gmail", MAIL_PROGRAM_GMAIL},
	{"samsung", MAIL_PROGRAM_SAMSUNG},
};

static const char *const steps[MAIL_PROGRAM_COUNT] = {
	[MAIL_PROGRAM_THUNDERBIRD] = "steps-thunderbird",
	[MAIL_PROGRAM_OUTLOOK] = "steps-outlook",
	[MAIL_PROGRAM_IPHONE] = "steps-iphone",
	[MAIL_PROGRAM_MAC] = "steps-mac",
	[MAIL_PROGRAM_GMAIL] = "steps-gmail",
	[MAIL_PROGRAM_SAMSUNG] = "steps-samsung",
	[MAIL_PROGRAM_K9] = "steps-k9",
	[MAIL_PROGRAM_GENERAL] = "steps-general",
};

/* For those that give the name of a package, com.google.android.gm for instance. */
static const char *const names[MAIL_PROGRAM_COUNT] = {
	[MAIL_PROGRAM_THUNDERBIRD] = "Thunderbird",
	[MAIL_PROGRAM_OUTLOOK] = "Outlook",
	[MAIL_PROGRAM_IPHONE] = "iPhone Mail",
	[MAIL_PROGRAM_MAC] = "Apple Mail",
	[MAIL_PROGRAM_GMAIL] = "Gmail",
	[MAIL_PROGRAM_SAMSUNG] = "Samsung Email",
	[MAIL_PROGRAM_K9] = "K-9 Mail",
};

/* That programs give as their names, and that are more than letters and digits. */
static const char *const known_names[] = {
	"iPhone Mail", "iPad Mail",         "Mac OS X Mail", "Apple Mail",
	"K-9 Mail",    "Microsoft Outlook", "Samsung Email", "Thunderbird for Android",
};

enum mail_program mail_program_of(const char *client_id)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (strcasestr(client_id, parts[i].part) != NULL)
			return parts[i].program;
	}
	return MAIL_PROGRAM_GENERAL;
}

const char *mail_program_steps(enum mail_program program)
{
	return steps[program];
}

/* Where the value that begins here ends: before the next " key=". */
static const char *value_end(const char *value)
{
	for (const char *blank = strchr(value, ' '); blank != NULL;
	     blank = strchr(blank + 1, ' ')) {
		size_t key = strspn(blank + 1, LETTERS "-");

		if (key > 0 && blank[1 + key] == '=')
			return blank;
	}
	return value + strlen(value);
}

/* The value of a key, or NULL. */
static char *find_value(const char *client_id, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = client_id; at != NULL; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncasecmp(at, key, length) == 0 && at[length] == '=') {
			const char *value = at + length + 1;

			return g_strndup(value, (size_t)(value_end(value) - value));
		}
	}
	return NULL;
}

/* Nothing that a mail program would make a link of. */
static bool is_name(const char *text)
{
	if (text[0] == '\0' || strpbrk(text, "@:/\\<>\"{}|") != NULL ||
	    strcasestr(text, "www.") != NULL)
		return false;
	/* "example.com": a dot between letters. */
	for (const char *dot = strchr(text, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		if (dot > text && !isspace((unsigned char)dot[-1]) &&
		    (isalpha((unsigned char)dot[1]) || (unsigned char)dot[1] >= 0x80))
			return false;
	}
	return true;
}

static bool is_version(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= VERSION_LENGTH && strspn(text, DIGITS ".") == length;
}

/* What may be shown of the name that a program gives; the caller frees it. */
typedef char *make_name(const char *value);

static char *harmless_name(const char *value)
{
	return harmless_text(value, NAME_CHARACTERS);
}

static char *plain_name(const char *value)
{
	GString *name;

	for (size_t i = 0; i < G_N_ELEMENTS(known_names); i++) {
		if (strcasecmp(value, known_names[i]) == 0)
			return g_strdup(known_names[i]);
	}
	name = g_string_new(NULL);
	for (; *value != '\0' && name->len < LABEL_CHARACTERS; value++) {
		if (strchr(LETTERS DIGITS ".", *value) != NULL)
			g_string_append_c(name, *value);
	}
	return g_string_free(name, FALSE);
}

static char *name_and_version(const char *client_id, make_name *make)
{
	char *value = find_value(client_id, "name");
	char *version = find_value(client_id, "version");
	char *name = make(value != NULL ? value : "");

	if (!is_name(name)) {
		g_free(name);
		name = value == NULL ? NULL : g_strdup(names[mail_program_of(value)]);
	} else if (version != NULL && is_version(version)) {
		char *both = g_strdup_printf("%s %s", name, version);

		g_free(name);
		name = both;
	}
	g_free(value);
	g_free(version);
	return name;
}

char *mail_program_name(const char *client_id)
{
	return name_and_version(client_id, harmless_name);
}

char *mail_program_versionless(const char *client_id)
{
	char *name = mail_program_name(client_id);
	char *version = name == NULL ? NULL : strrchr(name, ' ');

	if (version != NULL && strspn(version + 1, DIGITS ".") == strlen(version + 1))
		*version = '\0';
	return name;
}

char *mail_program_label(const char *client_id)
{
	return name_and_version(client_id, plain_name);
}
