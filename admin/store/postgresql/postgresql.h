#ifndef PORTCULLIS_POSTGRESQL_H
#define PORTCULLIS_POSTGRESQL_H

#include "admin/store/store-backend.h"
#include "ahead.h"
#include "parameters.h"
#include "second-view.h"

/* What the parts of the store on PostgreSQL share. Each calls only those that stand above it
   here; module.c knows them all.

   Many hosts write to it at the same time. What each of them counts stands under its own name,
   and is added up when it is read: no importer waits for another one's. Sightings, users and
   the dictionaries are everybody's; rows of them are written sorted by their keys, so that
   nobody waits for who waits for him. */

struct batch;
struct copy_rows;
struct last_look;

/* What somebody will ask for in a visit, read for all people of some rows at once. */
struct notices_ahead {
	const PGresult *rows; /* sightings; NULL: none are visited */
	int column;           /* of their names */
	char *before;         /* the last name of the rows before: it may only end with these */
	PGresult *notices;    /* NULL: not read yet */
	GHashTable *places;   /* by name: the first of its notices + 1; 0 there is none */
	bool asked;           /* for any, since the first rows */
};

enum transaction { TRANSACTION_NONE, TRANSACTION_READING, TRANSACTION_WRITING };

struct store_postgresql {
	struct store store;
	char *uri;
	enum store_access access;
	PGconn *connection; /* NULL: there is none yet, or none any more */
	PGconn *lock;       /* holds that of the notices; NULL: it is not held */
	bool is_new;        /* the connection: what fails on it is not tried on another one */
	enum transaction transaction;

	/* Of the transaction that writes. */
	struct batch *batch;           /* what is to be sent; batch.c */
	GHashTable *positions;         /* of files and logs, as they were read; positions.c */
	GHashTable *coverage;          /* of better witnesses, by server; coverage.c */
	GHashTable *known_ways;        /* of the gates; NULL: not read yet */
	GArray *covers;                /* what is covered, to be sent; servers.c */
	struct last_look *last_look;   /* what to look at before it ends */
	GArray *days, *writers;        /* to be sent; books.c */
	GHashTable *servers;           /* that were found; servers.c */
	struct parameters services;    /* of logs, to be sent; joins.c */
	struct parameters connections; /* likewise */
	int connection_count;          /* added since they were dropped */
	GHashTable *orders;            /* NULL: not read yet; orders.c */
	struct copy_rows *copy;        /* NULL: there are none to be sent; copy.c */

	struct ahead ahead;           /* what the connection works on */
	struct second_view second;    /* of what the transaction sees */
	struct notices_ahead notices; /* of those whose sightings come; notices-ahead.c */
	bool dictionaries_locked;     /* against removal, until it ends */
};

static inline struct store_postgresql *store_postgresql(struct store *store)
{
	return (struct store_postgresql *)store;
}

#define POSTGRESQL_SCHEMA_VERSION 1

/* ---- failure.c ---- */

/* Notes what the server or the connection says. Returns false. */
bool postgresql_failed(struct store *store, const PGresult *result);
/* Of another connection than the store's. */
bool postgresql_connection_failed(struct store *store, const PGconn *connection,
				  const PGresult *result);
/* The same of a connection that could not be made. state: by which the server refused it; "":
   none did. */
void postgresql_refused(struct store *store, const char *state, const char *reason);

/* ---- connect.c ---- */

/* Makes a connection of the URI, which the caller finishes. NULL, with the failure noted. */
PGconn *postgresql_open(struct store *store);

/* Begins to make another connection to the same server, which the caller finishes. */
PGconn *postgresql_start_another(struct store *store);

/* Goes on with one; next: PGRES_POLLING_WRITING at first, what this gave afterwards. Waits until
   that time of g_get_monotonic_time() for its end, be it good or bad; 0: not at all. */
PostgresPollingStatusType postgresql_go_on(PGconn *connection, PostgresPollingStatusType next,
					   int64_t until);

/* What libpq says of a URI, without what it shows of it, which may be the password; the caller
   frees it. */
char *postgresql_uri_reason(const char *error);

/* ---- connection.c: statements and transactions ---- */

/* Connects where there is no connection, and looks at the schema's version unless any is
   welcome. A transaction does not outlive its connection. */
