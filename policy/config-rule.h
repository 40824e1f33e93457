#ifndef PORTCULLIS_CONFIG_RULE_H
#define PORTCULLIS_CONFIG_RULE_H

#include "config-value.h"

/* The options of a rule { } section, for libconfuse. */
extern cfg_opt_t config_rule_options[];

/* Reads a section into an empty rule and reports what is wrong with it. What
   the rule refers to (networks, help-url) has been read before. */
void config_rule_read(struct config_reader *reader, cfg_t *section, struct rule *rule);

#endif
