#ifndef PORTCULLIS_NOTICE_BROWNOUTS_H
#define PORTCULLIS_NOTICE_BROWNOUTS_H

#include "notice-values.h"
#include "notice.h"

/* The brown-outs that a notice announces: those of one day, so that nobody has to be told of
   the others a few hours later. Arrays are of struct brownout, in the order of time. */

/* The rule that has the next one, or NULL. */
const struct notice_rule *next_brownout_rule(const struct notice *notice);

/* Whether one of a rule's begins on the day of that moment, and is not over. */
bool has_brownout_on_day(const struct notice_rule *rule, time_t day, time_t now);

/* Fills the array with the next one, and all that begin on the same day. */
void brownouts_of_next_day(GArray *brownouts, const struct notice *notice);

/* "from 10:00 to 12:00 and from 14:00 to 16:00"; NULL where one goes past midnight. */
const char *brownout_hours(struct notice_values *values, const GArray *brownouts);

#endif
