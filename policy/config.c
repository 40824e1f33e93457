#define _GNU_SOURCE /* asprintf() */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-notices.h"
#include "config-parser.h"
#include "config-rule.h"
#include "default-message.h"
#include "fnv.h"
#include "grace.h"
#include "text-file.h"
#include "utf8.h"

#define KEEP_MAX (36500 * SECONDS_A_DAY)

#define HOST_LENGTH_MAX 255

#define COMBINE_DEFAULT 600
#define COMBINE_MAX SECONDS_A_DAY
#define UNVERIFIED_DEFAULT 600
#define UNVERIFIED_MAX 1000000

static const struct config_option network_options[] = {
	{"addresses", CONFIG_LIST, NULL},
	{NULL, CONFIG_VALUE, NULL},
};

static const struct config_option top_options[] = {
	{"organisation", CONFIG_VALUE, NULL},
	{"help-url", CONFIG_VALUE, NULL},
	{"default-domain", CONFIG_VALUE, NULL},
	{"country-database", CONFIG_VALUE, NULL},
	{"exemptions", CONFIG_VALUE, NULL},
	{"exemptions-in-store", CONFIG_VALUE, NULL},
	{"journal", CONFIG_VALUE, NULL},
	{"store", CONFIG_VALUE, NULL},
	{"host", CONFIG_VALUE, NULL},
	{"logs", CONFIG_LIST, NULL},
	{"combine", CONFIG_VALUE, NULL},
	{"unverified-per-minute", CONFIG_VALUE, NULL},
	{"keep-addresses", CONFIG_VALUE, NULL},
	{"keep-sightings", CONFIG_VALUE, NULL},
	{"implicit-tls-ports", CONFIG_LIST, NULL},
	{"smtp-enforcement", CONFIG_VALUE, NULL},
	{"network", CONFIG_TITLED_SECTION, network_options},
	{"rule", CONFIG_TITLED_SECTION, config_rule_options},
	{"notices", CONFIG_SECTION, config_notice_options},
	{"client-settings", CONFIG_SECTION, config_client_options},
	{NULL, CONFIG_VALUE, NULL},
};

static const struct config_option file_option = {"", CONFIG_SECTION, top_options};

static void find_nul(const char *text, size_t length, struct config_problems *problems)
{
	unsigned int line = 1;

	if (strlen(text) == length)
		return;
	for (const char *c = text; *c != '\0'; c++)
		line += *c == '\n';
	config_error(problems, line, "the file contains a NUL byte");
}

static const char *organisation_error(const char *text)
{
	return text[0] != '\0' && utf8_is_line(text) ? NULL : "must be one line of UTF-8 text";
}

static const char *help_url_error(const char *text)
{
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return "must begin with https:// or http://";
	if (strlen(text) > HELP_URL_LENGTH_MAX)
		return "must not be longer than 120 bytes, because every message to a mail program "
		       "ends with it";
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~')
			return "must be printable ASCII without spaces";
	}
	return NULL;
}

static const char *domain_error(const char *text)
{
	static const char special[] = " @\"\\,;:<>()[]";

	if (text[0] == '\0' || text[0] == '.' || strlen(text) > 255 || !utf8_is_line(text) ||
	    strpbrk(text, special) != NULL)
		return "not a domain name";
	return NULL;
}

static const char *path_error(const char *text)
{
	return text[0] == '/' ? NULL : "must be an absolute path";
}

static const char *store_error(const char *text)
{
	if (strncmp(text, "sqlite:/", 8) == 0 || strncmp(text, "postgresql://", 13) == 0 ||
	    strncmp(text, "postgres://", 11) == 0)
		return NULL;
	return "must be sqlite:/PATH or postgresql://...";
}

static const char *host_error(const char *text)
{
	return text[0] != '\0' && strlen(text) <= HOST_LENGTH_MAX && utf8_is_line(text) &&
			       strpbrk(text, " \t\"\\") == NULL
		       ? NULL
		       : "must be a name without spaces, of at most 255 bytes";
}

static const char *smtp_enforcement_error(const char *text)
{
	if (strcmp(text, "daemon") == 0 || strcmp(text, "auth") == 0)
		return NULL;
	return "must be daemon or auth";
}

/* Reads a value that error_of finds nothing wrong with. NULL when there is
   none and no standard. */
static char *read_checked(struct config_reader *reader, const struct config_section *top,
			  const char *key, const char *error_of(const char *text),
			  const char *standard)
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

static void read_duration(struct config_reader *reader, const struct config_section *top,
			  const char *key, time_t *seconds)
{
	const struct config_value *value = config_value(top, key, 0);

	if (value == NULL)
		return;
	/* No minutes: who writes "14m" may well mean months. */
	if (strpbrk(value->text, "sm") != NULL ||
	    !duration_parse(value->text, 0, KEEP_MAX, seconds))
		config_error(reader->problems, value->line,
			     "%s: must be a number of days or hours, such as 14d or 12h, and at "
			     "most 36500d",
			     key);
}

