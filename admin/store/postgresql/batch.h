#ifndef PORTCULLIS_POSTGRESQL_BATCH_H
#define PORTCULLIS_POSTGRESQL_BATCH_H

#include "admin/store/store-activity.h"
#include "postgresql.h"

/* What a transaction adds to the sightings, added up in memory in the order in which it came,
   so that it takes few round trips however many lines it is. */

/* What has an id in the database, by a text. */
struct batch_entry {
	char *text; /* NULL: nobody in particular, or known by its id alone */
	int64_t id; /* 0: there is none (yet) */
};

struct batch_user {
	struct batch_entry entry;
	bool verified;    /* he was, here */
	bool is_verified; /* as the database has it */
	/* Likewise: what is added of him here, and all with what the database has. */
	struct store_presence added, presence;
	bool is_present; /* the latter says something that the database does not have */
};

struct batch_habit {
	struct batch_entry entry;
	struct store_habit habit;
	char *mechanism, *client_id;
};

struct batch_rules {
	struct batch_entry entry;
};

struct batch_key {
	struct batch_user *user;
	struct batch_habit *habit;
	struct batch_rules *rules;
	bool verified;
	int64_t server, day; /* of a log, while better records may come; otherwise 0 */
};

struct batch_row {
	struct batch_key key;
	struct store_sighting sum; /* counts, times, weeks, days and version */
	char *client, *whereabouts;
	bool is_gone; /* it was added to another row, or covered */
};

/* Of one kind, in the order in which they came. */
struct batch_entries {
	GPtrArray *all;
	GHashTable *by_text, *by_id; /* the latter those that are known by nothing else */
};

struct batch {
	struct batch_entries users, habits, rules;
	GPtrArray *rows; /* in the order in which they came */
	GHashTable *rows_by_key;
	GArray *covered; /* keys of rows of the database that go, if they are there */
	struct batch_user *nobody;
	bool of_logs; /* the rows are of logs */
};

/* Each finds it, or adds it. */
struct batch_user *batch_user(struct batch *batch, const char *name, bool verified);
struct batch_habit *batch_habit(struct batch *batch, const struct store_habit *habit,
				const char *client_id);
struct batch_rules *batch_rules(struct batch *batch, const struct store_rule_set *rules);

/* The key of what has these ids in the database. */
struct batch_key batch_key_of_ids(struct batch *batch, int64_t user, bool verified, int64_t habit,
				  int64_t rules);

/* Adds to the row of the key, which is made where it is missing. */
struct batch_row *batch_add(struct batch *batch, const struct batch_key *key,
			    const struct store_sighting *sighting);

/* Takes the row out, and what the database has of it. */
void batch_cover(struct batch *batch, const struct batch_key *key);

/* Gives a row another key; there, it is added up. */
void batch_move(struct batch *batch, struct batch_row *row, const struct batch_key *key);

/* ---- batch-ids.c: what of it the database knows; each in few round trips ---- */

/* Sets the ids of users and rule sets, which are added where they are missing; a user who is
   one too many gets STORE_NOBODY. Sets those of habits that are there. */
bool batch_find_ids(struct store *store);

/* Tells the database which users were verified for the first time, and when they came. */
bool batch_note_users(struct store *store);

/* Adds these habits, which are missing. */
bool batch_add_habits(struct store *store, const GPtrArray *habits);

#endif
