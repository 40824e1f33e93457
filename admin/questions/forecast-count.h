#ifndef PORTCULLIS_FORECAST_COUNT_H
#define PORTCULLIS_FORECAST_COUNT_H

#include <glib.h>

#include "admin/sightings/sighting-judge.h"
#include "inquiry.h"

/* The week of the reference and those before it. */
#define FORECAST_WEEKS 8

/* How many users would be rejected in one service, with one program, and so on. */
struct forecast_group {
	char *name;
	uint64_t users;
	int64_t last_user; /* who was counted last */
};

struct forecast_week {
	uint64_t active_users;
	uint64_t affected; /* tried something that would be rejected */
};

struct forecast_rule {
	bool considered;
	enum phase phase;    /* that it is judged by */
	uint64_t users;      /* who break it */
	uint64_t locked_out; /* of them, who have no other way */
};

/* People who proved to be who they are, and what would become of them. */
struct forecast {
	time_t at;                /* the moment whose exemptions count */
	int64_t reference, since; /* what lately is, in milliseconds */
	uint64_t active_users;    /* seen lately */
	uint64_t fine;
	uint64_t locked_out; /* in every way that they use */
	uint64_t partly;     /* some way still works */
	uint64_t changed;    /* of the fine ones, who would not have been before */
	uint64_t told;       /* got a notice of the rules that are asked */
	/* Of them, who were seen since, and what would be rejected was not: since they
	   were told, or for NOTICE_QUIET_DAYS. */
	uint64_t told_changed;
	struct forecast_rule rules[RULES_MAX];   /* by index in the policy */
	GArray *services, *programs, *countries; /* of struct forecast_group */
	struct forecast_week weeks[FORECAST_WEEKS];
};

/* Forecasts for one rule or, when it is NULL, all: as they stand at a moment or, when that
   is 0, as if all were enforced now. since: where lately begins; SCHEDULE_NEVER: 30
   days before the reference. False when the store fails. Free it also then. */
bool forecast_ask(struct forecast *forecast_r, const struct inquiry *inquiry,
		  const struct rule *rule, time_t at, time_t since);
void forecast_free(struct forecast *forecast);

/* Counts what is stored; notices that are ahead of now do not count. False when the store
   fails. Free it also then. */
bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t now, int64_t reference,
		    int64_t since);

#endif
