#include "config-notices.h"

#include <stdlib.h>
#include <string.h>

#include "mail-address.h"
#include "utf8.h"

#define TEXTS_DEFAULT "/etc/portcullis/notices"
#define SENDMAIL_DEFAULT "sendmail:/usr/sbin/sendmail"

#define MINUTE ((time_t)60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Ten years: more is a slip of the keyboard. */
#define DURATION_MAX (3650 * DAY)
#define LIMIT_MAX 10000000

/* Enough for any list of languages or last calls that makes sense. */
#define LIST_MAX 16

const struct config_option config_notice_options[] = {
	{"from", CONFIG_VALUE, NULL},
	{"reply-to", CONFIG_VALUE, NULL},
	{"contact", CONFIG_VALUE, NULL},
	{"languages", CONFIG_LIST, NULL},
	{"remind-every", CONFIG_VALUE, NULL},
	{"last-calls", CONFIG_LIST, NULL},
	{"confirm-fixed", CONFIG_VALUE, NULL},
	{"max-per-run", CONFIG_VALUE, NULL},
	{"max-per-hour", CONFIG_VALUE, NULL},
	{"quiet-hours", CONFIG_VALUE, NULL},
	{"transport", CONFIG_VALUE, NULL},
	{"address-map", CONFIG_VALUE, NULL},
	{"domains", CONFIG_LIST, NULL},
	{"texts", CONFIG_VALUE, NULL},
	{NULL, CONFIG_VALUE, NULL},
};

const struct config_option config_client_options[] = {
	{"imap-server", CONFIG_VALUE, NULL}, {"imap-port", CONFIG_VALUE, NULL},
	{"pop3-server", CONFIG_VALUE, NULL}, {"pop3-port", CONFIG_VALUE, NULL},
	{"smtp-server", CONFIG_VALUE, NULL}, {"smtp-port", CONFIG_VALUE, NULL},
	{"user-name", CONFIG_LIST, NULL},    {"webmail-url", CONFIG_VALUE, NULL},
	{"vpn-url", CONFIG_VALUE, NULL},     {"password-url", CONFIG_VALUE, NULL},
	{NULL, CONFIG_VALUE, NULL},
};

static void value_error(struct config_reader *reader, const char *key,
			const struct config_value *value, const char *error)
{
	config_error(reader->problems, value->line, "%s: '%s': %s", key, value->text, error);
}

/* ADDRESS, or NAME <ADDRESS>. */
static void read_sender(struct config_reader *reader, const struct config_section *section,
			struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "from", 0);
	const char *open;
	size_t length, name_length;
	bool name_is_line = true;

	if (config_lacks(section, "from"))
		config_error(reader->problems, section->line,
			     "notices need a sender: from = \"postmaster@example.org\"");
	if (value == NULL)
		return;
	length = strlen(value->text);
	open = strrchr(value->text, '<');
	if (open == NULL) {
		settings->from = config_strdup(reader->problems, value->text);
	} else if (length > 0 && value->text[length - 1] == '>') {
		name_length = (size_t)(open - value->text);
		while (name_length > 0 && value->text[name_length - 1] == ' ')
			name_length--;
		free(settings->from_name);
		settings->from_name = strndup(value->text, name_length);
		settings->from = strndup(open + 1, length - (size_t)(open - value->text) - 2);
		if (settings->from == NULL || settings->from_name == NULL)
			config_out_of_memory(reader->problems);
		else
			/* What is wrong with the organisation's is told there. */
			name_is_line = utf8_is_line(settings->from_name);
	}
	if (settings->from == NULL || !mail_address_is_valid(settings->from) || !name_is_line)
		value_error(reader, "from", value, "must be an address, or a name and <address>");
}

static void read_reply_to(struct config_reader *reader, const struct config_section *section,
			  struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "reply-to", 0);

	if (value == NULL)
		return;
	settings->reply_to = config_strdup(reader->problems, value->text);
	if (!mail_address_is_valid(value->text))
		value_error(reader, "reply-to", value, "not a mail address");
}