static void read_combine(struct config_reader *reader, const struct config_section *top,
			 time_t *seconds)
{
	const struct config_value *value = config_value(top, "combine", 0);

	*seconds = COMBINE_DEFAULT;
	if (value == NULL)
		return;
	if (strcmp(value->text, "0") == 0)
		*seconds = 0;
	else if (!duration_parse(value->text, 0, COMBINE_MAX, seconds))
		config_error(
			reader->problems, value->line,
			"combine: must be a duration such as 10m, 1h or 30s, at most 1d, or 0");
}

static void read_unverified_per_minute(struct config_reader *reader,
				       const struct config_section *top, unsigned int *number)
{
	const struct config_value *value = config_value(top, "unverified-per-minute", 0);

	*number = UNVERIFIED_DEFAULT;
	if (value != NULL && !config_number_parse(value->text, UNVERIFIED_MAX, number))
		config_error(reader->problems, value->line,
			     "unverified-per-minute: must be a number, at most %d", UNVERIFIED_MAX);
}

static const char *log_error(const struct policy *policy, const char *text)
{
	for (size_t i = 0; i < policy->log_count; i++) {
		if (strcmp(policy->logs[i], text) == 0)
			return "stands there twice";
	}
	return text[0] == '/' || strcmp(text, "journal") == 0
		       ? NULL
		       : "must be \"journal\" or an absolute path; it is not followed";
}

/* Only the import needs them: what is wrong here shall not keep a server from its work. */
static void read_logs(struct config_reader *reader, const struct config_section *top)
{
	size_t count = config_value_count(top, "logs");
	struct policy *policy = reader->policy;

	policy->logs = calloc(count + 1, sizeof(*policy->logs));
	if (policy->logs == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(top, "logs", i);
		const char *error = log_error(policy, value->text);
		char *path = error == NULL ? config_strdup(reader->problems, value->text) : NULL;

		if (error != NULL)
			config_warning(reader->problems, value->line, "logs: '%s' %s", value->text,
				       error);
		if (path != NULL)
			policy->logs[policy->log_count++] = path;
	}
}

/* After exemptions. */
static void read_exemptions_in_store(struct config_reader *reader, const struct config_section *top)
{
	const struct config_value *value = config_value(top, "exemptions-in-store", 0);

	if (value == NULL || strcmp(value->text, "false") == 0)
		return;
	if (strcmp(value->text, "true") != 0)
		config_error(reader->problems, value->line,
			     "exemptions-in-store: must be true or false");
	else if (reader->policy->exemptions == NULL)
		config_error(reader->problems, value->line,
			     "exemptions-in-store: 'exemptions' must name the file that the "
			     "importer writes for the servers");
	reader->policy->exemptions_in_store = true;
}

static void lower_case(char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
	}
}

static void read_top(struct config_reader *reader)
{
	const struct config_section *top = reader->top;
	static const uint16_t usual_ports[] = {993, 995, 465};
	struct policy *policy = reader->policy;
	char *enforcement;

	policy->organisation = read_checked(reader, top, "organisation", organisation_error, NULL);
	policy->help_url = read_checked(reader, top, "help-url", help_url_error, NULL);
	policy->default_domain = read_checked(reader, top, "default-domain", domain_error, NULL);
	lower_case(policy->default_domain);
	policy->country_database = read_checked(reader, top, "country-database", path_error, NULL);
	policy->exemptions = read_checked(reader, top, "exemptions", path_error, NULL);
	read_exemptions_in_store(reader, top);
	policy->journal = read_checked(reader, top, "journal", path_error, JOURNAL_DEFAULT_PATH);
	policy->store = read_checked(reader, top, "store", store_error,
				     "sqlite:/var/lib/portcullis/portcullis.db");
	policy->host = read_checked(reader, top, "host", host_error, NULL);
	read_logs(reader, top);
	read_combine(reader, top, &policy->combine_seconds);
	read_unverified_per_minute(reader, top, &policy->unverified_per_minute);
	policy->keep_addresses = 14 * SECONDS_A_DAY;
	read_duration(reader, top, "keep-addresses", &policy->keep_addresses);
	policy->keep_sightings = 400 * SECONDS_A_DAY;
	read_duration(reader, top, "keep-sightings", &policy->keep_sightings);
	config_read_ports(reader, top, "implicit-tls-ports", usual_ports, 3,
			  &policy->implicit_tls_ports, &policy->implicit_tls_port_count);
	enforcement =
		read_checked(reader, top, "smtp-enforcement", smtp_enforcement_error, "daemon");
	policy->smtp_enforced_at_auth = enforcement != NULL && strcmp(enforcement, "auth") == 0;
	free(enforcement);
}

