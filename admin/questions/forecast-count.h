#ifndef PORTCULLIS_FORECAST_COUNT_H
#define PORTCULLIS_FORECAST_COUNT_H

#include <glib.h>

#include "admin/sightings/sighting-judge.h"
#include "forecast-groups.h"
#include "inquiry.h"
#include "rule-history.h"

/* The week of the reference and those before it. */
#define FORECAST_WEEKS STORE_ACTIVITY_WEEKS

struct forecast_week {
	uint64_t active_users;
	uint64_t affected; /* tried something that would be rejected */
};

struct forecast_rule {
	bool considered;
	bool untold;       /* of all that it is about, the records do not tell what it asks for */
	enum phase phase;  /* that it is judged by */
	double users;      /* who break it */
	double locked_out; /* of them, who have no other way */
};

/* A date to come. */
struct forecast_date {
	time_t date;
	uint64_t rules; /* which are enforced from then on */
	double users;   /* who will break any that are considered, if it goes on like this */
};

/* On fewer days than that not even those have come who do so once a week. */
#define FORECAST_DAYS_MIN 14

/* People who proved to be who they are, and what would become of them. Nobody knows of a
   device that rests whether it comes again, so a person is counted with the highest weight
   of a device (device-weight.h): numbers are what is to be expected. */
struct forecast {
	time_t at;                /* the moment whose exemptions count */
	int64_t reference, since; /* what lately is, in milliseconds */
	int64_t days_recorded;    /* to the reference */
	double active_users;      /* seen lately, or to come again all the same */
	double locked_out;        /* in every way that they use */
	double partly;            /* some way still works */
	/* Between which both of them lie together, nine times of ten: if half or twice as many
	   devices were given up as it seems, and by chance. */
	double low, high;
	double changed;       /* who are fine, and would not have been before */
	uint64_t told;        /* got a notice of the rules that are asked, and were seen lately */
	double told_changed;  /* of them */
	double told_affected; /* who got one, and are not fine */
	struct forecast_rule rules[RULES_MAX]; /* by index in the policy */
	/* In their order; none for a moment other than the present, or while it is not known. */
	struct forecast_date course[RULES_MAX];
	size_t course_count;
	bool course_known; /* people were told of some rule for a week, and may have acted */
	struct forecast_groups groups;
	struct forecast_week weeks[FORECAST_WEEKS];
};

/* Forecasts for one rule or, when it is NULL, all: as they stand at a moment or, when that
   is 0, as if all were enforced now. since: where lately begins, and what was not used
   since does not count; SCHEDULE_NEVER: 30 days before the reference, and all does. False
   when the store fails. Free it also then. */
bool forecast_ask(struct forecast *forecast_r, const struct inquiry *inquiry,
		  const struct rule *rule, time_t at, time_t since);
/* Somebody else who wants to see sightings, of offenders and of others. */
struct forecast_company {
	const struct store_filter *filter;
	void (*visit)(void *context, const struct store_sighting *sighting);
	void *context;
};

/* The same as if all rules were enforced now, of those users alone who were recorded breaking
   some, with the histories of all rules; now: in milliseconds. company: NULL, or who shares what
   is read. */
bool forecast_offenders(struct forecast *forecast_r, struct rule_history histories_r[RULES_MAX],
			const struct inquiry *inquiry, int64_t now,
			const struct forecast_company *company);

/* As if the rules were all in force that are in their notify or enforce phase at a moment, and
   there were no others. The store must be being read. */
bool forecast_open(struct forecast *forecast_r, struct store *store, const struct edition *edition,
		   time_t now);
void forecast_free(struct forecast *forecast);

/* The nearest whole number of people. */
uint64_t forecast_people(double expected);

/* The same of a store; notices that are ahead of now, in milliseconds, do not count.
   histories: NULL; otherwise, they are added to, and only of offenders, as above. */
bool forecast_count(struct forecast *forecast_r, struct store *store,
		    const struct sighting_judge *judge, int64_t now, int64_t reference,
		    time_t since, struct rule_histories *histories);

#endif