/* Text that stands on one line of a mail. */
static char *line_of_text(struct config_reader *reader, const char *key,
			  const struct config_value *value)
{
	if (value->text[0] == '\0' || !utf8_is_line(value->text))
		config_error(reader->problems, value->line, "%s: must be one line of UTF-8 text",
			     key);
	return config_strdup(reader->problems, value->text);
}

static void read_contact(struct config_reader *reader, const struct config_section *section,
			 struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "contact", 0);

	if (value != NULL)
		settings->contact = line_of_text(reader, "contact", value);
}

/* They are names of files, too: "de", "pt-br". */
static bool is_language(const char *text)
{
	size_t length = strlen(text);

	return length >= 2 && length <= 16 && text[0] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz-") == length;
}

static void add_language(struct config_reader *reader, struct notice_settings *settings,
			 const char *language)
{
	char *copy = config_strdup(reader->problems, language);

	if (copy != NULL)
		settings->languages[settings->language_count++] = copy;
}

static bool has_language(const struct notice_settings *settings, const char *language)
{
	for (size_t i = 0; i < settings->language_count; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): all that are counted are there */
		if (strcmp(settings->languages[i], language) == 0)
			return true;
	}
	return false;
}

static bool list_is_too_long(struct config_reader *reader, const struct config_section *section,
			     const char *key)
{
	if (config_value_count(section, key) <= LIST_MAX)
		return false;
	config_error(reader->problems, config_line(section, key),
		     "%s: there are more than %d values", key, LIST_MAX);
	return true;
}

static void read_languages(struct config_reader *reader, const struct config_section *section,
			   struct notice_settings *settings)
{
	settings->languages = calloc(LIST_MAX, sizeof(*settings->languages));
	if (settings->languages == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	if (!config_is_set(section, "languages")) {
		add_language(reader, settings, "de");
		add_language(reader, settings, "en");
		return;
	}
	if (config_list_is_empty(reader, section, "languages") ||
	    list_is_too_long(reader, section, "languages"))
		return;
	for (size_t i = 0; i < config_value_count(section, "languages"); i++) {
		const struct config_value *value = config_value(section, "languages", i);

		if (!is_language(value->text))
			value_error(reader, "languages", value,
				    "must be a language code such as \"de\" or \"en\"");
		else if (has_language(settings, value->text))
			value_error(reader, "languages", value, "listed twice");
		else
			add_language(reader, settings, value->text);
	}
}

static int compare_durations(const void *a, const void *b)
{
	const time_t *first = a, *second = b;

	return (*first < *second) - (*first > *second);
}

static void read_last_calls(struct config_reader *reader, const struct config_section *section,
			    struct notice_settings *settings)
{
	settings->last_calls = calloc(LIST_MAX, sizeof(*settings->last_calls));
	if (settings->last_calls == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	if (!config_is_set(section, "last-calls")) {
		settings->last_calls[settings->last_call_count++] = 7 * DAY;
		settings->last_calls[settings->last_call_count++] = 1 * DAY;
		return;
	}
	/* An empty list is fine here: no last calls. */
	if (list_is_too_long(reader, section, "last-calls"))
		return;
	for (size_t i = 0; i < config_value_count(section, "last-calls"); i++) {
		const struct config_value *value = config_value(section, "last-calls", i);
		time_t *last_call = &settings->last_calls[settings->last_call_count];

		if (duration_parse(value->text, MINUTE, DURATION_MAX, last_call))
			settings->last_call_count++;
		else
			value_error(reader, "last-calls", value,
				    "must be a number followed by m, h or d, as in \"14d\"");
	}
	qsort(settings->last_calls, settings->last_call_count, sizeof(*settings->last_calls),
	      compare_durations);
}

static void read_remind_every(struct config_reader *reader, const struct config_section *section,
			      struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "remind-every", 0);