bool postgresql_connect(struct store *store, bool any_version);
void postgresql_disconnect(struct store *store);

/* The rows of a statement, which the caller clears; NULL, with the failure noted. The
   parameters are cleared; NULL: there are none. */
PGresult *postgresql_query(struct store *store, const char *sql, struct parameters *parameters);

/* The same of one that goes through a whole table: several of the server's processes may. In a
   transaction. */
PGresult *postgresql_query_with_workers(struct store *store, const char *sql,
					struct parameters *parameters);

/* The same in parts, for up to AHEAD_MAX statements: the server works on them while this process
   does something else, and drains now and then. Whatever is asked for otherwise waits for all of
   them. */
bool postgresql_ask_ahead(struct store *store, const char *sql, struct parameters *parameters);
bool postgresql_send_ahead(struct store *store);
void postgresql_drain_ahead(struct store *store);
PGresult *postgresql_answer_ahead(struct store *store);
/* Nobody wants the rest of the answers. */
void postgresql_end_ahead(struct store *store);

/* The same without rows. */
bool postgresql_run(struct store *store, const char *sql, struct parameters *parameters);
/* *changed_r: how many rows it changed. */
bool postgresql_change(struct store *store, const char *sql, struct parameters *parameters,
		       int64_t *changed_r);

/* Reads the one number that a statement gives: 1 read, 0 there is no row, -1 failure. */
int postgresql_number(struct store *store, const char *sql, struct parameters *parameters,
		      int64_t *number_r);
/* The same of a row that is there unless somebody has removed it: that is a failure, too. */
bool postgresql_number_of_row(struct store *store, const char *sql, struct parameters *parameters,
			      int64_t *number_r);

/* SQL without parameters; several statements if need be. */
bool postgresql_execute(struct store *store, const char *sql);

bool postgresql_begin(struct store *store);
/* For what records nothing, so that nobody who forgets a user need wait for it. */
bool postgresql_begin_upkeep(struct store *store);
/* Once nobody records anything any more, until it ends. */
bool postgresql_begin_forgetting(struct store *store);
bool postgresql_begin_view(struct store *store); /* begin_reading without dictionaries */
/* SQL by which another connection sees what this view sees, as long as it lasts; the caller frees
   it. NULL, with the failure noted. */
char *postgresql_begin_same_view(struct store *store);
bool postgresql_commit(struct store *store);
void postgresql_rollback(struct store *store);

/* What advisory locks are for; all until the end of a transaction. The hosts have numbers of
   their own. */
enum lock { LOCK_SCHEMA, LOCK_DICTIONARIES, LOCK_EXPIRY, LOCK_NOTICES, LOCK_ORDERS, LOCK_COVERAGE };
#define LOCK_CLASS "1347699532" /* "PTCL" */
/* Waits until nobody else has it, shared or not. */
bool postgresql_lock(struct store *store, enum lock which);

/* From now on until the end of the transaction, nobody removes users, habits, rule sets or
   servers that nothing refers to yet. */
bool postgresql_keep_dictionaries(struct store *store);

/* SQL for the column broken of a sighting. */
#define IS_BROKEN(rules)                                                                           \
	"(" rules " <> coalesce((SELECT id FROM portcullis.rule_sets WHERE text = ''), 0))"

/* ---- expiry.c ---- */

/* Whether this role may: 1 yes, 0 no, -1 failure. */
int postgresql_may_delete(struct store *store);

/* ---- schema.c ---- */

bool postgresql_create(const char *uri, struct store_failure *failure_r);
bool postgresql_upgrade(const char *uri, struct store_failure *failure_r);

/* ---- orders.c ---- */

/* Before what time of this machine's all about a user is to be forgotten: 1 there is such an
   order, 0 there is none, -1 failure. Between begin and commit. */
int postgresql_find_order(struct store *store, const char *user, int64_t *before_r);

/* Between postgresql_begin_forgetting() and commit, as of store_forget(). */
bool postgresql_order(struct store *store, const char *user, int64_t before);

/* Nobody waits for that host any more. Between begin and commit. */
bool postgresql_end_orders_of(struct store *store, const char *host);

/* ---- coverage.c ---- */

