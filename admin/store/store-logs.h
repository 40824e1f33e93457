#ifndef PORTCULLIS_STORE_LOGS_H
#define PORTCULLIS_STORE_LOGS_H

#include "store.h"

/* What mail logs told, and how far they are read: the part of the store that an import of logs
   needs besides store.h.

   A login may be recorded by the gate or the policy daemon, and stand in a log file, and in
   the systemd journal. It counts by the best of these *witnesses*, in this order, in whichever
   order they come. Nobody can tell one login from another, since the servers combine theirs,
   and record one that breaks nothing once a day; what can be told is when a witness was there:

   - A witness *covers* the time from its first line on a day to its last one, from midnight
     where it was there within a week before; and what comes within STORE_COVER_TAIL behind a
     line, or within a day for what breaks nothing.
   - What a log tells of that time is not added. What it told before that was known, waits
     apart by server and day for STORE_SETTLE_DAYS, and is removed when the day's uses of a way
     reach into the time that is covered, but not from before it to behind it: there may be
     none within. So a way counts once a day.
   - A service, mechanism, or port of Postfix's that no server ever recorded is not covered: it
     may be one that they do not see (GSSAPI, a service without the gate, or one that does not
     ask the daemon).
   - A version of TLS that breaks a rule stays: the gate cannot know it.

   Of a gate that was removed, the log counts from a day on after its last line; and what comes
   later than STORE_SETTLE_DAYS behind the log counts besides it. */

#define STORE_COVER_TAIL (INT64_C(15) * 60 * 1000)
#define STORE_SETTLE_DAYS 3

enum store_witness {
	WITNESS_SERVER, /* the gate, or the policy daemon */
	WITNESS_FILE,
	WITNESS_JOURNAL, /* systemd's */
};

/* One server, as one witness knows it. Hosts are the same if one is the other's first label. */
struct store_server {
	int64_t id;
	const char *host; /* in small letters */
	enum source source;
	enum store_witness witness;
	/* Since when its log has named TLS of a service, as far as it is imported. */
	int64_t names_tls[SERVICE_COUNT];
};

#define STORE_NEVER INT64_MAX

/* Finds or adds the server of a host, source and witness; sets id and names_tls. There are only
   so many of logs; any further one is that without a name. */
bool store_find_server(struct store *store, struct store_server *server);
/* It named TLS of that service then, which is earlier than what is known. */
bool store_note_tls(struct store *store, int64_t server, enum service service, int64_t time);

/* It told of logins from the one time to the other. Removes what waits and is covered by it. */
bool store_cover(struct store *store, int64_t server, int64_t first, int64_t last);

/* Takes what waits of days before that one (days since 1970) to all the rest: so much that a
   transaction is short. *more_r: there is more. */
bool store_settle(struct store *store, int64_t before, bool *more_r);

/* How far a log is read. A file is known by what it begins with, unpacked, and by what stands
   before the position, whatever it is called. */
#define STORE_LOG_HEADS 5
struct store_log {
	int64_t id;                      /* 0: not stored yet */
	const char *name;                /* the last one that it had; "journal" systemd's */
	uint64_t heads[STORE_LOG_HEADS]; /* hashes of its first bytes; 0: it was shorter */
	uint64_t tail;                   /* of those before the position */
	uint64_t position;               /* read up to here, in unpacked bytes */
	const char *cursor;              /* systemd's place in its journal */
	/* As of log_years_place(). */
	int year;
	int64_t place;
	/* The file as it was when all of it was read, as file-stamp.h has it. */
	uint64_t device, inode, size;
	int64_t changed; /* in nanoseconds */
	int64_t touched; /* when this was last changed: no line counts as later by a day */
};
typedef bool store_visit_log(void *context, const struct store_log *log);
/* In the order in which they came. */
bool store_each_log(struct store *store, store_visit_log *visit, void *context);
/* Inserts (and sets id) or updates. */
bool store_put_log(struct store *store, struct store_log *log);

/* As store_refuse_foreign_file(), for logs; inode 0: systemd's journal. */
typedef bool store_is_same_log(void *context, const struct store_log *log);
bool store_refuse_foreign_log(struct store *store, uint64_t inode, store_is_same_log *is_same,
			      void *context);

/* Of what is joined over lines. */
struct store_log_state {
	int64_t change; /* another one after each change by somebody else */
	uint64_t seed;  /* of keys; 0: none yet */
};
bool store_log_state(struct store *store, struct store_log_state *state_r);
bool store_put_log_state(struct store *store, const struct store_log_state *state);

/* What is known of a service of Postfix's. */
struct store_log_service {
	const char *host, *program;
	bool logs_tls, wraps;
};
typedef bool store_visit_log_service(void *context, const struct store_log_service *service);
bool store_each_log_service(struct store *store, store_visit_log_service *visit, void *context);
/* Adds to what is known of it. Of more than STORE_LOG_SERVICES nothing is kept. */
#define STORE_LOG_SERVICES 2048
bool store_put_log_service(struct store *store, const struct store_log_service *service);

/* A connection that had not ended at the position, with one of its logins or none; it may
   have several rows, in their order. */
struct store_log_connection {
	uint64_t key;
	const char *host, *program;
	int64_t heard; /* the time of its last line */
	enum tls_version tls_version;
	unsigned int tls; /* what lines told of TLS, a bit each; see smtpd-connections.h */
	const char *user; /* NULL: no login */
	int64_t time;
	uint32_t count;
	bool verified, before_tls;
	const char *client, *mechanism;
};
typedef bool store_visit_log_connection(void *context,
					const struct store_log_connection *connection);
bool store_each_log_connection(struct store *store, store_visit_log_connection *visit,
			       void *context);
bool store_drop_log_connections(struct store *store);
bool store_add_log_connection(struct store *store, const struct store_log_connection *connection);

#endif
