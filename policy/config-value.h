#ifndef PORTCULLIS_CONFIG_VALUE_H
#define PORTCULLIS_CONFIG_VALUE_H

#include "config-problems.h"
#include "config-tree.h"
#include "policy.h"

/* What is needed to read values into a policy. */
struct config_reader {
	struct config_problems *problems;
	const struct config_section *top;
	struct policy *policy;
};

/* Reports a list that is set but empty, and returns true then. */
bool config_list_is_empty(struct config_reader *reader, const struct config_section *section,
			  const char *key);

/* The functions below report what is wrong with a value, and leave their result
   as it was when the key is not set or wrong. */

void config_read_ports(struct config_reader *reader, const struct config_section *section,
		       const char *key, uint16_t **ports_r, size_t *count_r);
/* The policy's default when the key is not set. */
bool config_default_ports(struct config_reader *reader, const uint16_t *ports, size_t count,
			  uint16_t **ports_r, size_t *count_r);

/* Addresses and prefixes. */
void config_read_addresses(struct config_reader *reader, const struct config_section *section,
			   const char *key, struct network *network);
/* Names of networks of the policy, which have been read before. */
void config_read_networks(struct config_reader *reader, const struct config_section *section,
			  const char *key, struct network *network);

/* True for letters, digits, '-', '_' and '.', at most 64 of them: titles stand
   in exemptions, log lines and the journal without quotes. */
bool config_title_is_valid(const char *title);

#endif
