#include "config-value.h"

#include <stdlib.h>
#include <string.h>

int config_value_keep(cfg_t *section, cfg_opt_t *option, const char *text, void *value_r)
{
	size_t size = strlen(text) + 1;
	struct config_value *value = malloc(sizeof(*value) + size);

	(void)option;
	if (value == NULL) {
		cfg_error(section, "out of memory");
		return -1;
	}
	value->line = (unsigned int)section->line;
	memcpy(value->text, text, size);
	*(void **)value_r = value;
	return 0;
}

const struct config_value *config_value(cfg_t *section, const char *key, unsigned int index)
{
	return cfg_opt_getnptr(cfg_getopt(section, key), index);
}

static unsigned int key_line(const struct config_reader *reader, cfg_t *section, const char *key)
{
	const char *title = cfg_title(section);
	/* libconfuse calls the top of the file "root". */
	const char *name = strcmp(cfg_name(section), "root") == 0 ? "" : cfg_name(section);

	return config_outline_line(reader->outline, name, title == NULL ? "" : title, key);
}

bool config_is_set(const struct config_reader *reader, cfg_t *section, const char *key)
{
	return key_line(reader, section, key) > 0;
}

unsigned int config_line(const struct config_reader *reader, cfg_t *section, const char *key)
{
	unsigned int line = key_line(reader, section, key);

	return line > 0 ? line : key_line(reader, section, NULL);
}

bool config_list_is_empty(struct config_reader *reader, cfg_t *section, const char *key)
{
	if (!config_is_set(reader, section, key) || cfg_size(section, key) > 0)
		return false;
	config_error(reader->problems, config_line(reader, section, key), "'%s' is an empty list",
		     key);
	return true;
}

bool config_default_ports(struct config_reader *reader, const uint16_t *ports, size_t count,
			  uint16_t **ports_r, size_t *count_r)
{
	uint16_t *copy = calloc(count, sizeof(*copy));

	if (copy == NULL) {
		config_out_of_memory(reader->problems);
		return false;
	}
	memcpy(copy, ports, count * sizeof(*copy));
	*ports_r = copy;
	*count_r = count;
	return true;
}

void config_read_ports(struct config_reader *reader, cfg_t *section, const char *key,
		       uint16_t **ports_r, size_t *count_r)
{
	unsigned int count = cfg_size(section, key);
	size_t kept = 0;
	uint16_t *ports;

	if (config_list_is_empty(reader, section, key) || count == 0)
		return;
	ports = calloc(count, sizeof(*ports));
	if (ports == NULL) {
		config_out_of_memory(reader->problems);
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		const struct config_value *value = config_value(section, key, i);

		if (port_parse(value->text, &ports[kept]))
			kept++;
		else
			config_error(reader->problems, value->line,
				     "%s: '%s' is no port (1 to 65535)", key, value->text);
	}
	free(*ports_r);
	*ports_r = ports;
	*count_r = kept;
}

void config_read_addresses(struct config_reader *reader, cfg_t *section, const char *key,
			   struct network *network)
{
	for (unsigned int i = 0; i < cfg_size(section, key); i++) {
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

void config_read_networks(struct config_reader *reader, cfg_t *section, const char *key,
			  struct network *network)
{
	for (unsigned int i = 0; i < cfg_size(section, key); i++) {
		const struct config_value *value = config_value(section, key, i);
		const struct named_network *named = find_network(reader->policy, value->text);

		if (named == NULL)
			config_error(reader->problems, value->line, "%s: no network is called '%s'",
				     key, value->text);
		else if (!network_add_all(network, &named->network))
			config_out_of_memory(reader->problems);
	}
	network_seal(network);
}

bool config_title_is_valid(const char *title)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.";
	size_t length = strlen(title);

	return length > 0 && length <= 64 && strspn(title, allowed) == length;
}
