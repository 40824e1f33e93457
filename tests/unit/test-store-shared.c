#include "unit.h"
#include "any-store.h"

#include <glib.h>
#include <string.h>

#include "admin/store/store-shared.h"

static bool put(struct store *store, enum store_text which, int64_t version, const char *text)
{
	const struct store_shared shared = {
		.version = version, .text = (char *)text, .length = strlen(text)};
	bool done;

	assert_true(store_put_shared(store, which, &shared, &done));
	return done;
}

static enum store_taking take_in(struct store *store, int64_t version, const char *text)
{
	const struct store_shared shared = {
		.version = version, .text = (char *)text, .length = strlen(text)};
	enum store_taking taking;

	assert_true(store_take_in(store, &shared, &taking));
	return taking;
}

static void assert_shared(struct store *store, enum store_text which, int64_t version,
			  const char *text)
{
	struct store_shared shared;
	int64_t alone;

	assert_true(store_shared_version(store, which, &alone));
	assert_int_equal(alone, version);
	assert_true(store_read_shared(store, which, &shared));
	assert_int_equal(shared.version, version);
	assert_int_equal(shared.length, strlen(text));
	assert_string_equal(shared.text, text);
	assert_int_equal(shared.changed != 0, version != 0);
	g_free(shared.text);
}

static void test_versions(void **state)
{
	struct store *store = *state;

	assert_shared(store, STORE_EXEMPTIONS, 0, "");
	assert_false(put(store, STORE_EXEMPTIONS, 1, "too soon\n"));
	assert_shared(store, STORE_EXEMPTIONS, 0, "");
	assert_true(put(store, STORE_EXEMPTIONS, 0, "one\n"));
	assert_false(put(store, STORE_EXEMPTIONS, 0, "somebody else's\n"));
	assert_true(put(store, STORE_EXEMPTIONS, 1, "two\n"));
	assert_false(put(store, STORE_EXEMPTIONS, 1, "somebody else's\n"));
	assert_shared(store, STORE_EXEMPTIONS, 2, "two\n");
	assert_shared(store, STORE_GRACE, 0, "");
	assert_true(put(store, STORE_GRACE, 0, ""));
	assert_shared(store, STORE_GRACE, 1, "");
}

/* Comments may be in whatever encoding. */
static void test_bytes(void **state)
{
	struct store *store = *state;
	const struct store_shared shared = {.text = (char *)"# \xfc\0x\n", .length = 6};
	struct store_shared found;
	bool done;

	assert_true(store_put_shared(store, STORE_EXEMPTIONS, &shared, &done) && done);
	assert_true(store_read_shared(store, STORE_EXEMPTIONS, &found));
	assert_int_equal(found.length, 6);
	assert_memory_equal(found.text, shared.text, 6);
	g_free(found.text);
}

static void test_take_in(void **state)
{
	struct store *store = *state;

	assert_true(put(store, STORE_EXEMPTIONS, 0, "one\n"));
	assert_int_equal(take_in(store, 0, "mine\n"), STORE_TAKEN_BY_OTHERS);
	assert_int_equal(take_in(store, 1, "one\nmine\n"), STORE_TAKEN);
	assert_shared(store, STORE_EXEMPTIONS, 2, "one\nmine\n");
	assert_int_equal(take_in(store, 2, "one\nmine\nagain\n"), STORE_TAKEN_BEFORE);
	assert_shared(store, STORE_EXEMPTIONS, 2, "one\nmine\n");
}

static void test_first_of_all(void **state)
{
	assert_int_equal(take_in(*state, 0, "mine\n"), STORE_TAKEN);
	assert_shared(*state, STORE_EXEMPTIONS, 1, "mine\n");
}

/* What importers do, they do before the records of a transaction are committed. */
static void test_beside_a_transaction(void **state)
{
	struct store *other;

	if (store_is_file())
		return;
	other = open_as("mx1");
	assert_true(store_begin(*state));
	assert_true(put(other, STORE_EXEMPTIONS, 0, "one\n"));
	assert_int_equal(take_in(other, 1, "one\nmine\n"), STORE_TAKEN);
	assert_true(store_commit(*state));
	store_close(other);
}

static void test_grace_is_forgotten(void **state)
{
	struct store *store = *state;
	bool found, wiped;

	/* In a file's place, none is kept. */
	if (store_is_file())
		return;
	assert_true(put(store, STORE_EXEMPTIONS, 0, "alice@example.org encryption 2025-01-31\n"));
	assert_true(
		put(store, STORE_GRACE, 0,
		    "# heading\nalice@example.org encryption 2025-01-31 # told\n"
		    "malice@example.org encryption 2025-01-31\nalice@example.org a 2025-01-01\n"));
	assert_true(store_forget(store, "alice@example.org", 0, &found, &wiped));
	assert_true(found);
	assert_shared(store, STORE_GRACE, 2,
		      "# heading\nmalice@example.org encryption 2025-01-31\n");
	assert_true(store_forget(store, "alice@example.org", 0, &found, &wiped));
	assert_false(found);
	assert_shared(store, STORE_EXEMPTIONS, 1, "alice@example.org encryption 2025-01-31\n");
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_open_store, remove_open_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_versions),
		STORE_TEST(test_bytes),
		STORE_TEST(test_take_in),
		STORE_TEST(test_first_of_all),
		STORE_TEST(test_grace_is_forgotten),
		STORE_TEST(test_beside_a_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
