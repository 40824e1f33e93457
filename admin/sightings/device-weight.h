#ifndef PORTCULLIS_DEVICE_WEIGHT_H
#define PORTCULLIS_DEVICE_WEIGHT_H

#include "device.h"

/* The *weight* of a device that broke a rule is how likely it is to come again in that way
   ever, if nobody changes anything any more. One that is in use has 1, and one that was
   repaired 0. One that rests has the less the more days there were on which it would have
   come by its own rhythm, and the more of its like were given up in these weeks: repaired,
   replaced, or not used any more.

   Nobody says that a device is given up. How many were, week by week and for each rule, is
   reckoned from all devices: it is the number with which what is recorded is the most
   likely. Devices that were refused are reckoned apart, for people act on that. */
struct device_weights;

/* What is to be known of a device for that. */
struct device_rest {
	int32_t last_day;        /* since 1970, UTC */
	uint16_t span;           /* days from the first day of use to the last */
	uint16_t gaps;           /* between its days of use: one less than there are */
	uint16_t days;           /* it rests since then */
	uint16_t seen_days;      /* of these, on which it would have been recorded */
	uint16_t until_repaired; /* days from the last of use to the repair; 0: none is known */
	uint8_t rule;            /* its index; those of this rule are given up as it is, */
	bool refused;            /* of them, those that were refused since its date, or were not */
};

/* now: the moment up to which sightings are known, in milliseconds. NULL when the store
   fails. */
struct device_weights *device_weights_create(const struct policy *policy, struct store *store,
					     int64_t now);
void device_weights_free(struct device_weights *weights);

/* record: of the rule alone, which was broken. */
struct device_rest device_rest_of(const struct device_weights *weights,
				  const struct device_record *record, const struct rule *rule);

/* All are to be added, each once, and then reckoned with, before the first one is weighed. */
void device_weights_add(struct device_weights *weights, const struct device_rest *rest);
void device_weights_reckon(struct device_weights *weights);

/* haste: 1, or how many times as many devices are given up as was reckoned. */
double device_weight(const struct device_weights *weights, const struct device_rest *rest,
		     double haste);

/* Which part of those that break a rule will still do so at a later moment, if it goes on like
   this and people act because they are told of the rule alone, or because they are refused. As
   many are given up as in the last four weeks of that, and the fewer the longer it is, for most
   act soon. Where nobody was told or refused yet, it will be as with the other rules; of refusals
   by none so far, half of the people act within three days. */
double device_weights_left(const struct device_weights *weights, const struct rule *rule,
			   bool refused, int64_t moment);

#endif
