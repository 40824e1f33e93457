#ifndef PORTCULLIS_KEPT_EDITION_H
#define PORTCULLIS_KEPT_EDITION_H

#include "judge.h"

/* A policy, exemptions, grace or database, shared by editions. Only the thread that
   makes editions counts and frees. */
struct part {
	unsigned int references;
	void (*free)(void *value);
	void *value;
	struct part *next_outlived; /* of those that nothing new rests on; see edition-maker.h */
};

/* Each takes the value over; NULL when that is NULL, or out of memory. */
struct part *part_of_policy(struct policy *policy);
struct part *part_of_exemptions(struct exemptions *exemptions);
struct part *part_of_countries(struct country_database *countries);

/* One more reference. part may be NULL. */
struct part *part_share(struct part *part);
void part_release(struct part *part);

/* An edition, with what it rests on. */
struct kept_edition {
	struct edition edition; /* first, so that a pointer to it is one to us */
	struct part *policy;
	struct part *exemptions;           /* NULL: none */
	struct part *grace;                /* NULL: none */
	struct part *countries;            /* NULL: none */
	struct kept_edition *next_retired; /* of those done with; see edition-handover.h */
};

/* Takes over one reference of each part; also when it fails: NULL, out of memory. */
struct kept_edition *kept_edition_new(struct part *policy, struct part *exemptions,
				      struct part *grace, struct part *countries);
void kept_edition_free(struct kept_edition *kept);

#endif
