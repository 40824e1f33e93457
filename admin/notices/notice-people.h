#ifndef PORTCULLIS_NOTICE_PEOPLE_H
#define PORTCULLIS_NOTICE_PEOPLE_H

#include <glib.h>

#include "admin/wording/notice.h"
#include "notice-plan.h"
#include "policy/judge.h"

/* Goes through the store person by person, and plans what each is to be told. Only
   what came with a right password is looked at: anyone can type another's name. */
struct notice_people;

/* One of them. Everything is borrowed until the visit returns. */
struct notice_candidate {
	const char *user;
	int64_t user_id;
	struct notice_plan plan;
	struct notice_person person; /* of whom that is the plan */
	/* Of each of the person's ways: */
	const uint64_t *open; /* as in notice_plan() */
	const struct notice_sighting *sightings;
	/* What was intended and not settled: 0, or the id in the store. */
	int64_t intended_id;
	const char *intended_message_id;
	unsigned int intended_attempts;
	time_t attempted; /* the last of these */
	bool in_hand;     /* another host may be handing it over now */
	bool told;        /* of anything at any time */
	bool failed;      /* the last mail did */
};

/* What the edition consists of is borrowed. */
struct notice_people *notice_people_create(const struct edition *edition);
void notice_people_free(struct notice_people *people);

/* Begins to read the store, which is borrowed; store_commit() or store_rollback() ends
   it. False when the store fails. */
bool notice_people_begin(struct notice_people *people, struct store *store);

/* The same for a store that is being read already. */
void notice_people_join(struct notice_people *people, struct store *store);

/* Returns false to end the iteration, which is no failure. */
typedef bool notice_visit_candidate(void *context, const struct notice_candidate *candidate);

/* Visits those who were seen until now, and broke a rule, be it in force or not, or about
   whom there is a notice in the store. Needs notice_people_begin(). user: as
   user_normalise() has it; NULL for all. False when the store fails. */
bool notice_people_each(struct notice_people *people, const char *user, time_t now,
			notice_visit_candidate *visit, void *context);

/* The same in parts, for who reads the sightings for somebody else, too: those of the filter that
   starts it, which is valid until it is finished. read: all were taken, or one of them ended
   it. */
struct store_filter notice_people_start(struct notice_people *people, const char *user, time_t now,
					notice_visit_candidate *visit, void *context);
bool notice_people_take(struct notice_people *people, const struct store_sighting *sighting);
bool notice_people_finish(struct notice_people *people, bool read);

#endif
