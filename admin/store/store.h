#ifndef PORTCULLIS_STORE_H
#define PORTCULLIS_STORE_H

#include "policy/edition.h"
#include "policy/policy.h"

/* What the journals told, aggregated: who reaches the mail in which way, and
   which rules that breaks. All SQL stands behind this interface; store-backend.h
   says how.

   A *habit* is a way of reaching the mail: source, service, port, TLS state,
   mechanism, country and client program. There are few, and many share them. A
   *rule set* is what a line of the journal says in "rules". A *sighting* of the
   store counts the lines of one user with one habit, one rule set and one
   answer to "was the password right".

   Times are milliseconds since 1970, UTC. What a function hands out belongs to the
   store. Functions return false when the store fails; store_failure() then says
   why. */
struct store;

#define MILLISECONDS_A_DAY INT64_C(86400000)

enum store_access {
	STORE_READ, /* for questions; the store must exist */
	STORE_WRITE /* for everything else; a missing store is made */
};

struct store_failure {
	int status;      /* of sysexits.h */
	bool again;      /* others were in the way: the same may well succeed at once */
	bool away;       /* the server of the store cannot be reached, or does not work now */
	char text[1024]; /* names the store; one line */
};

/* uri: as in portcullis.conf. host: of several hosts that share a store, the name of this one;
   NULL: as the machine is called. Brings a store of an older version up to date.
   NULL, with *failure_r set, when that fails; otherwise *failure_r is left alone. */
struct store *store_open(const char *uri, const char *host, enum store_access access,
			 struct store_failure *failure_r);
/* store: NULL is allowed. What is not committed is rolled back. */
void store_close(struct store *store);

/* The file of the store that a URI names, within it; NULL when it is on a server. */
const char *store_file_of(const char *uri);

/* Takes the files of a store from the group that may write to a directory, as
   file_keep_from_writers() of admin/files/file-group.h does. Not while this process has
   the store open: to close a file gives back all locks that the process has of it. */
void store_keep_from_writers(const char *uri, const char *directory);

/* The name of this host, of those that share the store. */
const char *store_host_name(const struct store *store);

/* Of the function that failed last; status 0 and no text before one did. */
const struct store_failure *store_failure(const struct store *store);

/* Everything between begin and commit happens, or nothing of it; also when the
   process or the machine dies. Waits for another writer, at most 10 seconds. A
   commit that fails has rolled back. Needs STORE_WRITE. */
bool store_begin(struct store *store);
bool store_commit(struct store *store);

/* Ends what was begun in either way, and does nothing where nothing was. The failure
   stays. */
void store_rollback(struct store *store);

/* A view that stays the same whatever others write, until store_commit() or
   store_rollback(). */
bool store_begin_reading(struct store *store);

/* ---- what is stored ---- */

struct store_habit {
	size_t index; /* 0 .. store_habit_count() - 1, of what was read: for tables
	                 of what was found out about each habit */
	enum source source;
	enum service service;
	enum tls_state tls;
	uint16_t port;
	struct country country; /* "" none, unknown */
	const char *mechanism;
	const char *client_id;        /* "" unknown, or one of too many */
	enum tls_version tls_version; /* where a log told it */
	bool of_log; /* a mail log told of it: what that does not say is not known */
};

struct store_broken_rule {
	char *title;
	enum phase phase; /* when it was recorded */
};

struct store_rule_set {
	size_t index; /* as for habits; see store_rule_set_count() */
	size_t rule_count;
	struct store_broken_rule *rules; /* sorted by title; none for a clean login */
};

struct store_sighting {
	int64_t user_id;
	/* NULL when not asked for, and for the people without a name, whose user_id
	   is STORE_NOBODY: of what is not verified, only so many names are kept (see
	   store-limits.h). "" is an attempt without login. */
	const char *user;
	bool verified; /* the password was right */
	const struct store_habit *habit;
	const struct store_rule_set *rules;
	uint64_t count;
	uint64_t rejected; /* of them */
	int64_t first_seen;
	int64_t last_seen;
	/* Bit i: seen in week store_week(last_seen) - i. */
	uint64_t weeks;
	/* Distinct days (UTC) on which it was seen, as far as they are known: of those that came
	   between others only one a week. At least 1, and at most those from first_seen to
	   last_seen. */
	uint64_t days;
	const char *last_client; /* "" erased, or unknown */
	/* What is kept of it when it is erased, in words of the caller's; "" never noted,
	   and NULL means the same. */
	const char *whereabouts;
	/* The version that TLS was older than; TLS_VERSION_UNKNOWN where none is known. */
	enum tls_version tls_below;
	/* What is added only: the id of the server in whose log it stood (store-logs.h), 0 for
	   what the server itself recorded; and whether no better record of it can come. */
	int64_t server;
	bool settled;
};

#define STORE_NOBODY 0

/* ---- questions ---- */

