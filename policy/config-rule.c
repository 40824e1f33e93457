#include "config-rule.h"

#include <stdlib.h>
#include <string.h>

#include "default-message.h"

const struct config_option config_rule_options[] = {
	{"kind", CONFIG_VALUE, NULL},
	{"services", CONFIG_LIST, NULL},
	{"observe", CONFIG_VALUE, NULL},
	{"notify", CONFIG_VALUE, NULL},
	{"enforce", CONFIG_VALUE, NULL},
	{"brownouts", CONFIG_LIST, NULL},
	{"grace", CONFIG_VALUE, NULL},
	{"except-networks", CONFIG_LIST, NULL},
	{"reject", CONFIG_VALUE, NULL},
	{"message", CONFIG_VALUE, NULL},
	/* Of some kinds only: */
	{"minimum", CONFIG_VALUE, NULL},
	{"allow", CONFIG_LIST, NULL},
	{"unknown", CONFIG_VALUE, NULL},
	{"allow-ports", CONFIG_LIST, NULL},
	{"client-networks", CONFIG_LIST, NULL},
	{"allow-networks", CONFIG_LIST, NULL},
	{NULL, CONFIG_VALUE, NULL},
};

#define LOGINS                                                                                     \
	(SERVICE_BIT(SERVICE_IMAP) | SERVICE_BIT(SERVICE_POP3) | SERVICE_BIT(SERVICE_SIEVE) |      \
	 SERVICE_BIT(SERVICE_SUBMISSION))
#define SMTP SERVICE_BIT(SERVICE_SMTP)

static const struct {
	unsigned int possible; /* services that the kind can concern */
	unsigned int usual;    /* without `services`; 0: they must be named */
	enum outcome reject;
	const char *options[3]; /* those that only some kinds take */
} kinds[KIND_COUNT] = {
	[KIND_ENCRYPTION] = {LOGINS | SMTP, LOGINS, OUTCOME_REJECT_AFTER, {"minimum"}},
	[KIND_IMPLICIT_TLS] = {LOGINS, LOGINS, OUTCOME_REJECT_AFTER, {NULL}},
	[KIND_MECHANISM] = {LOGINS, LOGINS, OUTCOME_REJECT_AFTER, {"allow"}},
	[KIND_COUNTRY] = {LOGINS | SMTP, LOGINS, OUTCOME_REJECT_BEFORE, {"allow", "unknown"}},
	[KIND_PROTOCOL] = {LOGINS | SMTP, 0, OUTCOME_REJECT_BEFORE, {NULL}},
	[KIND_SUBMISSION_PORT] = {SERVICE_BIT(SERVICE_SUBMISSION) | SMTP,
				  SERVICE_BIT(SERVICE_SUBMISSION) | SMTP,
				  OUTCOME_REJECT_AFTER,
				  {"allow-ports", "client-networks"}},
	[KIND_RELAY] = {SMTP, SMTP, OUTCOME_REJECT_BEFORE, {"allow-networks"}},
};

static bool kind_takes(enum kind kind, const char *option)
{
	for (size_t i = 0; i < 3 && kinds[kind].options[i] != NULL; i++) {
		if (strcmp(kinds[kind].options[i], option) == 0)
			return true;
	}
	return false;
}

static bool read_kind(struct config_reader *reader, const struct config_section *section,
		      struct rule *rule)
{
	const struct config_value *value = config_value(section, "kind", 0);
	const char *name = value == NULL ? rule->title : value->text;

	if (kind_from_name(name, &rule->kind))
		return true;
	if (value == NULL && !config_lacks(section, "kind"))
		return false;
	config_error(reader->problems, config_line(section, "kind"),
		     value == NULL ? "rule '%s' needs a 'kind' (one of encryption, implicit-tls, "
				     "mechanism, country, protocol, submission-port, relay)"
				   : "kind: unknown kind '%s' (one of encryption, implicit-tls, "
				     "mechanism, country, protocol, submission-port, relay)",
		     name);
	return false;
}

/* Reports the options that another kind would take. */
static void check_options(struct config_reader *reader, const struct config_section *section,
			  const struct rule *rule)
{
	static const char *const special[] = {"minimum",     "allow",           "unknown",
					      "allow-ports", "client-networks", "allow-networks"};

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
		if (config_is_set(section, special[i]) && !kind_takes(rule->kind, special[i]))
			config_error(reader->problems, config_line(section, special[i]),
				     "a rule of kind %s takes no '%s'", kind_name(rule->kind),
				     special[i]);
	}
}