	if (value == NULL)
		return;
	if (strcmp(value->text, "never") == 0)
		settings->remind_every = 0;
	else if (!duration_parse(value->text, HOUR, DURATION_MAX, &settings->remind_every))
		value_error(reader, "remind-every", value,
			    "must be \"never\" or at least an hour, as in \"14d\"");
}

static void read_boolean(struct config_reader *reader, const struct config_section *section,
			 const char *key, bool *boolean_r)
{
	const struct config_value *value = config_value(section, key, 0);

	if (value == NULL)
		return;
	if (strcmp(value->text, "true") == 0 || strcmp(value->text, "yes") == 0)
		*boolean_r = true;
	else if (strcmp(value->text, "false") == 0 || strcmp(value->text, "no") == 0)
		*boolean_r = false;
	else
		value_error(reader, key, value, "must be true or false");
}

static void read_limit(struct config_reader *reader, const struct config_section *section,
		       const char *key, unsigned int *limit_r)
{
	const struct config_value *value = config_value(section, key, 0);

	if (value != NULL && !config_number_parse(value->text, LIMIT_MAX, limit_r))
		value_error(reader, key, value, "must be a number (0 means no limit)");
}

static bool two_digits(const char *text, unsigned int maximum, unsigned int *number_r)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*number_r = (unsigned int)(text[0] - '0') * 10 + (unsigned int)(text[1] - '0');
	return *number_r <= maximum;
}

static bool minute_of_day_parse(const char *text, unsigned int *minute_r)
{
	unsigned int hours, minutes;

	if (!two_digits(text, 23, &hours) || text[2] != ':' || !two_digits(text + 3, 59, &minutes))
		return false;
	*minute_r = hours * 60 + minutes;
	return true;
}

static void read_quiet_hours(struct config_reader *reader, const struct config_section *section,
			     struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "quiet-hours", 0);
	struct quiet_hours *hours = &settings->quiet_hours;

	if (value == NULL)
		return;
	if (strcmp(value->text, "never") == 0)
		*hours = (struct quiet_hours){0};
	else if (strlen(value->text) != strlen("20:00-07:00") || value->text[5] != '-' ||
		 !minute_of_day_parse(value->text, &hours->begin) ||
		 !minute_of_day_parse(value->text + 6, &hours->end) || hours->begin == hours->end)
		value_error(reader, "quiet-hours", value,
			    "must be two times of day, as in \"20:00-07:00\", or \"never\"");
}

/* HOST:PORT, HOST, [IPV6]:PORT or [IPV6]. Changes *port_r when there is one. */
static bool host_parse(const char *text, char **host_r, uint16_t *port_r)
{
	const char *end, *colon;

	if (text[0] == '[') {
		text++;
		end = strchr(text, ']');
		if (end == NULL)
			return false;
		colon = end + 1;
	} else {
		end = text + strcspn(text, ":");
		colon = end;
	}
	if (end == text || (size_t)(end - text) > 255 ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%") <
		    (size_t)(end - text))
		return false;
	if (*colon != '\0' && (*colon != ':' || !port_parse(colon + 1, port_r)))
		return false;
	*host_r = strndup(text, (size_t)(end - text));
	return *host_r != NULL;
}

static bool transport_parse(const char *text, struct transport_settings *transport_r)
{
	if (strncmp(text, "sendmail:/", 10) == 0) {
		transport_r->kind = TRANSPORT_SENDMAIL;
		transport_r->path = strdup(text + 9);
		return transport_r->path != NULL;
	}
	if (strncmp(text, "smtp://", 7) == 0) {
		transport_r->kind = TRANSPORT_SMTP;
		transport_r->port = 25;
		return host_parse(text + 7, &transport_r->host, &transport_r->port);
	}
	if (strncmp(text, "lmtp://", 7) == 0) {
		transport_r->kind = TRANSPORT_LMTP;
		transport_r->port = 24;
		return host_parse(text + 7, &transport_r->host, &transport_r->port);
	}
	if (strncmp(text, "lmtp:unix:/", 11) == 0) {
		transport_r->kind = TRANSPORT_LMTP;
		transport_r->path = strdup(text + 10);
		return transport_r->path != NULL;
	}
	return false;
}

