#ifndef PORTCULLIS_STORE_BACKEND_H
#define PORTCULLIS_STORE_BACKEND_H

#include "store.h"
#include "store-copy.h"
#include "store-dictionaries.h"
#include "store-logs.h"
#include "store-notices.h"
#include "store-orders.h"
#include "store-shared.h"

/* A kind of store, as store_open() chooses it by the URI. Each function keeps what
   store.h and the headers beside it say of the one that is named like it. */
struct store_backend {
	void (*close)(struct store *store); /* never with NULL; ends with store_free() */

	bool (*begin)(struct store *store);
	bool (*begin_reading)(struct store *store); /* fills the dictionaries */
	bool (*commit)(struct store *store);
	void (*rollback)(struct store *store);

	bool (*each_sighting)(struct store *store, const struct store_filter *filter,
			      store_visit_sighting *visit, void *context);
	/* NULL: it has nothing better than to go through all sightings */
	bool (*count_activity)(struct store *store, int64_t since, int64_t week,
			       struct store_activity *activity_r);
	bool (*each_day)(struct store *store, int64_t since_day, store_visit_day *visit,
			 void *context);
	bool (*each_writer)(struct store *store, store_visit_writer *visit, void *context);
	bool (*totals)(struct store *store, struct store_totals *totals_r);

	bool (*each_host)(struct store *store, store_visit_host *visit, void *context);
	bool (*put_host)(struct store *store, const struct store_host *host);
	bool (*forget_host)(struct store *store, const char *name, bool *found_r);
	bool (*clock)(struct store *store, int64_t *now_r);

	bool (*add)(struct store *store, const struct store_sighting *sighting);
	bool (*add_day)(struct store *store, const struct store_day *day);
	bool (*confirm_days)(struct store *store, int64_t first, int64_t last);
	bool (*add_writer)(struct store *store, const struct store_writer *writer);
	bool (*add_totals)(struct store *store, const struct store_totals *totals);
	bool (*note_whereabouts)(struct store *store, int64_t definition,
				 store_find_whereabouts *find, void *context);

	bool (*each_file)(struct store *store, store_visit_file *visit, void *context);
	bool (*put_file)(struct store *store, struct store_file *file);
	bool (*drop_file)(struct store *store, int64_t id);
	/* NULL where all is of one host, as is refuse_foreign_log. */
	bool (*refuse_foreign_file)(struct store *store, uint64_t inode,
				    store_is_same_file *is_same, void *context);

	bool (*find_server)(struct store *store, struct store_server *server);
	bool (*note_tls)(struct store *store, int64_t server, enum service service, int64_t time);
	bool (*cover)(struct store *store, int64_t server, int64_t first, int64_t last);
	bool (*settle)(struct store *store, int64_t before, bool *more_r);
	bool (*each_log)(struct store *store, store_visit_log *visit, void *context);
	bool (*put_log)(struct store *store, struct store_log *log);
	bool (*refuse_foreign_log)(struct store *store, uint64_t inode, store_is_same_log *is_same,
				   void *context);
	bool (*log_state)(struct store *store, struct store_log_state *state_r);
	bool (*put_log_state)(struct store *store, const struct store_log_state *state);
	bool (*each_log_service)(struct store *store, store_visit_log_service *visit,
				 void *context);
	bool (*put_log_service)(struct store *store, const struct store_log_service *service);
	bool (*each_log_connection)(struct store *store, store_visit_log_connection *visit,
				    void *context);
	bool (*drop_log_connections)(struct store *store);
	bool (*add_log_connection)(struct store *store,
				   const struct store_log_connection *connection);

	bool (*put_notice)(struct store *store, struct store_notice *notice);
	bool (*each_notice)(struct store *store, const char *user, store_visit_notice *visit,
			    void *context);
	bool (*find_notice)(struct store *store, const char *message_id, store_visit_notice *visit,
			    void *context);
	bool (*fail_notice)(struct store *store, int64_t id, int64_t now, const char *error);
	bool (*count_notices)(struct store *store, int64_t after, int64_t until, uint64_t *count_r);
	/* NULL where there is no other host. */
	bool (*lock_notices)(struct store *store, bool *locked_r, struct store_notifier *other_r);
	bool (*holds_notices)(struct store *store);

	bool (*shared_version)(struct store *store, enum store_text which, int64_t *version_r);
	bool (*read_shared)(struct store *store, enum store_text which,
			    struct store_shared *shared_r);
	bool (*put_shared)(struct store *store, enum store_text which,
			   const struct store_shared *shared, bool *put_r);
	bool (*take_in)(struct store *store, const struct store_shared *shared,
			enum store_taking *taking_r);

	bool (*expire)(struct store *store, const struct store_expiry *expiry, int64_t now);
	bool (*correct_future)(struct store *store, int64_t now);
	int (*may_erase)(struct store *store); /* NULL: everybody may */
	bool (*has_expired)(struct store *store, const struct store_expiry *expiry, int64_t now,
			    bool *found_r);
	bool (*forget)(struct store *store, const char *user, int64_t before, bool *found_r,
		       bool *wiped_r);
	/* NULL where there is no other host. */
	bool (*each_order)(struct store *store, store_visit_order *visit, void *context);
	bool (*answer_order)(struct store *store, int64_t id);

	bool (*read_table)(struct store *store, enum store_table table, store_visit_row *visit,
			   void *context);
	bool (*count_table)(struct store *store, enum store_table table, int64_t *count_r);
	bool (*write_row)(struct store *store, enum store_table table,
			  const struct store_value values[]);
	bool (*end_copy)(struct store *store);
};

/* What every kind has; a backend's own struct begins with it. */
struct store {
	const struct store_backend *backend;
	char *name; /* which store it is, in failures */
	char *host; /* this host's name */
	struct store_failure failure;
	struct store_dictionaries *dictionaries;
};

/* Sets up what every kind has. store is allocated with g_new0(). host: as for store_open(). */
void store_init(struct store *store, const struct store_backend *backend, const char *name,
		const char *host);

/* Frees what every kind has, and the store itself. */
void store_free(struct store *store);

/* Notes a failure, which names the store. status is one of sysexits.h. Returns false. */
bool store_fail(struct store *store, int status, const char *reason);

#endif
