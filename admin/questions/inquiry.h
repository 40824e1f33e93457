#ifndef PORTCULLIS_INQUIRY_H
#define PORTCULLIS_INQUIRY_H

#include "admin/store/store.h"
#include "loaded-policy.h"

/* A question to the store, about the policy of a configuration file. */
struct inquiry {
	struct loaded_policy loaded;
	struct store *store;          /* being read */
	struct store_failure failure; /* why it could not be opened */
};

/* Works from then on as the account that owns the journal. Returns 0, or what is wrong as
   an exit status, having said so. */
int inquiry_begin(struct inquiry *inquiry_r, const char *config_path);

/* The same without the store: the policy, and the account. */
int inquiry_load(struct inquiry *inquiry_r, const char *config_path);

/* answered: false when the store failed, which is said. Frees all; returns status,
   or the store's exit status. */
int inquiry_end(struct inquiry *inquiry, bool answered, int status);

/* The store alone, for who has loaded the policy, and frees it. Return values as above. */
int inquiry_open_store(struct inquiry *inquiry);
int inquiry_close_store(struct inquiry *inquiry, bool answered, int status);

/* What "lately" is counted from, in milliseconds: now, or the latest record where that is
   earlier. So a store that got nothing new for a while, or one of long ago, still answers.
   False when the store fails. */
bool inquiry_reference(const struct inquiry *inquiry, int64_t *reference_r);

/* The same of a store, and of another moment, in milliseconds, than now. */
bool inquiry_store_reference(struct store *store, int64_t now, int64_t *reference_r);

/* Where "lately" begins, in milliseconds: since, or where that is SCHEDULE_NEVER, 30 days
   before the reference. (0 is a time: "since 1970".) */
int64_t inquiry_since(time_t since, int64_t reference);

#endif
