#ifndef PORTCULLIS_FORECAST_COUNT_H
#define PORTCULLIS_FORECAST_COUNT_H

#include <glib.h>

#include "admin/sightings/sighting-judge.h"

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
	uint64_t users;      /* who break it */
	uint64_t locked_out; /* of them, who have no other way */
};

/* People who proved to be who they are, and what would become of them. */
struct forecast {
	uint64_t active_users; /* seen lately */
	uint64_t fine;
	uint64_t locked_out; /* in every way that they use */
	uint64_t partly;     /* some way still works */
	uint64_t changed;    /* of the fine ones, who would not have been before */
	uint64_t told;       /* got a notice of the rules that are asked */
	/* Of them, who were seen since, and what would be rejected was not: since they
	   were told, or for NOTICE_QUIET_DAYS. */
	uint64_t told_changed;
	struct forecast_rule rules[RULES_MAX];
	GArray *services, *programs, *countries; /* of struct forecast_group */
	struct forecast_week weeks[FORECAST_WEEKS];
};

/* Counts what is stored; reference and since, in milliseconds, say what lately is.
   False when the store fails. Free it also then. */
bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t reference, int64_t since);
void forecast_free(struct forecast *forecast);

#endif