/* Whether a better record has what a log told, as far as it was sent: 1 it has, 0 not, -1
   failure. */
int postgresql_is_covered(struct store *store, const struct store_sighting *sighting);

/* ---- batch.c, batch-flush.c: what is collected until it is sent ---- */

struct batch *batch_create(void);
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);

/* Sends what is collected. What that makes of it is in batch-flush.c. */
bool postgresql_flush(struct store *store);

/* ---- servers.c ---- */

GArray *postgresql_covers_create(void);
/* Sends what was covered since, and removes what that covers. */
bool postgresql_send_covers(struct store *store);
/* Only where it is by better witnesses than this server. */
bool postgresql_send_covers_of(struct store *store, int64_t server);

/* ---- second-view.c ---- */

/* Begins to make a second view of what this transaction sees, for one more process of the server
   to work for it. Nobody waits for it, and nothing is lost with it: where there is no connection
   to be had, or it ends, the caller asks as without it. False only when the transaction fails. */
bool postgresql_open_second(struct store *store);
/* Goes on with it. */
bool postgresql_second_is_ready(struct store *store);
void postgresql_close_second(struct store *store);

/* As postgresql_ask_ahead() and so on, once it is ready; false and NULL, without a failure: it has
   ended. */
bool postgresql_ask_second(struct store *store, const char *sql, struct parameters *parameters);
bool postgresql_send_second(struct store *store);
PGresult *postgresql_answer_second(struct store *store);

/* ---- notices-ahead.c ---- */

#define NOTICE_COLUMNS                                                                             \
	"user_name, recipient, message_id, reason, rules, state, intended, settled, attempts,"     \
	" error, dates"

/* What another host has in hand is left to it for so long: a mail may take its time, and to note
   what came of it, too, when the server is away meanwhile. */
#define IN_HAND                                                                                    \
	"CASE WHEN in_hand_of <> ''"                                                               \
	" AND clock_timestamp() - in_hand_since < interval '30 minutes' THEN in_hand_of END"
#define NOTICE_READ_COLUMNS NOTICE_COLUMNS ", " IN_HAND

/* rows: sightings that are to be visited, or whose they are, with the name in this column; they
   stay until the next ones, or NULL, come. */
void postgresql_notices_of(struct store *store, const PGresult *rows, int column);

/* No more rows come. */
void postgresql_notices_end(struct store *store);

/* Whether such were asked for. Then those of later rows can be asked for ahead by this question,
   with these parameters, and belong to the store once the rows are visited. before: the rows
   before them; NULL: there are none. */
bool postgresql_notices_are_wanted(struct store *store);
extern const char postgresql_notices_question[];
struct parameters postgresql_notices_parameters(const PGresult *before, const PGresult *rows,
						int column);
void postgresql_notices_take(struct store *store, PGresult *notices);

/* The notices of somebody of whom rows are visited: *count_r of them from *first_r on in what is
   returned, which belongs to the store; in the order of ids. NULL: of him they are to be asked
   for by themselves. */
const PGresult *postgresql_notices_ahead(struct store *store, const char *user, int *first_r,
					 int *count_r);

/* ---- the functions of struct store_backend ---- */

/* batch.c */
bool postgresql_add(struct store *store, const struct store_sighting *sighting);

/* books.c */
GArray *postgresql_writers_create(void);
/* Sends days and writers that wait for it. */
bool postgresql_send_books(struct store *store);
bool postgresql_each_day(struct store *store, int64_t since_day, store_visit_day *visit,
			 void *context);
bool postgresql_add_day(struct store *store, const struct store_day *day);
bool postgresql_confirm_days(struct store *store, int64_t first, int64_t last);
bool postgresql_each_writer(struct store *store, store_visit_writer *visit, void *context);
bool postgresql_add_writer(struct store *store, const struct store_writer *writer);
bool postgresql_totals(struct store *store, struct store_totals *totals_r);
bool postgresql_add_totals(struct store *store, const struct store_totals *totals);

/* hosts.c */
bool postgresql_each_host(struct store *store, store_visit_host *visit, void *context);
bool postgresql_put_host(struct store *store, const struct store_host *host);
bool postgresql_forget_host(struct store *store, const char *name, bool *found_r);
bool postgresql_clock(struct store *store, int64_t *now_r);

