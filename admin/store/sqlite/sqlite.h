#ifndef PORTCULLIS_SQLITE_H
#define PORTCULLIS_SQLITE_H

#include <glib.h>
#include <sqlite3.h>

#include "admin/store/id-cache.h"
#include "admin/store/store-activity.h"
#include "admin/store/store-admin.h"
#include "admin/store/store-backend.h"

/* What the parts of the SQLite store share. Each calls only those that stand above
   it here; open.c knows them all. */

struct store_sqlite {
	struct store store;
	sqlite3 *database;
	GHashTable *statements; /* by the address of their text */

	/* What dictionaries.c found out in the transaction that writes. */
	struct id_cache *habit_ids, *rule_set_ids;
	int64_t unverified_users; /* -1: not counted yet */
	int64_t habits_stored;    /* -1: not counted yet */
};

static inline struct store_sqlite *store_sqlite(struct store *store)
{
	return (struct store_sqlite *)store;
}

/* ---- sqlite.c: statements, failures, transactions ---- */

/* The statement, ready to be bound; prepared at first use, and kept. sql is static:
   its address is what it is found by. NULL, with the failure noted, when it cannot be
   prepared: it may be bound, stepped, run and reset all the same, which then fails. */
sqlite3_stmt *store_sqlite_statement(struct store *store, const char *sql);

/* Runs a statement that gives no rows, and resets it. */
bool store_sqlite_run(struct store *store, sqlite3_stmt *statement);

/* Runs SQL that gives no rows, with up to two numbers: ?1 and ?2. */
bool store_sqlite_run_with(struct store *store, const char *sql, int64_t first, int64_t second);

/* Runs an INSERT, and resets it. */
bool store_sqlite_insert(struct store *store, sqlite3_stmt *statement, int64_t *id_r);

/* How many rows the last statement that ran changed. */
int64_t store_sqlite_changes(struct store *store);

/* Steps: 1 there is a row, 0 there is none (then it is reset), -1 failure. */
int store_sqlite_step(struct store *store, sqlite3_stmt *statement);

/* Reads the one number that a statement gives, and resets it: 1 read, 0 there is no
   row, -1 failure. */
int store_sqlite_number(struct store *store, sqlite3_stmt *statement, int64_t *number_r);

/* Runs SQL that needs nothing bound and runs seldom; several statements if need be. */
bool store_sqlite_execute(struct store *store, const char *sql);

/* Notes what SQLite says. Returns false. */
bool store_sqlite_failed(struct store *store);

/* text stays until the statement is run or reset; NULL is SQL's. */
void store_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text);

/* The week in which a row of sightings was last seen, as store_week() counts them. */
#define STORE_SQLITE_WEEK "((last_seen + 259200000) / 604800000)"

/* "" for NULL; lives until the next step. */
const char *store_sqlite_column_text(sqlite3_stmt *statement, int column);

/* A number from 0 to limit - 1; 0 for any other, which stands only in a store that
   someone has written to by hand. */
int store_sqlite_column_below(sqlite3_stmt *statement, int column, int limit);

bool store_sqlite_begin(struct store *store);
bool store_sqlite_begin_view(struct store *store); /* begin_reading without dictionaries */
bool store_sqlite_commit(struct store *store);
void store_sqlite_rollback(struct store *store);

/* ---- dictionaries.c: what has an id ---- */

/* The id of what is added where it is missing, between begin and commit. */
bool store_sqlite_rule_set_id(struct store *store, const struct store_rule_set *set, int64_t *id_r);

/* Adds nothing: 1 found, 0 there is none, -1 failure. With another client_id than the
   habit's, as below. */
int store_sqlite_find_habit(struct store *store, const struct store_habit *habit,
			    const char *client_id, int64_t *id_r);

/* With another client_id than the habit's. One that is not verified, and one too
   many, is taken for the habit with client_id "". */
bool store_sqlite_habit_id(struct store *store, const struct store_habit *habit,
			   const char *client_id, bool verified, int64_t *id_r);

