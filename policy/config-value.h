#ifndef PORTCULLIS_CONFIG_VALUE_H
#define PORTCULLIS_CONFIG_VALUE_H

#include "config-outline.h"

/* A value as it stands in the file. */
struct config_value {
	unsigned int line;
	char text[];
};

/* Entries for tables of options: every value comes as a struct config_value. */
#define CONFIG_VALUE(name) CFG_PTR_CB(name, NULL, CFGF_NODEFAULT, config_value_keep, free)
#define CONFIG_LIST(name) CFG_PTR_LIST_CB(name, NULL, CFGF_NODEFAULT, config_value_keep, free)

/* libconfuse's callback that makes them. */
int config_value_keep(cfg_t *section, cfg_opt_t *option, const char *text, void *value_r);

/* What is needed to read values into a policy. */
struct config_reader {
	struct config_problems *problems;
	const struct config_outline *outline;
	struct policy *policy;
};

/* NULL when the key is not set, or set to less values. */
const struct config_value *config_value(cfg_t *section, const char *key, unsigned int index);

/* The line where a key stands, or where its section does. */
unsigned int config_line(const struct config_reader *reader, cfg_t *section, const char *key);
bool config_is_set(const struct config_reader *reader, cfg_t *section, const char *key);

/* Reports a list that is set but empty, and returns true then. */
bool config_list_is_empty(struct config_reader *reader, cfg_t *section, const char *key);

/* The functions below report what is wrong with a value, and leave their result
   as it was when the key is not set or wrong. */

void config_read_ports(struct config_reader *reader, cfg_t *section, const char *key,
		       uint16_t **ports_r, size_t *count_r);
/* The policy's default when the key is not set. */
bool config_default_ports(struct config_reader *reader, const uint16_t *ports, size_t count,
			  uint16_t **ports_r, size_t *count_r);

/* Addresses and prefixes. */
void config_read_addresses(struct config_reader *reader, cfg_t *section, const char *key,
			   struct network *network);
/* Names of networks of the policy, which have been read before. */
void config_read_networks(struct config_reader *reader, cfg_t *section, const char *key,
			  struct network *network);

/* True for letters, digits, '-', '_' and '.', at most 64 of them: titles stand
   in exemptions, log lines and the journal without quotes. */
bool config_title_is_valid(const char *title);

#endif
