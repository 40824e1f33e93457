#ifndef PORTCULLIS_STORE_SHARED_H
#define PORTCULLIS_STORE_SHARED_H

#include "store.h"

/* Texts that all hosts of a store share, so that each host's importer can write them down for
   its servers, who know no store. As all functions here, they return false when the store
   fails. Each begins and commits by itself. */

enum store_text { STORE_EXEMPTIONS, STORE_GRACE, STORE_TEXT_COUNT };

/* Names as in the store: "exemptions", "grace". */
const char *store_text_name(enum store_text which);

struct store_shared {
	int64_t version; /* each change makes the next one; 0: there is none yet */
	char *text;
	size_t length;
	int64_t changed; /* when it was; 0: never */
};

/* The version alone, which is soon known. */
bool store_shared_version(struct store *store, enum store_text which, int64_t *version_r);

/* The caller frees the text with g_free(); where there is none yet, it is "". */
bool store_read_shared(struct store *store, enum store_text which, struct store_shared *shared_r);

/* Puts another text in place of the version that is given, if that still is the newest one;
   *put_r says so. Importers may not, where roles are told apart. */
bool store_put_shared(struct store *store, enum store_text which, const struct store_shared *shared,
		      bool *put_r);

enum store_taking {
	STORE_TAKEN,
	STORE_TAKEN_BEFORE,   /* this host's were */
	STORE_TAKEN_TOO_LATE, /* another host began longer than STORE_TAKING_DAYS ago */
	STORE_TAKEN_BY_OTHERS /* that version is not the newest one any more */
};
#define STORE_TAKING_DAYS 30

/* The same for exemptions that a host had before it shared those of the store, by its importer,
   once: the text that is given must begin with that of the version. */
bool store_take_in(struct store *store, const struct store_shared *shared,
		   enum store_taking *taking_r);

#endif