struct store_sqlite_user {
	int64_t id;
	bool verified;
	struct store_presence presence;
};

/* STORE_NOBODY where it is not verified, and one too many. */
bool store_sqlite_user(struct store *store, const char *name, bool verified,
		       struct store_sqlite_user *user_r);

/* Adds nothing: 1 found, 0 there is none, -1 failure. */
int store_sqlite_find_user(struct store *store, const char *name, struct store_sqlite_user *user_r);

/* Fills store->dictionaries. */
bool store_sqlite_load_dictionaries(struct store *store);

/* Whether a better record has what a log told: 1 it has, 0 not, -1 failure. mechanism: the id
   of its text. */
int store_sqlite_is_covered(struct store *store, const struct store_sighting *sighting);

/* ---- activity.c: when users came ---- */

/* The aggregate function joined_weeks(last_seen, weeks): what rows have, counted back from the
   last of all. */
bool store_sqlite_add_functions(struct store *store);

/* A condition: a sighting says that its user came, since ?2; see store_is_presence(). */
#define STORE_SQLITE_CAME                                                                          \
	"verified AND last_seen >= ?2 AND NOT EXISTS (SELECT 1 FROM habits"                        \
	" JOIN strings ON strings.id = mechanism WHERE habits.id = habit"                          \
	" AND text = 'ANONYMOUS' COLLATE NOCASE)"

/* Sets what users have of when they came to what their sightings say. As a condition: which
   users, by a number ?1; sightings that were not seen since ?2 are left out. */
#define STORE_SQLITE_RECKON(condition)                                                             \
	"UPDATE users SET (last_day, weeks) = (SELECT coalesce(max(last_seen) / 86400000, 0),"     \
	" coalesce(joined_weeks(last_seen, weeks), 0) FROM sightings WHERE user = users.id"        \
	" AND " STORE_SQLITE_CAME ")"                                                              \
	" WHERE " condition
bool store_sqlite_reckon_user(struct store *store, int64_t user);

/* Notes that somebody came: of a sighting that was added to this user. */
bool store_sqlite_note_presence(struct store *store, struct store_sqlite_user *user,
				const struct store_sighting *sighting);

/* ---- the functions of struct store_backend ---- */

/* activity.c */
bool store_sqlite_count_activity(struct store *store, int64_t since, int64_t week,
				 struct store_activity *activity_r);

/* add.c */
bool store_sqlite_add(struct store *store, const struct store_sighting *sighting);
bool store_sqlite_settle(struct store *store, int64_t before, bool *more_r);
bool store_sqlite_add_day(struct store *store, const struct store_day *day);
bool store_sqlite_confirm_days(struct store *store, int64_t first, int64_t last);
bool store_sqlite_add_writer(struct store *store, const struct store_writer *writer);
bool store_sqlite_add_totals(struct store *store, const struct store_totals *totals);
bool store_sqlite_put_file(struct store *store, struct store_file *file);
bool store_sqlite_drop_file(struct store *store, int64_t id);

/* servers.c */
bool store_sqlite_find_server(struct store *store, struct store_server *server);
bool store_sqlite_note_tls(struct store *store, int64_t server, enum service service, int64_t time);
bool store_sqlite_cover(struct store *store, int64_t server, int64_t first, int64_t last);

/* logs.c */
bool store_sqlite_each_log(struct store *store, store_visit_log *visit, void *context);
bool store_sqlite_put_log(struct store *store, struct store_log *log);
bool store_sqlite_log_state(struct store *store, struct store_log_state *state_r);
bool store_sqlite_put_log_state(struct store *store, const struct store_log_state *state);
bool store_sqlite_each_log_service(struct store *store, store_visit_log_service *visit,
				   void *context);
bool store_sqlite_put_log_service(struct store *store, const struct store_log_service *service);
bool store_sqlite_each_log_connection(struct store *store, store_visit_log_connection *visit,
				      void *context);
