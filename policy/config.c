#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-notices.h"
#include "config-rule.h"
#include "default-message.h"
#include "text-file.h"
#include "utf8.h"

#define DAY ((time_t)86400)
#define KEEP_MAX (36500 * DAY)

static cfg_opt_t network_options[] = {
	CONFIG_LIST("addresses"),
	CFG_END(),
};

static cfg_opt_t top_options[] = {
	CONFIG_VALUE("organisation"),
	CONFIG_VALUE("help-url"),
	CONFIG_VALUE("default-domain"),
	CONFIG_VALUE("country-database"),
	CONFIG_VALUE("exemptions"),
	CONFIG_VALUE("journal"),
	CONFIG_VALUE("store"),
	CONFIG_VALUE("keep-addresses"),
	CONFIG_VALUE("keep-sightings"),
	CONFIG_LIST("implicit-tls-ports"),
	CONFIG_VALUE("smtp-enforcement"),
	CFG_SEC("network", network_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("rule", config_rule_options, CFGF_MULTI | CFGF_TITLE),
	CFG_SEC("notices", config_notice_options, CFGF_NONE),
	CFG_SEC("client-settings", config_client_options, CFGF_NONE),
	CFG_END(),
};

static void find_nul(const char *text, size_t length, struct config_problems *problems)
{
	unsigned int line = 1;

	if (strlen(text) == length)
		return;
	for (const char *c = text; *c != '\0'; c++)
		line += *c == '\n';
	config_error(problems, line, "there is a NUL byte");
}

/* libconfuse passes nothing of ours to its error function, and its scanner has
   one global state; so one file at a time. */
static pthread_mutex_t libconfuse_lock = PTHREAD_MUTEX_INITIALIZER;
static struct config_problems *libconfuse_problems;

static void libconfuse_error(cfg_t *section, const char *format, va_list arguments)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, arguments);
	config_error(libconfuse_problems, section == NULL ? 0 : (unsigned int)section->line, "%s",
		     text);
}

/* NULL when the text is not even made as libconfuse wants it. */
static cfg_t *parse(const char *text, struct config_problems *problems)
{
	cfg_t *top;

	pthread_mutex_lock(&libconfuse_lock);
	libconfuse_problems = problems;
	top = cfg_init(top_options, CFGF_NONE);
	if (top == NULL) {
		config_out_of_memory(problems);
	} else {
		cfg_set_error_function(top, libconfuse_error);
		if (cfg_parse_buf(top, text) != CFG_SUCCESS) {
			if (!config_has_errors(problems))
				config_error(problems, (unsigned int)top->line, "syntax error");
			cfg_free(top);
			top = NULL;
		}
	}
	pthread_mutex_unlock(&libconfuse_lock);
	return top;
}

/* cfg_free() resets the scanner. */
static void unparse(cfg_t *top)
{
	pthread_mutex_lock(&libconfuse_lock);
	cfg_free(top);
	pthread_mutex_unlock(&libconfuse_lock);
}

static const char *organisation_error(const char *text)
{
	return text[0] != '\0' && utf8_is_line(text) ? NULL : "it must be one line of UTF-8";
}

static const char *help_url_error(const char *text)
{
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return "it must begin with https:// or http://";
	if (strlen(text) > HELP_URL_LENGTH_MAX)
		return "it must be short, because each message to a mail program ends in it";
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~')
			return "it must be printable ASCII without blanks";
	}
	return NULL;
}

static const char *domain_error(const char *text)
{
	static const char special[] = " @\"\\,;:<>()[]";

	if (text[0] == '\0' || text[0] == '.' || strlen(text) > 255 || !utf8_is_line(text) ||
	    strpbrk(text, special) != NULL)
		return "it is no domain";
	return NULL;
}

static const char *path_error(const char *text)
{
	return text[0] == '/' ? NULL : "it must be an absolute path";
}

static const char *store_error(const char *text)
{
	if (strncmp(text, "sqlite:/", 8) == 0 || strncmp(text, "postgresql://", 13) == 0)
		return NULL;
	return "it must be sqlite:/PATH or postgresql://...";
}

static const char *smtp_enforcement_error(const char *text)
{
	if (strcmp(text, "daemon") == 0 || strcmp(text, "auth") == 0)
		return NULL;
	return "it must be daemon or auth";
}

/* Reads a value that error_of finds nothing wrong with. NULL when there is
   none and no standard. */
static char *read_checked(struct config_reader *reader, cfg_t *top, const char *key,
			  const char *error_of(const char *text), const char *standard)
{
	const struct config_value *value = config_value(top, key, 0);
	const char *error;

	if (value == NULL)
		return standard == NULL ? NULL : config_strdup(reader->problems, standard);
	error = error_of(value->text);
	if (error != NULL)
		config_error(reader->problems, value->line, "%s: %s", key, error);
	/* Kept nevertheless: it is not missing, and that is what others ask. */
	return config_strdup(reader->problems, value->text);
}

static void read_duration(struct config_reader *reader, cfg_t *top, const char *key,
			  time_t *seconds)
{
	const struct config_value *value = config_value(top, key, 0);

	if (value == NULL)
		return;
	/* No minutes: who writes "14m" may well mean months. */
	if (strchr(value->text, 'm') != NULL || !duration_parse(value->text, 0, KEEP_MAX, seconds))
		config_error(reader->problems, value->line,
			     "%s: it must be a number of days or hours, as in 14d or 12h, and not "
			     "more than 36500d",
			     key);
}

static void lower_case(char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
	}
}

