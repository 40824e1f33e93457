#include "config-value.h"

#include <stdlib.h>
#include <string.h>

bool config_list_is_empty(struct config_reader *reader, const struct config_section *section,
			  const char *key)
{
	const struct config_key *found = config_find_key(section, key);

	if (found->line == 0 || found->malformed || found->value_count > 0)
		return false;
	config_error(reader->problems, config_line(section, key), "'%s' is an empty list", key);
	return true;
}

void config_read_ports(struct config_reader *reader, const struct config_section *section,
		       const char *key, const uint16_t *usual, size_t usual_count,
		       uint16_t **ports_r, size_t *count_r)
{
	size_t count = config_value_count(section, key);
	uint16_t *ports = calloc(usual_count + count, sizeof(*ports));
	size_t kept = 0;

	config_list_is_empty(reader, section, key);
	if (ports == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	if (!config_is_set(section, key)) {
		memcpy(ports, usual, usual_count * sizeof(*ports));
		kept = usual_count;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, key, i);

		if (port_parse(value->text, &ports[kept]))
			kept++;
		else
			config_error(reader->problems, value->line,
				     "%s: '%s' is not a port (1 to 65535)", key, value->text);
	}
	*ports_r = ports;
	*count_r = kept;
}

void config_read_addresses(struct config_reader *reader, const struct config_section *section,
			   const char *key, struct network *network)
{
	for (size_t i = 0; i < config_value_count(section, key); i++) {
		const struct config_value *value = config_value(section, key, i);
		struct address_range range;
		const char *error;

		if (!address_range_parse(value->text, &range, &error))
			config_error(reader->problems, value->line, "%s: '%s': %s", key,
				     value->text, error);
		else if (!network_add(network, &range))
			config_out_of_memory(reader->problems);
	}
	network_seal(network);
}

static const struct named_network *find_network(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->network_count; i++) {
		if (strcmp(policy->networks[i].name, name) == 0)
			return &policy->networks[i];
	}
	return NULL;
}

void config_read_networks(struct config_reader *reader, const struct config_section *section,
			  const char *key, struct network *network)
{
	for (size_t i = 0; i < config_value_count(section, key); i++) {
		const struct config_value *value = config_value(section, key, i);
		const struct named_network *named = find_network(reader->policy, value->text);

		if (named == NULL && reader->top->malformed)
			continue; /* it may be what could not be read */
		if (named == NULL)
			config_error(reader->problems, value->line, "%s: no network is called '%s'",
				     key, value->text);
		else if (!network_add_all(network, &named->network))
			config_out_of_memory(reader->problems);
	}
	network_seal(network);
}

bool config_number_parse(const char *text, unsigned long maximum, unsigned int *number_r)
{
	unsigned long number = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (unsigned long)(*text - '0');
		if (number > maximum)
			return false;
	}
	*number_r = (unsigned int)number;
	return true;
}

bool config_title_is_valid(const char *title)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.";
	size_t length = strlen(title);

	return length > 0 && length <= 64 && strspn(title, allowed) == length;
}