static void read_transport(struct config_reader *reader, const struct config_section *section,
			   struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "transport", 0);

	if (value == NULL) {
		if (!transport_parse(SENDMAIL_DEFAULT, &settings->transport))
			config_out_of_memory(reader->problems);
	} else if (!transport_parse(value->text, &settings->transport)) {
		value_error(reader, "transport", value,
			    "must be sendmail:/PATH, smtp://HOST:PORT, lmtp://HOST:PORT or "
			    "lmtp:unix:/PATH");
	}
}

static void read_address_map(struct config_reader *reader, const struct config_section *section,
			     struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "address-map", 0);
	const char *path = NULL;

	if (value == NULL)
		return;
	if (strncmp(value->text, "file:", 5) == 0) {
		settings->address_map_kind = ADDRESS_MAP_FILE;
		path = value->text + 5;
	} else if (strncmp(value->text, "command:", 8) == 0) {
		settings->address_map_kind = ADDRESS_MAP_COMMAND;
		path = value->text + 8;
	}
	if (path == NULL || path[0] != '/')
		value_error(reader, "address-map", value, "must be file:/PATH or command:/PATH");
	else
		settings->address_map = config_strdup(reader->problems, path);
}

static bool is_domain(const char *text)
{
	char address[MAIL_ADDRESS_SIZE + 2] = "a@";

	/* As in an address; the name of a server is one, too. */
	if (strlen(text) >= MAIL_ADDRESS_SIZE)
		return false;
	strcat(address, text);
	return mail_address_is_valid(address);
}

/* "any" or file:PATH in the place of a list. */
static void read_domains_elsewhere(struct config_reader *reader, const struct config_value *value,
				   struct notice_settings *settings)
{
	if (strcmp(value->text, "any") == 0)
		settings->any_domain = true;
	else if (value->text[5] == '/')
		settings->domains_file = config_strdup(reader->problems, value->text + 5);
	else
		value_error(reader, "domains", value, "must be file:/PATH");
}

static void read_domains(struct config_reader *reader, const struct config_section *section,
			 struct notice_settings *settings)
{
	size_t count = config_value_count(section, "domains");

	if (config_list_is_empty(reader, section, "domains") || count == 0)
		return;
	settings->domains = calloc(count, sizeof(*settings->domains));
	if (settings->domains == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, "domains", i);
		bool elsewhere =
			strcmp(value->text, "any") == 0 || strncmp(value->text, "file:", 5) == 0;
		char *domain;

		if (elsewhere && count > 1) {
			value_error(reader, "domains", value, "must stand alone");
		} else if (elsewhere) {
			read_domains_elsewhere(reader, value, settings);
		} else if (!is_domain(value->text)) {
			value_error(reader, "domains", value,
				    "must be a domain such as \"example.org\", file:/PATH or any");
		} else {
			domain = config_strdup(reader->problems, value->text);
			if (domain != NULL)
				settings->domains[settings->domain_count++] = domain;
		}
	}
}

static void read_texts(struct config_reader *reader, const struct config_section *section,
		       struct notice_settings *settings)
{
	const struct config_value *value = config_value(section, "texts", 0);

	if (value != NULL && value->text[0] != '/')
		value_error(reader, "texts", value, "must be an absolute path");
	settings->texts =
		config_strdup(reader->problems, value == NULL ? TEXTS_DEFAULT : value->text);
}

/* NULL when it does not stand in the file. */
static const struct config_section *find_section(const struct config_section *top, const char *name,
						 unsigned int *line_r)
{
	const struct config_section *section = config_find_section(top->sections, name);

	*line_r = section == NULL ? 0 : section->line;
	return section;
}

