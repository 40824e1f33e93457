#ifndef PORTCULLIS_NAME_BUDGET_H
#define PORTCULLIS_NAME_BUDGET_H

#include <stdbool.h>
#include <time.h>

/* How many of those whose password was not right are told of by name in a minute: anyone
   can invent names. Zeroed at first; for one thread. */
struct name_budget {
	time_t minute; /* monotonic */
	unsigned int spent;
};

/* Whether one more is to be told of by name. */
bool name_budget_allows(struct name_budget *budget, unsigned int per_minute);

/* One was. */
void name_budget_spend(struct name_budget *budget);

/* For how long what is told without a name is combined, where others are for
   combine_seconds: a minute at least, else it would be no less. */
time_t nameless_seconds(time_t combine_seconds);

#endif
