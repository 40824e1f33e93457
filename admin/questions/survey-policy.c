#include "survey-policy.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config.h"

/* What its mistakes would be told of. */
#define NAME "the survey's own list of rules"

static const struct {
	const char *title, *body, *refuses;
} rules[] = {
	{"encryption", "observe = 'always'", "no TLS"},
	{"tls-version", "kind = 'encryption' minimum = 'TLSv1.2' observe = 'always'",
	 "no TLS, or before 1.2"},
	{"mechanism", "observe = 'always'", "not PLAIN or LOGIN"},
	{"pop3", "kind = 'protocol' services = { 'pop3' } observe = 'always'", "POP3"},
	{"implicit-tls", "services = { 'imap', 'pop3', 'submission' } observe = 'always'",
	 "ports of STARTTLS"},
	{"submission-port", "observe = 'always'", "sending by port 25"},
};

const char *survey_policy_refuses(const struct rule *rule)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		if (strcmp(rule->title, rules[i].title) == 0)
			return rules[i].refuses;
	}
	return "other countries";
}

bool survey_has_config(const char *config_path)
{
	return strcmp(config_path, CONFIG_DEFAULT_PATH) != 0 || access(config_path, F_OK) == 0;
}

/* As a configuration has it between its quotation marks. */
static void append_quoted(GString *text, const char *value)
{
	g_string_append_c(text, '\'');
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *value);
	}
	g_string_append_c(text, '\'');
}

/* False when one of them is none, which is said. */
static bool append_countries(GString *text, const char *allowed)
{
	char **codes = g_strsplit(allowed, ",", -1);
	bool fine = true;

	for (char **code = codes; *code != NULL; code++) {
		char *capitals = g_ascii_strup(g_strstrip(*code), -1);

		if (!country_code_exists(capitals)) {
			fprintf(stderr, "portcullis survey: '%s' is not a country of ISO 3166-1\n",
				capitals);
			fine = false;
		}
		g_string_append(text, code == codes ? "" : ", ");
		append_quoted(text, capitals);
		g_free(capitals);
	}
	g_strfreev(codes);
	return fine;
}

/* NULL when the countries are wrong. */
static GString *make_text(const struct survey_countries *countries)
{
	GString *text = g_string_new(NULL);
	char *database;

	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		g_string_append_printf(text, "rule %s { %s }\n", rules[i].title, rules[i].body);
	if (countries->allowed == NULL)
		return text;
	database = g_canonicalize_filename(countries->database, NULL);
	g_string_append(text, "country-database = ");
	append_quoted(text, database);
	g_free(database);
	g_string_append(text, "\nrule country { observe = 'always' allow = { ");
	if (!append_countries(text, countries->allowed)) {
		g_string_free(text, TRUE);
		return NULL;
	}
	return g_string_append(text, " } }\n");
}

static bool open_countries(struct loaded_policy *loaded)
{
	const char *path = loaded->policy->country_database;
	char *error;

	if (path == NULL)
		return true;
	loaded->countries = country_database_open(path, &error);
	if (loaded->countries != NULL)
		return true;
	report_error(NULL, error == NULL ? "out of memory" : error);
	free(error);
	return false;
}

bool survey_policy_load(const struct survey_countries *countries, struct loaded_policy *loaded_r)
{
	GString *text = make_text(countries);

	*loaded_r = (struct loaded_policy){0};
	if (text == NULL)
		return false;
	loaded_r->policy = config_load_text(NAME, text->str, text->len, report_error, NULL, NULL);
	g_string_free(text, TRUE);
	if (loaded_r->policy == NULL)
		return false;
	if (open_countries(loaded_r))
		return true;
	policy_unload(loaded_r);
	*loaded_r = (struct loaded_policy){0};
	return false;
}