void config_notices_read(struct config_reader *reader)
{
	struct notice_settings *settings = &reader->policy->notices;
	const char *organisation = reader->policy->organisation;
	const struct config_section *section =
		find_section(reader->top, "notices", &settings->line);

	settings->remind_every = 14 * DAY;
	settings->max_per_hour = 2000;
	settings->quiet_hours = (struct quiet_hours){.begin = 20 * 60, .end = 7 * 60};
	if (organisation != NULL)
		settings->from_name = config_strdup(reader->problems, organisation);
	read_languages(reader, section, settings);
	read_last_calls(reader, section, settings);
	read_transport(reader, section, settings);
	read_texts(reader, section, settings);
	if (section == NULL)
		return;
	read_sender(reader, section, settings);
	read_reply_to(reader, section, settings);
	read_contact(reader, section, settings);
	read_remind_every(reader, section, settings);
	read_boolean(reader, section, "confirm-fixed", &settings->confirm_fixed);
	read_limit(reader, section, "max-per-run", &settings->max_per_run);
	read_limit(reader, section, "max-per-hour", &settings->max_per_hour);
	read_quiet_hours(reader, section, settings);
	read_address_map(reader, section, settings);
	read_domains(reader, section, settings);
}

static void read_server(struct config_reader *reader, const struct config_section *section,
			const char *key, char **server_r, unsigned int *line_r)
{
	const struct config_value *value = config_value(section, key, 0);

	*line_r = section->line;
	if (value == NULL)
		return;
	*line_r = value->line;
	*server_r = config_strdup(reader->problems, value->text);
	if (!is_domain(value->text))
		value_error(reader, key, value, "not the name of a server");
}

static void read_port(struct config_reader *reader, const struct config_section *section,
		      const char *key, uint16_t *port_r, unsigned int *line_r)
{
	const struct config_value *value = config_value(section, key, 0);

	if (value == NULL)
		return;
	*line_r = value->line;
	if (!port_parse(value->text, port_r))
		value_error(reader, key, value, "it is not a port (1 to 65535)");
}

static void read_user_names(struct config_reader *reader, const struct config_section *section,
			    struct client_settings *settings)
{
	size_t count = config_value_count(section, "user-name");
	size_t languages = reader->policy->notices.language_count;

	if (config_list_is_empty(reader, section, "user-name") || count == 0)
		return;
	if (count > 1 && count != languages) {
		config_error(reader->problems, config_line(section, "user-name"),
			     "user-name: must be one text, or one for each of the %zu languages",
			     languages);
		return;
	}
	settings->user_names = calloc(count, sizeof(*settings->user_names));
	if (settings->user_names == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (; settings->user_name_count < count; settings->user_name_count++)
		settings->user_names[settings->user_name_count] =
			line_of_text(reader, "user-name",
				     config_value(section, "user-name", settings->user_name_count));
}

static void read_url(struct config_reader *reader, const struct config_section *section,
		     const char *key, char **url_r)
{
	const struct config_value *value = config_value(section, key, 0);
	const char *c;

	if (value == NULL)
		return;
	*url_r = config_strdup(reader->problems, value->text);
	for (c = value->text; *c > ' ' && *c <= '~'; c++)
		;
	if (*c != '\0' || strncmp(value->text, "https://", 8) != 0 || value->text[8] == '\0')
		value_error(reader, key, value,
			    "must begin with https:// and be printable ASCII without spaces");
}

void config_client_settings_read(struct config_reader *reader)
{
	struct client_settings *settings = &reader->policy->client_settings;
	const struct config_section *section =
		find_section(reader->top, "client-settings", &settings->line);

	settings->imap_port = 993;
	settings->pop3_port = 995;
	settings->smtp_port = 465;
	if (section == NULL)
		return;
	read_server(reader, section, "imap-server", &settings->imap_server, &settings->imap_line);
	read_port(reader, section, "imap-port", &settings->imap_port, &settings->imap_line);
	read_server(reader, section, "pop3-server", &settings->pop3_server, &settings->pop3_line);
	read_port(reader, section, "pop3-port", &settings->pop3_port, &settings->pop3_line);
	read_server(reader, section, "smtp-server", &settings->smtp_server, &settings->smtp_line);
	read_port(reader, section, "smtp-port", &settings->smtp_port, &settings->smtp_line);
	read_user_names(reader, section, settings);
	read_url(reader, section, "webmail-url", &settings->webmail_url);
	read_url(reader, section, "vpn-url", &settings->vpn_url);
	read_url(reader, section, "password-url", &settings->password_url);
}
