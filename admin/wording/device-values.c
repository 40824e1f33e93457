#include "device-values.h"

#include <string.h>

#include "admin/sightings/whereabouts.h"

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

/* "campus", of the first network that holds the client, or all where it may have been. */
static const char *network(struct notice_values *values, const struct notice_sighting *sighting)
{
	const struct policy *policy = values->policy;
	struct whereabouts whereabouts = {0};
	struct address client;
	bool known = address_parse(sighting->client, &client);

	if (!known && (sighting->whereabouts == NULL ||
		       !whereabouts_parse(sighting->whereabouts, &whereabouts)))
		return NULL;
	for (size_t i = 0; i < policy->network_count; i++) {
		const struct network *network = &policy->networks[i].network;

		if (known ? network_contains(network, &client)
			  : whereabouts.in_network &&
				    network_contains_range(network, &whereabouts.range))
			return policy->networks[i].name;
	}
	return NULL;
}

static const char *rhythm(struct notice_values *values, const struct notice_known_device *device)
{
	enum notice_rhythm rhythm = notice_rhythm(device);

	return rhythm == RHYTHM_UNKNOWN ? NULL
					: notice_value_word(values, WORD_RHYTHM_ONCE + rhythm);
}

static const char *services(struct notice_values *values, const struct notice_device *device)
{
	GPtrArray *list = g_ptr_array_new();
	const char *text;

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((device->services & SERVICE_BIT(service)) != 0)
			g_ptr_array_add(list, (gpointer)notice_value_word(
						      values, WORD_SERVICE_IMAP + service));
	}
	text = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return text;
}

/* What people are to set instead; 0 where texts do not say. */
static uint16_t right_port(const struct policy *policy, enum service service)
{
	const struct client_settings *settings = &policy->client_settings;

	switch (service) {
	case SERVICE_POP3:
		return policy_retires_service(policy, SERVICE_POP3) ? 0 : settings->pop3_port;
	case SERVICE_IMAP:
		return settings->imap_port;
	case SERVICE_SUBMISSION:
	case SERVICE_SMTP:
		return settings->smtp_port;
	case SERVICE_SIEVE:
	case SERVICE_COUNT:
		break;
	}
	return 0;
}

void device_values_set_sighting(struct notice_values *values,
				const struct notice_sighting *sighting)
{
	uint16_t right = right_port(values->policy, sighting->service);
	const char **texts = values->texts;

	texts[VALUE_SERVICE] = notice_value_word(values, WORD_SERVICE_IMAP + sighting->service);
	texts[VALUE_PORT] =
		sighting->port == 0 ? NULL : notice_value_number(values, sighting->port);
	texts[VALUE_ENCRYPTION] = notice_value_word(values, WORD_TLS_NONE + sighting->tls);
	texts[VALUE_OUTDATED] = sighting->tls == TLS_NONE ? NULL : "yes";
	texts[VALUE_MECHANISM] = mechanism(values, sighting->mechanism);
	texts[VALUE_COUNTRY] = notice_value_country(values, sighting->country);
	texts[VALUE_NETWORK] = network(values, sighting);
	texts[VALUE_RIGHT_PORT] = right == 0 ? NULL : notice_value_number(values, right);
	texts[VALUE_RIGHT_ENCRYPTION] = right == 0 ? NULL : notice_value_encryption(values, right);
}

static bool is_one_service(const struct notice_device *device)
{
	return (device->services & (device->services - 1)) == 0;
}

void device_values_set(struct notice_values *values, const struct notice_device *device)
{
	const struct notice_known_device *known = device->known;
	const struct notice_sighting *sighting = device->sighting;
	const char **texts = values->texts;

	device_values_set_sighting(values, sighting);
	texts[VALUE_PROGRAM] = device->program != NULL
				       ? device->program
				       : notice_value_word(values, WORD_PROGRAM_UNKNOWN);
	texts[VALUE_NAMELESS] = device->program == NULL ? "yes" : NULL;
	texts[VALUE_SERVICE] = services(values, device);
	if (device->country_count > 1)
		texts[VALUE_COUNTRY] =
			notice_value_countries(values, device->countries, device->country_count);
	texts[VALUE_SEVERAL_SERVICES] = is_one_service(device) ? NULL : "yes";
	texts[VALUE_RHYTHM] = rhythm(values, known);
	texts[VALUE_FIRST_SEEN] =
		date_midnight(known->first_seen, 0) == date_midnight(sighting->last_seen, 0)
			? NULL
			: notice_value_day(values, known->first_seen);
	texts[VALUE_LAST_SEEN] = notice_value_moment(values, sighting->last_seen);
	texts[VALUE_ADDRESS] = client_address(values, sighting->client);
	texts[VALUE_REFUSED] = device->refused_on != 0 ? "yes" : NULL;
}

void device_values_set_abroad(struct notice_values *values, const struct notice_sighting *sighting)
{
	const char **texts = values->texts;

	texts[VALUE_ABROAD_COUNTRY] = notice_value_country(values, sighting->country);
	texts[VALUE_ABROAD_SEEN] = notice_value_moment(values, sighting->last_seen);
	texts[VALUE_ABROAD_ADDRESS] = client_address(values, sighting->client);
}

void device_values_save(const struct notice_values *values, struct device_values *saved_r)
{
	memcpy(saved_r->texts, &values->texts[VALUE_PROGRAM], sizeof(saved_r->texts));
}

void device_values_restore(struct notice_values *values, const struct device_values *saved)
{
	memcpy(&values->texts[VALUE_PROGRAM], saved->texts, sizeof(saved->texts));
}
