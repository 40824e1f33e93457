#ifndef PORTCULLIS_NOTICE_VALUES_H
#define PORTCULLIS_NOTICE_VALUES_H

#include <glib.h>

#include "notice-texts.h"

/* Values for the placeholders, in one language: what mails and the public page
   have in common. */
struct notice_values {
	struct text_source source; /* first: the source's select() gets this */
	const struct policy *policy;
	const struct text_language *language;
	GStringChunk *memory; /* of the values of one mail or page */
	time_t now;
};

void notice_values_init(struct notice_values *values, const struct policy *policy,
			const struct text_language *language);
void notice_values_clear(struct notice_values *values);

/* Forgets all values, and sets those that concern the whole site. */
void notice_values_begin(struct notice_values *values, time_t now);

/* Sets what {each rule} shows. enforce is the date for the reader, services are
   the SERVICE_BIT()s to name. */
void notice_values_set_rule(struct notice_values *values, const struct rule *rule, time_t enforce);
void notice_values_set_brownout(struct notice_values *values, const struct brownout *brownout);

/* The functions below return text that lives until the next begin; NULL or ""
   when there is nothing to say. */

const char *notice_value_keep(struct notice_values *values, const char *text);
/* A word with the values that are set. */
const char *notice_value_word(struct notice_values *values, enum word word);
/* The day, and the time of day unless it is midnight. */
const char *notice_value_date(struct notice_values *values, time_t time);
const char *notice_value_moment(struct notice_values *values, time_t time);
const char *notice_value_number(struct notice_values *values, size_t number);
/* The country's name in the language. */
const char *notice_value_country(struct notice_values *values, struct country country);

#endif