struct store_filter {
	const char *user; /* NULL: all */
	const char *rule; /* a title; NULL: all, the clean ones too */
	bool broken;      /* only what breaks a rule, whichever it is */
	bool offenders;   /* all of those users who broke one, with the right password */
	/* With offenders: and of those who came in one of these habits, by their indexes, or who
	   were told something. Others may come, too. */
	const bool *habits; /* NULL: none */
	bool told;
	int64_t since;             /* last_seen is this or later */
	bool verified, unverified; /* which of them */
	bool names;                /* fill in user, which is done anyway if it is given */
};

/* Return false to end the iteration, which is no failure. Strings and structs
   live until the visit returns; habits and rule sets until the store is closed or
   store_begin_reading() is called again. A visit may ask the store something else,
   but not what it is being asked. */
typedef bool store_visit_sighting(void *context, const struct store_sighting *sighting);

/* In the order of user_id: all of a user's sightings follow each other. Needs
   store_begin_reading(). */
bool store_each_sighting(struct store *store, const struct store_filter *filter,
			 store_visit_sighting *visit, void *context);

/* Habits and rule sets are held in memory from store_begin_reading() on, as they
   were then; before it there are none. */
size_t store_habit_count(const struct store *store);
const struct store_habit *store_habit(const struct store *store, size_t index);
size_t store_rule_set_count(const struct store *store);
const struct store_rule_set *store_rule_set(const struct store *store, size_t index);

/* How many people came: verified ones, but for those who did by ANONYMOUS alone. */
#define STORE_ACTIVITY_WEEKS 8
struct store_activity {
	uint64_t lately;                      /* at a given time or later */
	uint64_t weeks[STORE_ACTIVITY_WEEKS]; /* in the week so long before a given one */
};

/* week: as of store_week(). Needs store_begin_reading(), and may be called in a visit of
   something else. */
bool store_count_activity(struct store *store, int64_t since, int64_t week,
			  struct store_activity *activity_r);

/* What came on one day (UTC; days since 1970). */
struct store_day {
	int64_t day;
	uint64_t sightings;       /* of somebody, or from some address */
	uint64_t unknown_country; /* of them: from a client that should have one */
	uint64_t lines;
	uint64_t lost;      /* sightings that the servers could not write, as these lines tell */
	uint64_t set_aside; /* lines imported on that day that could not be understood */
	/* Which line its last one was, of all that were ever imported. */
	int64_t last_line;
	/* By store_confirm_newest(); store_add_day() leaves it as it is. */
	bool confirmed;
};
typedef bool store_visit_day(void *context, const struct store_day *day);
/* In the order of the days, from since_day on. */
bool store_each_day(struct store *store, int64_t since_day, store_visit_day *visit, void *context);

/* What came from one writer. */
struct store_writer {
	const char *host;
	enum source source;
	uint64_t lines;
	uint64_t lost;     /* sightings that it could not write */
	int64_t last_seen; /* the time of its latest line */
	/* The id of the edition in force then, and since when; "": it told of none. */
	char edition[EDITION_ID_SIZE];
	int64_t edition_since;
	/* The host whose import told it; NULL: the only one. What is added does not need it. */
	const char *importer;
};
typedef bool store_visit_writer(void *context, const struct store_writer *writer);
bool store_each_writer(struct store *store, store_visit_writer *visit, void *context);

/* What is dated so long after all that came before it may be of a clock that has jumped
   ahead, until lines of so many days say the same. */
#define STORE_LEAP (30 * MILLISECONDS_A_DAY)
#define STORE_CONFIRMING_DAYS 7

/* What the lines say of the time. */
struct store_newest {
	/* Of the newest line that can be relied on; 0: there is none. A day that comes
	   STORE_LEAP after the one before it, and what follows it, counts once lines of
	   STORE_CONFIRMING_DAYS days from it on have come since the last line of a day
	   before it, or if that was so once, as store_confirm_newest() has noted. The first
	   days count from the beginning. */
	int64_t time;
	/* There are so many days from the first that counts on. */
	bool confirmed;
};
bool store_newest(struct store *store, struct store_newest *newest_r);

/* Notes what store_newest() relies on, if it is confirmed: lines of long ago that come later
   shall not undo it. Between store_begin() and store_commit(). */
bool store_confirm_newest(struct store *store);

struct store_totals {
	int64_t last_import; /* 0: never */
	uint64_t lines;
	uint64_t lost;      /* sightings that the servers could not write */
	uint64_t set_aside; /* lines that could not be understood */
	/* As last_import, but of this host: several may share a store, and a clock of theirs may
	   be wrong. What is added does not need it. */
	int64_t own_import;
};
bool store_totals(struct store *store, struct store_totals *totals_r);

/* What the importer of a host told of it last. */
struct store_host {
	const char *name;
	/* Versions; NULL where there is none, or none that answers. */
	const char *portcullis, *dovecot, *postfix;
	/* The id of the edition that its files make, and since when (by the store's clock). */
	char edition[EDITION_ID_SIZE];
	int64_t edition_since;
	/* Of policy and exemptions alone, as far as they judge: the same on each host that
	   judges alike. */
	char policy[EDITION_ID_SIZE];
	int64_t country_database_built; /* 0: it has none */
	uint64_t backlog;               /* bytes of its journal that wait */
	int64_t backlog_since;          /* the oldest of them, at most; 0: none wait */
	int64_t clock_offset; /* milliseconds by which its clock is ahead of the store's */
	int64_t told;         /* when, by the store's clock */
};
typedef bool store_visit_host(void *context, const struct store_host *host);
/* In the order of their names. A store in a file has one. */
bool store_each_host(struct store *store, store_visit_host *visit, void *context);

