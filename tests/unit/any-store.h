#ifndef PORTCULLIS_TESTS_ANY_STORE_H
#define PORTCULLIS_TESTS_ANY_STORE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/store/store-admin.h"
#include "admin/store/store.h"
#include "directory.h"

/* An empty store for each test: a file in the test's directory, or the database that
   tests/postgresql-server has put into PORTCULLIS_TEST_POSTGRESQL. */

static char store_path[128]; /* of the file; "" on a server */
static char store_uri[256];

static inline bool store_is_file(void)
{
	return store_path[0] != '\0';
}

static inline int empty_database(const char *uri)
{
	struct store_failure failure;
	char command[400];

	snprintf(command, sizeof(command),
		 "PGOPTIONS=--client-min-messages=warning psql -q '%s'"
		 " -c 'DROP SCHEMA IF EXISTS portcullis CASCADE'",
		 uri);
	if (system(command) != 0)
		return -1;
	if (store_create(uri, &failure))
		return 0;
	fprintf(stderr, "%s\n", failure.text);
	return -1;
}

/* Of a test that has one already, another one. */
static inline int empty_store(void)
{
	const char *database = getenv("PORTCULLIS_TEST_POSTGRESQL");

	if (database != NULL) {
		snprintf(store_uri, sizeof(store_uri), "%s", database);
		return empty_database(database);
	}
	snprintf(store_path, sizeof(store_path), "%s/portcullis.db", directory);
	snprintf(store_uri, sizeof(store_uri), "sqlite:%s", store_path);
	return remove(store_path) == 0 || errno == ENOENT ? 0 : -1;
}

static inline int make_empty_store(void **state)
{
	return make_directory(state) == 0 ? empty_store() : -1;
}

/* It is there, or the test fails. */
static inline struct store *open_to(enum store_access access, const char *host)
{
	struct store_failure failure;
	struct store *store = store_open(store_uri, host, access, &failure);

	if (store == NULL)
		fail_msg("%s", failure.text);
	return store;
}

static inline struct store *open_as(const char *host)
{
	return open_to(STORE_WRITE, host);
}

/* One that is open, as that of host "mx1", until the test's end. */
static inline int make_open_store(void **state)
{
	if (make_empty_store(state) != 0)
		return -1;
	*state = open_as("mx1");
	return 0;
}

static inline int remove_open_store(void **state)
{
	store_close(*state);
	return remove_directory(state);
}

/* One login that breaks no rule, to be added. */
static inline struct store_sighting one_login(const char *user, const struct store_habit *habit,
					      int64_t time)
{
	static const struct store_rule_set clean;

	return (struct store_sighting){.user = user,
				       .verified = true,
				       .habit = habit,
				       .rules = &clean,
				       .count = 1,
				       .first_seen = time,
				       .last_seen = time,
				       .weeks = 1,
				       .days = 1,
				       .last_client = ""};
}

#endif