/* positions.c */
GHashTable *postgresql_positions_create(void);
bool postgresql_each_file(struct store *store, store_visit_file *visit, void *context);
bool postgresql_put_file(struct store *store, struct store_file *file);
bool postgresql_drop_file(struct store *store, int64_t id);
bool postgresql_refuse_foreign_file(struct store *store, uint64_t inode,
				    store_is_same_file *is_same, void *context);
bool postgresql_each_log(struct store *store, store_visit_log *visit, void *context);
bool postgresql_put_log(struct store *store, struct store_log *log);
bool postgresql_refuse_foreign_log(struct store *store, uint64_t inode, store_is_same_log *is_same,
				   void *context);

/* servers.c */
bool postgresql_find_server(struct store *store, struct store_server *server);
bool postgresql_note_tls(struct store *store, int64_t server, enum service service, int64_t time);
bool postgresql_cover(struct store *store, int64_t server, int64_t first, int64_t last);
bool postgresql_settle(struct store *store, int64_t before, bool *more_r);

/* joins.c */
bool postgresql_send_connections(struct store *store);
bool postgresql_log_state(struct store *store, struct store_log_state *state_r);
bool postgresql_put_log_state(struct store *store, const struct store_log_state *state);
bool postgresql_each_log_service(struct store *store, store_visit_log_service *visit,
				 void *context);
bool postgresql_put_log_service(struct store *store, const struct store_log_service *service);
bool postgresql_each_log_connection(struct store *store, store_visit_log_connection *visit,
				    void *context);
bool postgresql_drop_log_connections(struct store *store);
bool postgresql_add_log_connection(struct store *store,
				   const struct store_log_connection *connection);

/* read.c */
bool postgresql_begin_reading(struct store *store);
bool postgresql_each_sighting(struct store *store, const struct store_filter *filter,
			      store_visit_sighting *visit, void *context);

/* activity.c */
bool postgresql_count_activity(struct store *store, int64_t since, int64_t week,
			       struct store_activity *activity_r);

/* notices.c */
bool postgresql_put_notice(struct store *store, struct store_notice *notice);
bool postgresql_each_notice(struct store *store, const char *user, store_visit_notice *visit,
			    void *context);
bool postgresql_find_notice(struct store *store, const char *message_id, store_visit_notice *visit,
			    void *context);
bool postgresql_fail_notice(struct store *store, int64_t id, int64_t now, const char *error);
bool postgresql_count_notices(struct store *store, int64_t after, int64_t until, uint64_t *count_r);

/* notifier.c */
bool postgresql_lock_notices(struct store *store, bool *locked_r, struct store_notifier *other_r);
bool postgresql_holds_notices(struct store *store);

/* shared.c */
bool postgresql_shared_version(struct store *store, enum store_text which, int64_t *version_r);
bool postgresql_read_shared(struct store *store, enum store_text which,
			    struct store_shared *shared_r);
bool postgresql_put_shared(struct store *store, enum store_text which,
			   const struct store_shared *shared, bool *put_r);
bool postgresql_take_in(struct store *store, const struct store_shared *shared,
			enum store_taking *taking_r);

/* whereabouts.c, future.c */
bool postgresql_note_whereabouts(struct store *store, int64_t definition,
				 store_find_whereabouts *find, void *context);
bool postgresql_correct_future(struct store *store, int64_t now);

/* expiry.c, privacy.c */
bool postgresql_expire(struct store *store, const struct store_expiry *expiry, int64_t now);
bool postgresql_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
			    bool *found_r);
bool postgresql_forget(struct store *store, const char *user, int64_t before, bool *found_r,
		       bool *wiped_r);

/* orders.c */
bool postgresql_each_order(struct store *store, store_visit_order *visit, void *context);
bool postgresql_answer_order(struct store *store, int64_t id);

/* copy.c */
bool postgresql_read_table(struct store *store, enum store_table table, store_visit_row *visit,
			   void *context);
bool postgresql_count_table(struct store *store, enum store_table table, int64_t *count_r);
bool postgresql_write_row(struct store *store, enum store_table table,
			  const struct store_value values[]);
bool postgresql_end_copy(struct store *store);
void postgresql_copy_free(struct copy_rows *rows);

#endif