/* Of this host: name, edition_since and told are the store's. Between store_begin() and
   store_commit(). */
bool store_put_host(struct store *store, const struct store_host *host);

/* Removes one that is gone for good from those that are known: nobody waits for it any more.
   What it has counted stays, and how far its files are read, in case that it comes back.
   *found_r: whether it was known. Begins and commits by itself. */
bool store_forget_host(struct store *store, const char *name, bool *found_r);

/* The clock that all hosts of a store share: that of its server, or this machine's. */
bool store_clock(struct store *store, int64_t *now_r);

/* ---- import; each between store_begin() and store_commit() ---- */

/* Adds to what is there, as far as store-limits.h lets it be told apart. user is NULL
   for nobody in particular, who is not verified; user_id, habit->index and rules->index are
   not used; rules must be sorted by title. weeks and days are those of what is added.
   Nothing is added of what a better record has (store-logs.h).
   last_client "": not known, which also replaces that of an earlier time, as whereabouts
   and tls_below do. */
bool store_add(struct store *store, const struct store_sighting *sighting);
/* last_line is counted from the lines in the totals on. */
bool store_add_day(struct store *store, const struct store_day *day);
bool store_add_writer(struct store *store, const struct store_writer *writer);
/* last_import is set, the others are added. */
bool store_add_totals(struct store *store, const struct store_totals *totals);

/* The whereabouts of a client; the text is the function's, until it is called again. */
typedef const char *store_find_whereabouts(void *context, const char *client);

/* Notes those of all clients that are still known, unless that was done for the same
   definition last. definition: a number for all that they depend on; not 0. Begins and
   commits by itself. */
bool store_note_whereabouts(struct store *store, int64_t definition, store_find_whereabouts *find,
			    void *context);

/* How far a journal file is imported. */
struct store_file {
	int64_t id; /* 0: not stored yet */
	char *name; /* in the journal's directory; as a string of a visit, or the caller's */
	uint64_t device, inode;
	/* A hash of its first head_length bytes: a file with the same inode may be a
	   new one. */
	uint64_t head;
	uint64_t head_length;
	uint64_t position; /* imported up to here */
	bool removed;      /* everything is imported, it is or will be removed */
	int64_t touched;   /* when this was last changed */
};
typedef bool store_visit_file(void *context, const struct store_file *file);
/* In the order in which they came. */
bool store_each_file(struct store *store, store_visit_file *visit, void *context);
/* Inserts (and sets id) or updates. */
bool store_put_file(struct store *store, struct store_file *file);
bool store_drop_file(struct store *store, int64_t id);

/* Whether a file is the one that another host has read. */
typedef bool store_is_same_file(void *context, const struct store_file *file);
/* Of a file that is to be stored: fails where one of this inode was read under another host's
   name, and is the same. This host was renamed then, or is a copy of that one, and its records
   would count twice. */
bool store_refuse_foreign_file(struct store *store, uint64_t inode, store_is_same_file *is_same,
			       void *context);

/* ---- privacy ---- */

struct store_expiry {
	int64_t keep_addresses; /* milliseconds */
	int64_t keep_sightings;
};

/* Erases what was last seen longer ago than keep_addresses: addresses, and names whose
   password nobody ever had; and longer ago than keep_sightings: sightings, days, writers
   and notices, with all that only they refer to. The last STORE_CONFIRMING_DAYS days with
   lines stay. A file that was removed is forgotten after 30 days. Does nothing when that
   was done with the same limits less than six hours before or after now. Begins and
   commits by itself. */
bool store_expire(struct store *store, const struct store_expiry *expiry, int64_t now);

/* Takes what is dated more than a day after now as of now, so that it expires like all
   else; but what a notice was settled at stays. Begins and commits by itself. */
bool store_correct_future(struct store *store, int64_t now);

/* Whether this role may erase; one that may not leaves it to others. 1 yes, 0 no, -1 failure. */
int store_may_erase(struct store *store);

/* Whether store_expire() would have something to erase or to remove. */
bool store_has_expired(struct store *store, const struct store_expiry *expiry, int64_t now,
		       bool *found_r);

/* Removes all about a user, what he was told, too; *found_r says whether there was
   anything. *wiped_r is false when its bytes are still in the store's files, because
   somebody reads them: then try again. Other hosts that share the store are left an order
   (store-orders.h), to forget what was before that time, by this machine's clock; one that
   was open already for the same user is taken back. Begins and commits by itself. */
bool store_forget(struct store *store, const char *user, int64_t before, bool *found_r,
		  bool *wiped_r);

#endif
