#include "journal-line.h"

#include <string.h>

#include "admin/logs/log-time.h"
#include "policy/config-value.h"

/* ---- time ---- */

static bool digits(const char **text, unsigned int count, int *number_r)
{
	*number_r = 0;
	for (; count > 0; count--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*number_r = *number_r * 10 + **text - '0';
	}
	return true;
}

static bool one_of(const char **text, const char *characters)
{
	if (**text == '\0' || strchr(characters, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

/* Milliseconds; further digits are passed over. */
static bool fraction(const char **text, int *milliseconds_r)
{
	int scale = 100;

	*milliseconds_r = 0;
	if (!one_of(text, "."))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		*milliseconds_r += (**text - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* "Z", or hours and minutes east of Greenwich. */
static bool zone(const char **text, int *minutes_r)
{
	bool west = **text == '-';
	int hours, minutes;

	*minutes_r = 0;
	if (one_of(text, "Zz"))
		return true;
	if (!one_of(text, "+-") || !digits(text, 2, &hours) || !one_of(text, ":") ||
	    !digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*minutes_r = (west ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

bool journal_time_parse(const char *text, int64_t *time_r)
{
	int year, month, day, hour, minute, second, milliseconds, east;
	struct log_time date;

	if (!digits(&text, 4, &year) || !one_of(&text, "-") || !digits(&text, 2, &month) ||
	    !one_of(&text, "-") || !digits(&text, 2, &day) || !one_of(&text, "Tt ") ||
	    !digits(&text, 2, &hour) || !one_of(&text, ":") || !digits(&text, 2, &minute) ||
	    !one_of(&text, ":") || !digits(&text, 2, &second) || !fraction(&text, &milliseconds) ||
	    !zone(&text, &east) || *text != '\0')
		return false;
	date = (struct log_time){
		.kind = LOG_TIME_LOCAL,
		.year = (int16_t)year,
		.month = (uint8_t)month,
		.day = (uint8_t)day,
		.hour = (uint8_t)hour,
		.minute = (uint8_t)minute,
		.second = (uint8_t)second,
		.millisecond = (uint16_t)milliseconds,
	};
	*time_r = log_time_reckon(&date) - (int64_t)east * 60 * 1000;
	return year > 0 && log_time_exists(&date);
}

/* ---- the line ---- */

static const char *string(const json_t *root, const char *key)
{
	return json_string_value(json_object_get(root, key));
}

/* A string that need not be there. */
static bool optional_string(const json_t *root, const char *key, const char **text_r)
{
	const json_t *value = json_object_get(root, key);

	*text_r = value == NULL ? "" : json_string_value(value);
	return *text_r != NULL;
}

/* 16 hex digits, or none. */
static bool is_edition(const char *text)
{
	size_t length = strlen(text);

	return length == 0 ||
	       (length == EDITION_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == length);
}

/* A number that need not be there. */
static bool optional_number(const json_t *root, const char *key, uint64_t minimum,
			    uint64_t *number_r)
{
	const json_t *value = json_object_get(root, key);

	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)minimum ||
	    json_integer_value(value) > UINT32_MAX)
		return false;
	*number_r = (uint64_t)json_integer_value(value);
	return true;
}

/* Where the clock was set back meanwhile, the first is taken for the last, too. */
static bool read_until(const json_t *value, int64_t time, int64_t *until_r)
{
	*until_r = time;
	if (value == NULL)
		return true;
	if (!json_is_string(value) || !journal_time_parse(json_string_value(value), until_r))
		return false;
	if (*until_r < time)
		*until_r = time;
	return true;
}

static bool read_source(const char *name, enum source *source_r)
{
	for (int i = SOURCE_DOVECOT; name != NULL && i <= SOURCE_POSTFIX; i++) {
		if (strcmp(name, source_name((enum source)i)) == 0) {
			*source_r = (enum source)i;
			return true;
		}
	}
	return false;
}

static bool read_action(const char *name, bool *rejected_r)
{
	if (name == NULL)
		return false;
	*rejected_r = strcmp(name, "reject") == 0;
	return *rejected_r || strcmp(name, "allow") == 0;
}

static bool read_port(const json_t *value, uint16_t *port_r)
{
	json_int_t port = json_integer_value(value);

	*port_r = (uint16_t)port;
	return json_is_integer(value) && port >= 0 && port <= UINT16_MAX;
}

static bool read_country(const char *code, struct country *country_r)
{
	if (code == NULL || (code[0] != '\0' && strlen(code) != 2))
		return false;
	for (const char *c = code; *c != '\0'; c++) {
		if (*c < 'A' || *c > 'Z')
			return false;
	}
	strcpy(country_r->code, code);
	return true;
}

static bool read_client(const char *text, struct address *client_r)
{
	if (text == NULL)
		return false;
	*client_r = (struct address){0};
	return text[0] == '\0' || address_parse(text, client_r);
}

/* Puts a rule into its place in the order of titles. */
static void insert_rule(struct journal_line *line, const char *title, enum phase phase)
{
	size_t i = line->rule_set.rule_count++;

	for (; i > 0 && strcmp(line->rules[i - 1].title, title) > 0; i--)
		line->rules[i] = line->rules[i - 1];
	line->rules[i] = (struct store_broken_rule){.title = (char *)title, .phase = phase};
}

static bool read_rules(json_t *rules, struct journal_line *line)
{
	const char *title;
	json_t *value;

	if (!json_is_object(rules) || json_object_size(rules) > RULES_MAX)
		return false;
	line->rule_set.rules = line->rules;
	json_object_foreach(rules, title, value)
	{
		enum phase phase;

		if (!json_is_string(value) || !phase_from_name(json_string_value(value), &phase) ||
		    !config_title_is_valid(title))
			return false;
		insert_rule(line, title, phase);
	}
	return true;
}

/* The reason why it cannot be read, or NULL. */
static const char *read_line(struct journal_line *line)
{
	const json_t *root = line->root;
	const json_t *verified = json_object_get(root, "verified");
	const char *time = string(root, "time");
	const char *service = string(root, "service");
	const char *tls = string(root, "tls");

	if (!json_is_object(root))
		return "it is not a JSON object";
	if (time == NULL || !journal_time_parse(time, &line->time))
		return "'time' is missing or wrong";
	if (!read_until(json_object_get(root, "until"), line->time, &line->until))
		return "'until' is wrong";
	if (!read_source(string(root, "source"), &line->habit.source))
		return "'source' is missing or unknown";
	line->user = string(root, "user");
	if (line->user == NULL)
		return "'user' is missing or wrong";
	if (!json_is_boolean(verified))
		return "'verified' is missing or wrong";
	line->verified = json_is_true(verified);
	if (!read_action(string(root, "action"), &line->rejected))
		return "'action' is missing or unknown";
	if (service == NULL || !service_from_name(service, &line->habit.service))
		return "'service' is missing or unknown";
	if (!read_port(json_object_get(root, "port"), &line->habit.port))
		return "'port' is missing or wrong";
	if (tls == NULL || !tls_state_from_name(tls, &line->habit.tls))
		return "'tls' is missing or unknown";
	line->habit.mechanism = string(root, "mechanism");
	if (line->habit.mechanism == NULL)
		return "'mechanism' is missing or wrong";
	if (!read_client(string(root, "client"), &line->client))
		return "'client' is missing or not an address";
	if (!read_country(string(root, "country"), &line->habit.country))
		return "'country' is missing or wrong";
	if (!read_rules(json_object_get(root, "rules"), line))
		return "'rules' is missing or wrong";
	if (!optional_string(root, "host", &line->host))
		return "'host' is not a string";
	if (!optional_string(root, "client_id", &line->habit.client_id))
		return "'client_id' is not a string";
	if (!optional_string(root, "edition", &line->edition))
		return "'edition' is not a string";
	if (!is_edition(line->edition))
		line->edition = "";
	if (!optional_number(root, "count", 1, &line->count))
		return "'count' is wrong";
	if (!optional_number(root, "lost", 0, &line->lost))
		return "'lost' is wrong";
	return NULL;
}

bool journal_line_parse(const char *text, size_t length, struct journal_line *line_r,
			const char **error_r)
{
	json_error_t error;

	/* Not the rules, which are many and are set as far as they are used. */
	memset(line_r, 0, offsetof(struct journal_line, rules));
	line_r->count = 1;
	line_r->lost = 0;
	line_r->root = json_loadb(text, length, 0, &error);
	*error_r = line_r->root == NULL ? "it is not JSON" : read_line(line_r);
	if (*error_r == NULL)
		return true;
	journal_line_free(line_r);
	return false;
}

bool journal_line_names_nobody(const struct journal_line *line)
{
	return !line->verified && line->user[0] == '\0' && !line->client.known;
}

void journal_line_free(struct journal_line *line)
{
	json_decref(line->root);
	line->root = NULL;
}