static void read_services(struct config_reader *reader, const struct config_section *section,
			  struct rule *rule)
{
	rule->services = kinds[rule->kind].usual;
	if (!config_is_set(section, "services")) {
		if (rule->services == 0 && config_lacks(section, "services"))
			config_error(reader->problems, section->line,
				     "a rule of kind %s needs 'services'", kind_name(rule->kind));
		return;
	}
	if (config_list_is_empty(reader, section, "services"))
		return;
	rule->services = 0;
	for (size_t i = 0; i < config_value_count(section, "services"); i++) {
		const struct config_value *value = config_value(section, "services", i);
		enum service service;

		if (!service_from_name(value->text, &service))
			config_error(reader->problems, value->line,
				     "services: unknown service '%s' (one of imap, pop3, sieve, "
				     "submission, smtp)",
				     value->text);
		else if ((kinds[rule->kind].possible & SERVICE_BIT(service)) == 0)
			config_error(reader->problems, value->line,
				     "services: a rule of kind %s cannot apply to %s",
				     kind_name(rule->kind), value->text);
		else
			rule->services |= SERVICE_BIT(service);
	}
}

/* Returns the line of a date that is set and right, else 0. */
static unsigned int read_date(struct config_reader *reader, const struct config_section *section,
			      const char *key, time_t *date)
{
	const struct config_value *value = config_value(section, key, 0);
	const char *error;
	time_t read;

	*date = SCHEDULE_NEVER;
	if (value == NULL)
		return 0;
	if (!date_parse(value->text, &read, &error)) {
		config_error(reader->problems, value->line, "%s: '%s': %s", key, value->text,
			     error);
		return 0;
	}
	*date = read;
	return value->line;
}

static void read_dates(struct config_reader *reader, const struct config_section *section,
		       struct rule *rule)
{
	struct schedule *schedule = &rule->schedule;
	static const char *const keys[] = {"observe", "notify", "enforce"};
	time_t *const dates[] = {&schedule->observe, &schedule->notify, &schedule->enforce};
	const char *earlier_key = NULL;
	time_t earlier = 0;
	bool any = false;

	for (size_t i = 0; i < 3; i++) {
		unsigned int line = read_date(reader, section, keys[i], dates[i]);

		any = any || config_is_set(section, keys[i]);
		if (line == 0)
			continue;
		if (earlier_key != NULL && *dates[i] < earlier)
			config_error(reader->problems, line,
				     "the dates run backwards: '%s' is before '%s'", keys[i],
				     earlier_key);
		earlier_key = keys[i];
		earlier = *dates[i];
	}
	if (!any && !section->malformed)
		config_error(reader->problems, section->line,
			     "rule '%s' has no date: it needs 'observe', 'notify' or 'enforce'",
			     rule->title);
}

static void read_brownouts(struct config_reader *reader, const struct config_section *section,
			   struct rule *rule)
{
	struct schedule *schedule = &rule->schedule;
	size_t count = config_value_count(section, "brownouts");

	if (count == 0)
		return;
	schedule->brownouts = calloc(count, sizeof(*schedule->brownouts));
	if (schedule->brownouts == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, "brownouts", i);
		struct brownout *brownout = &schedule->brownouts[schedule->brownout_count];
		const char *error;

		if (!brownout_parse(value->text, brownout, &error)) {
			config_error(reader->problems, value->line, "brownouts: '%s': %s",
				     value->text, error);
			continue;
		}
		schedule->brownout_count++;
		/* No error: else moving a date would be more than one edit. */
		if (brownout->begin < schedule->notify || brownout->end > schedule->enforce)
			config_warning(reader->problems, value->line,
				       "brownouts: '%s' is not entirely within the rule's notify "
				       "phase, and has no effect outside it",
				       value->text);
	}
}

/* Longer than anybody is to go on after a date. */
#define GRACE_MAX (90 * SECONDS_A_DAY)

/* Whether nobody can have been seen breaking the rule in time. */
static bool grace_is_for_all(const struct rule *rule)
{
	const struct schedule *schedule = &rule->schedule;
	time_t first = schedule->observe < schedule->notify ? schedule->observe : schedule->notify;

	return first != SCHEDULE_ALWAYS && first < schedule->enforce &&
	       first >= schedule->enforce - rule->grace;
}

