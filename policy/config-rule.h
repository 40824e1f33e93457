#ifndef PORTCULLIS_CONFIG_RULE_H
#define PORTCULLIS_CONFIG_RULE_H

#include "config-value.h"

/* What may stand in a rule { } section. */
extern const struct config_option config_rule_options[];

/* Reads a section into an empty rule and reports what is wrong with it. What
   the rule refers to (networks, help-url) has been read before. */
void config_rule_read(struct config_reader *reader, const struct config_section *section,
		      struct rule *rule);

#endif
