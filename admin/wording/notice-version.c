#include "notice-version.h"

#include <string.h>

#include "admin/sightings/harmless-text.h"

#define USER_CHARACTERS 80
#define MECHANISM_LENGTH 32

static const char *mechanism(struct notice_values *values, const char *name)
{
	static const char *const normal[] = {"PLAIN", "LOGIN"};
	static const char *const encrypted[] = {"CRAM-MD5", "DIGEST-MD5", "APOP", "NTLM", "SCRAM"};
	size_t length = strlen(name);

	/* RFC 4422, 3.1; anything else is none. */
	if (length == 0 || length > MECHANISM_LENGTH ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != length)
		return NULL;
	values->texts[VALUE_MECHANISM_NAME] = name;
	for (size_t i = 0; i < G_N_ELEMENTS(normal); i++) {
		if (strcmp(name, normal[i]) == 0)
			return notice_value_word(values, WORD_MECHANISM_NORMAL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(encrypted); i++) {
		if (g_str_has_prefix(name, encrypted[i]))
			return notice_value_word(values, WORD_MECHANISM_ENCRYPTED);
	}
	return notice_value_word(values, WORD_MECHANISM_OTHER);
}

static const char *client_address(struct notice_values *values, const char *client)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	if (!address_parse(client, &address))
		return NULL;
	address_format(&address, text);
	return notice_value_keep(values, text);
}

static void set_device(struct notice_values *values, const struct notice_device *device)
{
	const struct notice_sighting *sighting = device->sighting;
	const char **texts = values->texts;

	texts[VALUE_PROGRAM] = device->program != NULL
				       ? device->program
				       : notice_value_word(values, WORD_PROGRAM_UNKNOWN);
	texts[VALUE_SERVICE] = notice_value_word(values, WORD_SERVICE_IMAP + sighting->service);
	texts[VALUE_PORT] =
		sighting->port == 0 ? NULL : notice_value_number(values, sighting->port);
	texts[VALUE_ENCRYPTION] = notice_value_word(values, WORD_TLS_NONE + sighting->tls);
	texts[VALUE_MECHANISM] = mechanism(values, sighting->mechanism);
	texts[VALUE_COUNTRY] = notice_value_country(values, sighting->country);
	texts[VALUE_LAST_SEEN] = notice_value_moment(values, sighting->last_seen);
	texts[VALUE_ADDRESS] = client_address(values, sighting->client);
	texts[VALUE_REFUSED] = device->refused ? "yes" : NULL;
}

static void set_moved_from(struct notice_values *values, const struct notice_rule *rule)
{
	values->texts[VALUE_MOVED_FROM] =
		rule->moved_from == 0 ? NULL : notice_value_date(values, rule->moved_from);
}

static bool select_turn(struct text_source *source, unsigned int loop, size_t turn)
{
	struct notice_version *version = (struct notice_version *)source;
	const struct notice *notice = version->notice;

	switch ((enum each)loop) {
	case EACH_RULE:
		if (turn >= notice->rule_count)
			return false;
		notice_values_set_rule(&version->values, notice->rules[turn].rule,
				       notice->rules[turn].enforce);
		set_moved_from(&version->values, &notice->rules[turn]);
		return true;
	case EACH_SIGHTING:
		if (turn >= version->devices->len || turn >= NOTICE_DEVICES_MAX)
			return false;
		set_device(&version->values,
			   &g_array_index(version->devices, struct notice_device, turn));
		return true;
	case EACH_PROGRAM:
		if (turn >= version->program_count)
			return false;
		version->values.texts[VALUE_STEPS] = mail_program_steps(version->programs[turn]);
		return true;
	case EACH_BROWNOUT:
		return turn == 0 && version->values.texts[VALUE_BROWNOUT_BEGIN] != NULL;
	case EACH_CHANGE:
	case EACH_COUNT:
		break;
	}
	return false;
}

/* The first day on which something stops working; before a brown-out, what is switched
   off in it. */
static time_t deadline(const struct notice *notice, const struct notice_rule *tried)
{
	time_t first = SCHEDULE_NEVER;

	if (notice->reason == NOTICE_BROWNOUT && tried != NULL)
		return tried->enforce;
	for (size_t i = 0; i < notice->rule_count; i++) {
		time_t enforce = notice->rules[i].enforce;

		if (enforce > notice->date && enforce < first)
			first = enforce;
	}
	return first;
}

/* The rule that has the next brown-out, or NULL. */
static const struct notice_rule *next_brownout(const struct notice *notice)
{
	const struct notice_rule *next = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (rule->brownout.end > notice->date &&
		    (next == NULL || rule->brownout.begin < next->brownout.begin))
			next = rule;
	}
	return next;
}

/* Of the dates that moved, the one that the person would go by first. */
static void set_moved(struct notice_values *values, const struct notice *notice)
{
	const struct notice_rule *first = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (rule->moved_from != 0 &&
		    (first == NULL || rule->moved_from < first->moved_from))
			first = rule;
	}
	if (first == NULL)
		return;
	values->texts[VALUE_OLD_DATE] = notice_value_date(values, first->moved_from);
	values->texts[VALUE_NEW_DATE] = notice_value_date(values, first->enforce);
}

/* Other settings are of no help against the rest. */
static bool needs_settings(const struct notice *notice)
{
	for (size_t i = 0; i < notice->rule_count; i++) {
		enum kind kind = notice->rules[i].rule->kind;

		if (kind != KIND_COUNTRY && kind != KIND_RELAY)
			return true;
	}
	return false;
}

void notice_version_set(struct notice_version *version, const struct notice *notice,
			const GArray *devices)
{
	struct notice_values *values = &version->values;
	const char **texts = values->texts;
	const struct notice_rule *tried = next_brownout(notice);
	char *user = harmless_text(notice->user, USER_CHARACTERS);

	notice_values_begin(values, notice->date);
	version->notice = notice;
	version->devices = devices;
	version->program_count = notice_device_programs(devices, version->programs);
	texts[VALUE_USER] = notice_value_keep(values, user);
	texts[VALUE_DEADLINE] = notice_value_date(values, deadline(notice, tried));
	set_moved(values, notice);
	texts[VALUE_NEEDS_SETTINGS] = needs_settings(notice) ? "yes" : NULL;
	if (notice->exempt_until != 0)
		texts[VALUE_EXEMPT_UNTIL] = notice_value_date(values, notice->exempt_until);
	if (notice->grace_until != 0)
		texts[VALUE_GRACE_UNTIL] = notice_value_date(values, notice->grace_until);
	if (devices->len > NOTICE_DEVICES_MAX)
		texts[VALUE_MORE] = notice_value_number(values, devices->len - NOTICE_DEVICES_MAX);
	if (tried != NULL)
		notice_values_set_brownout(values, &tried->brownout);
	g_free(user);
}

void notice_version_init(struct notice_version *version, const struct policy *policy,
			 const struct text_language *language)
{
	*version = (struct notice_version){0};
	notice_values_init(&version->values, policy, language, select_turn);
}

void notice_version_clear(struct notice_version *version)
{
	notice_values_clear(&version->values);
}