static void read_network_section(struct config_reader *reader, const struct config_section *section,
				 struct named_network *network)
{
	network->name = config_strdup(reader->problems, section->title);
	if (!config_title_is_valid(section->title))
		config_error(reader->problems, section->line,
			     "the name of a network consists of at most 64 letters, digits, '-', "
			     "'_' and '.'");
	if (config_lacks(section, "addresses"))
		config_error(reader->problems, section->line, "network '%s' has no 'addresses'",
			     section->title);
	config_list_is_empty(reader, section, "addresses");
	config_read_addresses(reader, section, "addresses", &network->network);
}

static size_t count_sections(const struct config_section *list, const char *name)
{
	size_t count = 0;

	while ((list = config_find_section(list, name)) != NULL) {
		list = list->next;
		count++;
	}
	return count;
}

static void read_network_sections(struct config_reader *reader)
{
	struct policy *policy = reader->policy;
	const struct config_section *section, *first = reader->top->sections;
	size_t count = count_sections(first, "network");

	policy->networks = calloc(count + 1, sizeof(*policy->networks));
	if (policy->networks == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (section = config_find_section(first, "network"); section != NULL;
	     section = config_find_section(section->next, "network"))
		read_network_section(reader, section, &policy->networks[policy->network_count++]);
}

static void read_rule_sections(struct config_reader *reader)
{
	struct policy *policy = reader->policy;
	const struct config_section *section = config_find_section(reader->top->sections, "rule");

	/* As of a file that was emptied, or cut off in the middle. */
	if (section == NULL && !config_has_errors(reader->problems))
		config_error(reader->problems, 0,
			     "there is no rule in it; one whose dates are to come retires nothing "
			     "yet");
	policy->rules = calloc(RULES_MAX, sizeof(*policy->rules));
	if (policy->rules == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (; section != NULL; section = config_find_section(section->next, "rule")) {
		struct rule *rule = &policy->rules[policy->rule_count];

		if (policy->rule_count == RULES_MAX) {
			config_error(reader->problems, section->line,
				     "there are more than %d rules", RULES_MAX);
			return;
		}
		rule->index = (unsigned int)policy->rule_count++;
		config_rule_read(reader, section, rule);
	}
}

/* It lies where each server writes, so that each can read it. */
static void name_grace_file(struct config_reader *reader)
{
	struct policy *policy = reader->policy;
	bool any = false;

	for (size_t i = 0; i < policy->rule_count; i++)
		any = any || policy->rules[i].grace > 0;
	if (!any || policy->journal == NULL)
		return;
	if (asprintf(&policy->grace_file, "%s/" GRACE_FILE_NAME, policy->journal) < 0) {
		policy->grace_file = NULL;
		config_out_of_memory(reader->problems);
	}
}

/* What dates mean changes with the time zone. */
static uint64_t digest(const struct policy *policy, const char *text, size_t length)
{
	uint64_t hash = fnv_hash(FNV_START, text, length);

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct schedule *schedule = &policy->rules[i].schedule;
		const time_t dates[] = {schedule->observe, schedule->notify, schedule->enforce};

		hash = fnv_hash(hash, dates, sizeof(dates));
		for (size_t j = 0; j < schedule->brownout_count; j++)
			hash = fnv_hash(hash, &schedule->brownouts[j],
					sizeof(*schedule->brownouts));
	}
	return hash;
}

static void keep_text(struct config_reader *reader, const char *text, size_t length)
{
	struct policy *policy = reader->policy;

	policy->text = config_strdup(reader->problems, text);
	policy->text_length = length;
	policy->digest = digest(policy, text, length);
}

static void read_policy(struct config_reader *reader)
{
	reader->policy->file = config_strdup(reader->problems, reader->problems->file);
	read_top(reader);
	config_notices_read(reader);
	config_client_settings_read(reader);
	read_network_sections(reader);
	if (!reader->problems->out_of_memory)
		read_rule_sections(reader);
	name_grace_file(reader);
}

struct policy *config_load_text(const char *path, const char *text, size_t length,
				config_report *error, config_report *warning, void *context)
{
	struct config_problems problems = {.file = path};
	struct config_reader reader = {.problems = &problems};
	struct config_tree tree = {0};

	find_nul(text, length, &problems);
	if (!config_has_errors(&problems) && config_parse(&tree, text, &file_option, &problems)) {
		reader.top = tree.top;
		reader.policy = calloc(1, sizeof(*reader.policy));
		if (reader.policy == NULL)
			config_out_of_memory(&problems);
		else
			read_policy(&reader);
	}
	config_tree_free(&tree);
	if (reader.policy != NULL)
		keep_text(&reader, text, length);
	if (config_has_errors(&problems)) {
		policy_free(reader.policy);
		reader.policy = NULL;
	}
	config_problems_report(&problems, error, warning, context);
	return reader.policy;
}

struct policy *config_load(const char *path, config_report *error, config_report *warning,
			   void *context)
{
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
