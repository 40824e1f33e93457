#ifndef PORTCULLIS_SURVEY_POLICY_H
#define PORTCULLIS_SURVEY_POLICY_H

#include "loaded-policy.h"

/* What a survey asks about without a portcullis.conf. */
struct survey_countries {
	const char *allowed;  /* "DE,AT"; NULL: countries are not asked about */
	const char *database; /* the file; NULL: none */
};

/* Whether there is a configuration: the file of CONFIG_DEFAULT_PATH may be missing, any other
   one was asked for. */
bool survey_has_config(const char *config_path);

/* The list of what operators retire, as a policy that only observes. The countries are checked;
   what is wrong goes to standard error, and makes it false. */
bool survey_policy_load(const struct survey_countries *countries, struct loaded_policy *loaded_r);

/* What a rule of that list would refuse, in words: "no TLS". Static. */
const char *survey_policy_refuses(const struct rule *rule);

#endif
