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

/* The functions below report what is wrong with a value, and leave it out. */

/* The usual ports, at least one, when the key is not set. The caller frees *ports_r,
   which stays as it was when memory is short. */
void config_read_ports(struct config_reader *reader, const struct config_section *section,
		       const char *key, const uint16_t *usual, size_t usual_count,
		       uint16_t **ports_r, size_t *count_r);

/* Adds addresses and prefixes to a network, and seals it. */
void config_read_addresses(struct config_reader *reader, const struct config_section *section,
			   const char *key, struct network *network);
/* Adds networks of the policy by their names. They have been read before. */
void config_read_networks(struct config_reader *reader, const struct config_section *section,
			  const char *key, struct network *network);

/* Reads a whole number up to a maximum. False, and *number_r as it was, when it is none. */
bool config_number_parse(const char *text, unsigned long maximum, unsigned int *number_r);

/* True for letters, digits, '-', '_' and '.', at most 64 of them: titles stand
   in exemptions, log lines and the journal without quotes. */
bool config_title_is_valid(const char *title);

#endif