static void read_grace(struct config_reader *reader, const struct config_section *section,
		       struct rule *rule)
{
	const struct config_value *value = config_value(section, "grace", 0);
	time_t enforce = rule->schedule.enforce;

	if (value == NULL)
		return;
	if (rule->kind == KIND_RELAY)
		config_error(reader->problems, value->line,
			     "a rule of kind relay takes no 'grace': nobody is logged in");
	else if (!duration_parse(value->text, 3600, GRACE_MAX, &rule->grace))
		config_error(reader->problems, value->line,
			     "grace: must be from an hour to 90 days, as in \"7d\"");
	else if (config_lacks(section, "enforce") || enforce == SCHEDULE_ALWAYS)
		config_error(reader->problems, value->line,
			     "grace: is for those who were first seen shortly before a date, and "
			     "'enforce' has none");
	else if (!notices_are_configured(&reader->policy->notices))
		config_warning(reader->problems, value->line,
			       "grace: nobody is given it without mails, and notices have no "
			       "'from'");
	else if (grace_is_for_all(rule))
		config_warning(reader->problems, value->line,
			       "grace: everybody is given it who is seen before 'enforce', since "
			       "the rule's first phase begins no longer before that");
}

static void read_reject(struct config_reader *reader, const struct config_section *section,
			struct rule *rule)
{
	const struct config_value *value = config_value(section, "reject", 0);

	rule->reject = kinds[rule->kind].reject;
	if (value == NULL)
		return;
	if (strcmp(value->text, "before-password") == 0)
		rule->reject = OUTCOME_REJECT_BEFORE;
	else if (strcmp(value->text, "after-password") == 0)
		rule->reject = OUTCOME_REJECT_AFTER;
	else
		config_error(reader->problems, value->line,
			     "reject: '%s' is neither before-password nor after-password",
			     value->text);
}

static bool is_printable_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static void read_message(struct config_reader *reader, const struct config_section *section,
			 struct rule *rule)
{
	const struct config_value *value = config_value(section, "message", 0);

	if (value == NULL) {
		rule->message = default_message(reader->policy, rule);
		if (rule->message == NULL)
			config_out_of_memory(reader->problems);
		return;
	}
	if (value->text[0] == '\0')
		config_error(reader->problems, value->line, "message: must not be empty");
	else if (!is_printable_ascii(value->text))
		config_error(reader->problems, value->line,
			     "message: must be one line of printable ASCII");
	else if (strlen(value->text) > MESSAGE_LENGTH_MAX)
		config_error(reader->problems, value->line,
			     "message: must not be longer than %d bytes", MESSAGE_LENGTH_MAX);
	else
		rule->message = config_strdup(reader->problems, value->text);
}

static void read_minimum(struct config_reader *reader, const struct config_section *section,
			 struct rule *rule)
{
	const struct config_value *value = config_value(section, "minimum", 0);

	rule->minimum = TLS_VERSION_UNKNOWN;
	if (value != NULL && !tls_version_from_name(value->text, &rule->minimum))
		config_error(reader->problems, value->line,
			     "minimum: unknown TLS version '%s' (one of TLSv1, TLSv1.1, TLSv1.2, "
			     "TLSv1.3)",
			     value->text);
}

/* The name of a SASL mechanism (RFC 4422, 3.1) in capitals. */
static bool mechanism_parse(char *name)
{
	size_t length = strlen(name);

	for (char *c = name; *c != '\0'; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c -= 'a' - 'A';
	}
	return length >= 1 && length <= 20 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

static void add_mechanism(struct config_reader *reader, struct rule *rule, const char *name,
			  unsigned int line)
{
	char *mechanism = config_strdup(reader->problems, name);

	if (mechanism == NULL)
		return;
	if (mechanism_parse(mechanism)) {
		rule->mechanisms[rule->mechanism_count++] = mechanism;
		return;
	}
	config_error(reader->problems, line, "allow: '%s' is not the name of a SASL mechanism",
		     name);
	free(mechanism);
}

static void read_mechanisms(struct config_reader *reader, const struct config_section *section,
			    struct rule *rule)
{
	static const char *const usual[] = {"PLAIN", "LOGIN"};
	size_t count = config_value_count(section, "allow");

	if (config_list_is_empty(reader, section, "allow"))
		return;
	rule->mechanisms = calloc(count + 2, sizeof(*rule->mechanisms));
	if (rule->mechanisms == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, "allow", i);

		add_mechanism(reader, rule, value->text, value->line);
	}
	for (size_t i = 0; i < 2 && count == 0; i++)
		add_mechanism(reader, rule, usual[i], 0);
}

