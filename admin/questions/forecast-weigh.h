#ifndef PORTCULLIS_FORECAST_WEIGH_H
#define PORTCULLIS_FORECAST_WEIGH_H

#include "forecast-count.h"
#include "forecast-people.h"

/* Adds to a forecast what is to be expected of people who broke a rule. enforced: a bit for each
   rule that rejects. */
void forecast_weigh(struct forecast *forecast, const struct affected_people *people,
		    uint64_t enforced);

#endif
