#include "unit.h"
#include "any-store.h"

#include <string.h>
#include <unistd.h>

#include "admin/store/store.h"

static const struct store_host told = {
	.portcullis = "1.2",
	.dovecot = "2.4.1",
	.edition = "0123456789abcdef",
	.policy = "fedcba9876543210",
	.country_database_built = INT64_C(1726820102000),
	.backlog = 4711,
	.backlog_since = INT64_C(1726820101123),
	.clock_offset = -3600123,
};

static void put(struct store *store, const struct store_host *host)
{
	if (!store_begin(store) || !store_put_host(store, host) || !store_commit(store))
		fail_msg("%s", store_failure(store)->text);
}

/* What was found, with the names of all. */
struct found {
	char names[64];
	struct store_host last;
	char dovecot[16];
	bool has_postfix;
};

static bool note(void *context, const struct store_host *host)
{
	struct found *found = context;
	size_t length = strlen(found->names);

	snprintf(found->names + length, sizeof(found->names) - length, "%s ", host->name);
	found->last = *host;
	snprintf(found->dovecot, sizeof(found->dovecot), "%s", host->dovecot);
	found->has_postfix = host->postfix != NULL;
	return true;
}

static struct found ask(struct store *store)
{
	struct found found = {0};

	if (!store_each_host(store, note, &found))
		fail_msg("%s", store_failure(store)->text);
	return found;
}

static void test_what_a_host_tells(void **state)
{
	struct store *store = open_as("mx1");
	int64_t before, after;
	struct found found;
	(void)state;

	assert_string_equal(ask(store).names, "");
	assert_true(store_clock(store, &before));
	put(store, &told);
	assert_true(store_clock(store, &after));
	found = ask(store);
	assert_string_equal(found.names, "mx1 ");
	assert_string_equal(found.dovecot, "2.4.1");
	assert_false(found.has_postfix);
	assert_string_equal(found.last.edition, told.edition);
	assert_string_equal(found.last.policy, told.policy);
	assert_true(found.last.country_database_built == told.country_database_built);
	assert_true(found.last.backlog == told.backlog);
	assert_true(found.last.backlog_since == told.backlog_since);
	assert_true(found.last.clock_offset == told.clock_offset);
	assert_true(before <= found.last.told && found.last.told <= after);
	assert_true(found.last.edition_since == found.last.told);
	store_close(store);
}

/* Since when it is in force stays, until it is another one. */
static void test_since_when(void **state)
{
	struct store *store = open_as("mx1");
	struct store_host host = told;
	int64_t since;
	(void)state;

	put(store, &host);
	since = ask(store).last.edition_since;
	usleep(2000);
	host.backlog = 0;
	host.backlog_since = 0;
	put(store, &host);
	assert_true(ask(store).last.edition_since == since);
	assert_true(ask(store).last.told > since);
	assert_true(ask(store).last.backlog == 0 && ask(store).last.backlog_since == 0);
	strcpy(host.edition, "0000000000000001");
	put(store, &host);
	assert_true(ask(store).last.edition_since > since);
	store_close(store);
}

/* On a server there are many; a file is of one, whatever that is called. */
static void test_several_hosts(void **state)
{
	struct store *second = open_as("mx2"), *first = open_as("mx1");
	const char *names = store_is_file() ? "mx1 " : "mx1 mx2 ";
	(void)state;

	put(second, &told);
	put(first, &told);
	assert_string_equal(ask(first).names, names);
	assert_string_equal(ask(second).names, names);
	store_close(first);
	store_close(second);
}

static void test_forgetting_a_host(void **state)
{
	struct store *store = open_as("mx1");
	bool found;
	(void)state;

	put(store, &told);
	assert_true(store_forget_host(store, "mx2", &found));
	assert_false(found);
	assert_true(store_forget_host(store, "mx1", &found));
	assert_true(found);
	assert_string_equal(ask(store).names, "");
	store_close(store);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_empty_store, remove_directory)
	static const struct CMUnitTest tests[] = {
		STORE_TEST(test_what_a_host_tells),
		STORE_TEST(test_since_when),
		STORE_TEST(test_several_hosts),
		STORE_TEST(test_forgetting_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