bool store_sqlite_drop_log_connections(struct store *store);
bool store_sqlite_add_log_connection(struct store *store,
				     const struct store_log_connection *connection);

/* whereabouts.c */
bool store_sqlite_note_whereabouts(struct store *store, int64_t definition,
				   store_find_whereabouts *find, void *context);

/* people.c */

/* Where people come from, each in the order of their ids. */
enum people_source { PEOPLE_BROKEN, PEOPLE_SUSPECT, PEOPLE_TOLD, PEOPLE_SOURCE_COUNT };

/* Those whom a filter chooses for what they did, one by one in the order of their ids. */
struct store_sqlite_people {
	sqlite3_stmt *rows[PEOPLE_SOURCE_COUNT]; /* NULL: it is not asked for, or at its end */
};
bool store_sqlite_people_begin(struct store *store, const struct store_filter *filter,
			       struct store_sqlite_people *people_r);
/* 1 there is one, 0 no more, -1 failure. */
int store_sqlite_people_next(struct store *store, struct store_sqlite_people *people,
			     int64_t *user_r);
void store_sqlite_people_end(struct store_sqlite_people *people);

/* read.c */
bool store_sqlite_begin_reading(struct store *store);
bool store_sqlite_each_sighting(struct store *store, const struct store_filter *filter,
				store_visit_sighting *visit, void *context);
bool store_sqlite_each_day(struct store *store, int64_t since_day, store_visit_day *visit,
			   void *context);
bool store_sqlite_each_writer(struct store *store, store_visit_writer *visit, void *context);
bool store_sqlite_totals(struct store *store, struct store_totals *totals_r);
bool store_sqlite_each_file(struct store *store, store_visit_file *visit, void *context);

/* hosts.c */
bool store_sqlite_each_host(struct store *store, store_visit_host *visit, void *context);
bool store_sqlite_put_host(struct store *store, const struct store_host *host);
bool store_sqlite_forget_host(struct store *store, const char *name, bool *found_r);
bool store_sqlite_clock(struct store *store, int64_t *now_r);

/* notices.c */
bool store_sqlite_put_notice(struct store *store, struct store_notice *notice);
bool store_sqlite_each_notice(struct store *store, const char *user, store_visit_notice *visit,
			      void *context);
bool store_sqlite_find_notice(struct store *store, const char *message_id,
			      store_visit_notice *visit, void *context);
bool store_sqlite_fail_notice(struct store *store, int64_t id, int64_t now, const char *error);
bool store_sqlite_count_notices(struct store *store, int64_t after, int64_t until,
				uint64_t *count_r);

/* shared.c */
bool store_sqlite_shared_version(struct store *store, enum store_text which, int64_t *version_r);
bool store_sqlite_read_shared(struct store *store, enum store_text which,
			      struct store_shared *shared_r);
bool store_sqlite_put_shared(struct store *store, enum store_text which,
			     const struct store_shared *shared, bool *put_r);
bool store_sqlite_take_in(struct store *store, const struct store_shared *shared,
			  enum store_taking *taking_r);

/* future.c */
bool store_sqlite_correct_future(struct store *store, int64_t now);

/* privacy.c */
bool store_sqlite_expire(struct store *store, const struct store_expiry *expiry, int64_t now);
bool store_sqlite_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
			      bool *found_r);
bool store_sqlite_forget(struct store *store, const char *user, int64_t before, bool *found_r,
			 bool *wiped_r);

/* check.c: as store_check() */
bool store_sqlite_check(const char *uri, struct store_check *check_r, store_find *find,
			void *context, struct store_failure *failure_r);

/* copy.c */
bool store_sqlite_read_table(struct store *store, enum store_table table, store_visit_row *visit,
			     void *context);
bool store_sqlite_count_table(struct store *store, enum store_table table, int64_t *count_r);
bool store_sqlite_write_row(struct store *store, enum store_table table,
			    const struct store_value values[]);
bool store_sqlite_end_copy(struct store *store);

#endif