static void read_top(struct config_reader *reader, cfg_t *top)
{
	static const uint16_t usual_ports[] = {993, 995, 465};
	struct policy *policy = reader->policy;
	char *enforcement;

	policy->organisation = read_checked(reader, top, "organisation", organisation_error, NULL);
	policy->help_url = read_checked(reader, top, "help-url", help_url_error, NULL);
	policy->default_domain = read_checked(reader, top, "default-domain", domain_error, NULL);
	lower_case(policy->default_domain);
	policy->country_database = read_checked(reader, top, "country-database", path_error, NULL);
	policy->exemptions = read_checked(reader, top, "exemptions", path_error, NULL);
	policy->journal =
		read_checked(reader, top, "journal", path_error, "/var/lib/portcullis/journal");
	policy->store = read_checked(reader, top, "store", store_error,
				     "sqlite:/var/lib/portcullis/portcullis.db");
	policy->keep_addresses = 14 * DAY;
	read_duration(reader, top, "keep-addresses", &policy->keep_addresses);
	policy->keep_sightings = 400 * DAY;
	read_duration(reader, top, "keep-sightings", &policy->keep_sightings);
	if (config_is_set(reader, top, "implicit-tls-ports"))
		config_read_ports(reader, top, "implicit-tls-ports", &policy->implicit_tls_ports,
				  &policy->implicit_tls_port_count);
	else
		config_default_ports(reader, usual_ports, 3, &policy->implicit_tls_ports,
				     &policy->implicit_tls_port_count);
	enforcement =
		read_checked(reader, top, "smtp-enforcement", smtp_enforcement_error, "daemon");
	policy->smtp_enforced_at_auth = enforcement != NULL && strcmp(enforcement, "auth") == 0;
	free(enforcement);
}

static void read_network_section(struct config_reader *reader, cfg_t *section,
				 struct named_network *network)
{
	network->name = config_strdup(reader->problems, cfg_title(section));
	if (!config_title_is_valid(cfg_title(section)))
		config_error(reader->problems, config_line(reader, section, NULL),
			     "a network's name is made of letters, digits, '-', '_' and '.', at "
			     "most 64 of them");
	if (!config_is_set(reader, section, "addresses"))
		config_error(reader->problems, config_line(reader, section, NULL),
			     "network '%s' has no 'addresses'", cfg_title(section));
	config_list_is_empty(reader, section, "addresses");
	config_read_addresses(reader, section, "addresses", &network->network);
}

static void read_network_sections(struct config_reader *reader, cfg_t *top)
{
	struct policy *policy = reader->policy;
	unsigned int count = cfg_size(top, "network");

	policy->networks = calloc(count + 1, sizeof(*policy->networks));
	if (policy->networks == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	policy->network_count = count;
	for (unsigned int i = 0; i < count; i++)
		read_network_section(reader, cfg_getnsec(top, "network", i), &policy->networks[i]);
}

static void read_rule_sections(struct config_reader *reader, cfg_t *top)
{
	struct policy *policy = reader->policy;
	unsigned int count = cfg_size(top, "rule");

	if (count == 0 && !config_has_errors(reader->problems))
		config_warning(reader->problems, 0, "there is no rule, so nothing is retired");
	policy->rules = calloc(RULES_MAX, sizeof(*policy->rules));
	if (policy->rules == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		cfg_t *section = cfg_getnsec(top, "rule", i);

		if (i == RULES_MAX) {
			config_error(reader->problems, config_line(reader, section, NULL),
				     "there are more than %d rules", RULES_MAX);
			return;
		}
		policy->rules[i].index = i;
		policy->rule_count = i + 1;
		config_rule_read(reader, section, &policy->rules[i]);
	}
}

struct policy *config_load_text(const char *path, const char *text, size_t length,
				config_report *error, config_report *warning, void *context)
{
	struct config_problems problems = {.file = path};
	struct config_outline outline = {0};
	struct config_reader reader = {.problems = &problems, .outline = &outline};
	char *blanked = config_strdup(&problems, text);
	cfg_t *top = NULL;

	find_nul(text, length, &problems);
	if (config_has_errors(&problems))
		goto done;
	config_outline_read(&outline, blanked, top_options, &problems);
	top = parse(blanked, &problems);
	if (top == NULL)
		goto done;
	reader.policy = calloc(1, sizeof(*reader.policy));
	if (reader.policy == NULL) {
		config_out_of_memory(&problems);
		goto done;
	}
	reader.policy->file = config_strdup(&problems, path);
	read_top(&reader, top);
	config_notices_read(&reader, top);
	config_client_settings_read(&reader, top);
	read_network_sections(&reader, top);
	if (!problems.out_of_memory)
		read_rule_sections(&reader, top);
done:
	if (config_has_errors(&problems)) {
		policy_free(reader.policy);
		reader.policy = NULL;
	}
	config_problems_report(&problems, error, warning, context);
	if (top != NULL)
		unparse(top);
	config_outline_free(&outline);
	free(blanked);
	return reader.policy;
}

struct policy *config_load(const char *path, config_report *error, config_report *warning,
			   void *context)
{
	/* Not left to libconfuse, which ends the process when it cannot read what
	   it could open, a directory for instance. */
	const char *problem;
	size_t length;
	char *text = text_file_read(path, CONFIG_SIZE_MAX, &length, &problem);
	struct policy *policy;

	if (text == NULL) {
		config_report_at(error, context, path, 0, problem);
		return NULL;
	}
	policy = config_load_text(path, text, length, error, warning, context);
	free(text);
	return policy;
}