static void read_countries(struct config_reader *reader, const struct config_section *section,
			   struct rule *rule)
{
	size_t count = config_value_count(section, "allow");

	if (config_lacks(section, "allow"))
		config_error(reader->problems, section->line,
			     "a rule of kind country needs 'allow'");
	if (config_list_is_empty(reader, section, "allow") || count == 0)
		return;
	rule->countries = calloc(count, sizeof(*rule->countries));
	if (rule->countries == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, "allow", i);

		if (country_code_exists(value->text))
			memcpy(rule->countries[rule->country_count++].code, value->text, 3);
		else
			config_error(
				reader->problems, value->line,
				"allow: ISO 3166-1 has no country '%s' (two capital letters; %s)",
				value->text,
				strcmp(value->text, "UK") == 0 ? "the United Kingdom is GB"
							       : "Germany is DE");
	}
}

static void read_unknown(struct config_reader *reader, const struct config_section *section,
			 struct rule *rule)
{
	const struct config_value *value = config_value(section, "unknown", 0);

	rule->reject_unknown = true;
	if (value == NULL || strcmp(value->text, "reject") == 0)
		return;
	rule->reject_unknown = false;
	if (strcmp(value->text, "allow") != 0)
		config_error(reader->problems, value->line,
			     "unknown: '%s' is neither reject nor allow", value->text);
}

static void read_country_options(struct config_reader *reader, const struct config_section *section,
				 struct rule *rule)
{
	read_countries(reader, section, rule);
	read_unknown(reader, section, rule);
	if (config_lacks(reader->top, "country-database"))
		config_error(reader->problems, section->line,
			     "a rule of kind country needs 'country-database' at the top of the "
			     "file");
}

static void read_submission_port_options(struct config_reader *reader,
					 const struct config_section *section, struct rule *rule)
{
	static const uint16_t usual[] = {587, 465};

	config_read_ports(reader, section, "allow-ports", usual, 2, &rule->ports,
			  &rule->port_count);
	config_list_is_empty(reader, section, "client-networks");
	config_read_networks(reader, section, "client-networks", &rule->networks);
}

static void read_relay_options(struct config_reader *reader, const struct config_section *section,
			       struct rule *rule)
{
	if (config_lacks(section, "allow-networks"))
		config_error(reader->problems, section->line,
			     "a rule of kind relay needs 'allow-networks'");
	config_list_is_empty(reader, section, "allow-networks");
	config_read_networks(reader, section, "allow-networks", &rule->networks);
}

static void read_kind_options(struct config_reader *reader, const struct config_section *section,
			      struct rule *rule)
{
	switch (rule->kind) {
	case KIND_ENCRYPTION:
		read_minimum(reader, section, rule);
		break;
	case KIND_MECHANISM:
		read_mechanisms(reader, section, rule);
		break;
	case KIND_COUNTRY:
		read_country_options(reader, section, rule);
		break;
	case KIND_SUBMISSION_PORT:
		read_submission_port_options(reader, section, rule);
		break;
	case KIND_RELAY:
		read_relay_options(reader, section, rule);
		break;
	case KIND_IMPLICIT_TLS:
	case KIND_PROTOCOL:
	case KIND_COUNT:
		break;
	}
}

static void check_title(struct config_reader *reader, const struct config_section *section,
			const char *title)
{
	if (!config_title_is_valid(title))
		config_error(reader->problems, section->line,
			     "the title of a rule consists of at most 64 letters, digits, '-', '_' "
			     "and '.'");
	else if (country_code_exists(title))
		config_error(reader->problems, section->line,
			     "the title of a rule must not be a country code, because exemptions "
			     "can name either");
}

void config_rule_read(struct config_reader *reader, const struct config_section *section,
		      struct rule *rule)
{
	rule->title = config_strdup(reader->problems, section->title);
	if (rule->title == NULL)
		return;
	check_title(reader, section, rule->title);
	read_dates(reader, section, rule);
	read_brownouts(reader, section, rule);
	config_read_networks(reader, section, "except-networks", &rule->except);
	if (!read_kind(reader, section, rule))
		return;
	check_options(reader, section, rule);
	read_services(reader, section, rule);
	read_grace(reader, section, rule);
	read_reject(reader, section, rule);
	read_kind_options(reader, section, rule);
	read_message(reader, section, rule);
}
