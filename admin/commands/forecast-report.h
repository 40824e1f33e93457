#ifndef PORTCULLIS_FORECAST_REPORT_H
#define PORTCULLIS_FORECAST_REPORT_H

#include "admin/questions/forecast-count.h"

/* Prints a forecast. one_rule: it was asked of one rule only; at: the moment that was asked
   about, 0: none. */
void forecast_print(const struct forecast *forecast, const struct policy *policy, bool one_rule,
		    time_t at);
void forecast_print_json(const struct forecast *forecast, const struct policy *policy);

/* A share in percent; 0 of nobody. */
double percent(uint64_t part, uint64_t whole);

struct forecast_figures {
	uint64_t active, fine, changed, told_changed;
	uint64_t affected, low, high; /* partly or wholly locked out */
	uint64_t locked_out, partly;
};

/* People as whole numbers, whose sums are right. */
struct forecast_figures forecast_figures(const struct forecast *forecast);

#endif
