#ifndef PORTCULLIS_NOTICE_VALUES_H
#define PORTCULLIS_NOTICE_VALUES_H

#include <glib.h>

#include "notice-texts.h"

/* Values for the placeholders, in one language: what mails and the public page
   have in common. */
struct notice_values {
	struct text_source source;      /* first: its select() gets it */
	const char *texts[VALUE_COUNT]; /* the source's */
	const struct policy *policy;
	const struct text_language *language;
	GStringChunk *memory; /* of the values of one mail or page */
	time_t now;
};

/* As text_source has it; loop is an enum each. */
typedef bool notice_select(struct text_source *source, unsigned int loop, size_t turn);

/* Policy and language are borrowed. It must stay where it is. */
void notice_values_init(struct notice_values *values, const struct policy *policy,
			const struct text_language *language, notice_select *select);
void notice_values_clear(struct notice_values *values);

/* Forgets all values, and sets those that concern the whole site. What is past and what
   is to come goes by now. */
void notice_values_begin(struct notice_values *values, time_t now);

/* Sets what {each rule} shows. enforce is the date for the reader: SCHEDULE_NEVER, there
   is none yet; SCHEDULE_ALWAYS, it has been so all along. The rule's title is borrowed
   until the next begin. */
void notice_values_set_rule(struct notice_values *values, const struct rule *rule, time_t enforce);
/* {brownout-day} and {brownout-hours} have no value for one that goes past midnight. */
void notice_values_set_brownout(struct notice_values *values, const struct brownout *brownout);

/* The functions below return text that lives until the next begin. */

/* A copy; NULL of NULL. */
const char *notice_value_keep(struct notice_values *values, const char *text);
/* A word with the values that are set; it may be "". */
const char *notice_value_word(struct notice_values *values, enum word word);
/* The day, and the time of day unless it is midnight. With SCHEDULE_ALWAYS the word for
   that; NULL with SCHEDULE_NEVER. */
const char *notice_value_date(struct notice_values *values, time_t time);
/* The day and the time of day; NULL with SCHEDULE_ALWAYS and SCHEDULE_NEVER. */
const char *notice_value_moment(struct notice_values *values, time_t time);
/* The day alone. */
const char *notice_value_day(struct notice_values *values, time_t time);
/* The hours of a brown-out that does not go past midnight; NULL of another one. */
const char *notice_value_hours(struct notice_values *values, const struct brownout *brownout);
const char *notice_value_number(struct notice_values *values, size_t number);
/* The country's name in the language, or its code where that is not known; NULL of none. */
const char *notice_value_country(struct notice_values *values, struct country country);
/* The names of several, as a list; "" of none. */
const char *notice_value_countries(struct notice_values *values, const struct country *countries,
				   size_t count);
/* "a, b and c", where the word is "and"; "" of none. The strings of the array are borrowed. */
const char *notice_value_list(struct notice_values *values, const GPtrArray *list, enum word word);
/* "SSL/TLS" or "STARTTLS", as programs call what a port wants. Static. */
const char *notice_value_encryption(const struct notice_values *values, uint16_t port);

#endif
