#ifndef PORTCULLIS_STORE_ADMIN_H
#define PORTCULLIS_STORE_ADMIN_H

#include "store.h"

/* What only its owner does with a store. What may fail returns false, with *failure_r set, when it
   fails. uri: as for store_open(). */

/* Makes the tables where there are none. A file is made by an import, too. */
bool store_create(const char *uri, struct store_failure *failure_r);

/* Brings a store of an older version up to date. */
bool store_upgrade(const char *uri, struct store_failure *failure_r);

/* Is told something that is amiss: by which name programs know it, a sentence without its end,
   and what mends it. */
typedef void store_find(void *context, const char *id, const char *text, const char *mend);

/* Tells where the URI, with what it leaves to files and the environment, lets others read what
   goes there, or would not do at all. Nothing is connected to. */
void store_review(const char *uri, store_find *find, void *context);

#define STORE_TABLES_MAX 32

struct store_check {
	int64_t version, newest; /* of the schema; that this program knows */
	int64_t bytes;           /* on the disk; -1: not known */
	char server[64];         /* what keeps it, with its version */
	char connection[128];    /* how it is reached */
	bool is_encrypted;       /* or does not leave this machine */
	size_t table_count;
	struct {
		const char *name;
		int64_t rows;
	} tables[STORE_TABLES_MAX];
};
/* Tells what the store falls short of, too. */
bool store_check(const char *uri, struct store_check *check_r, store_find *find, void *context,
		 struct store_failure *failure_r);

#endif
