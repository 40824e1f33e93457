#include "unit.h"

#include <glib.h>
#include <string.h>

#include "admin/exemptions/shared-file.h"

static struct policy *policy;

static void fail_with(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static int load_policy(void **state)
{
	static const char text[] = "rule encryption { enforce = \"always\" }\n"
				   "rule mechanism { enforce = \"always\" }\n";

	(void)state;
	policy = config_load_text("test.conf", text, strlen(text), fail_with, fail_with, NULL);
	return policy == NULL ? -1 : 0;
}

static int free_policy(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static struct store_shared shared_of(const char *text, int64_t version)
{
	return (struct store_shared){
		.version = version, .text = (char *)text, .length = strlen(text)};
}

static void test_first_line(void **state)
{
	const struct store_shared shared = shared_of("alice encryption 2025-01-31\n", 17);
	GString *text = shared_file_text(&shared);
	struct shared_head head;

	(void)state;
	assert_true(shared_head_read(text->str, text->len, &head));
	assert_int_equal(head.version, 17);
	assert_true(head.is_intact);
	assert_string_equal(text->str + head.length, shared.text);
	/* One byte more, less or other is an edit; the version can be told nevertheless. */
	assert_true(shared_head_read(text->str, text->len - 1, &head));
	assert_false(head.is_intact);
	text->str[text->len - 2] = '2';
	assert_true(shared_head_read(text->str, text->len, &head));
	assert_false(head.is_intact);
	assert_int_equal(head.version, 17);
	g_string_free(text, TRUE);
}

static void test_no_first_line(void **state)
{
	static const char *const own[] = {
		"",
		"\n",
		"# nobody\n",
		"alice encryption 2025-01-31",
		"# Written by Portcullis from its store, version 17, digest 0",
		"\n# Written by Portcullis from its store, version 17, digest 0\n",
	};
	struct shared_head head;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		assert_false(shared_head_read(own[i], strlen(own[i]), &head));
}

/* NULL: nothing is added. */
static void assert_merged(const char *store, const char *own, const char *merged, size_t lines)
{
	const struct store_shared shared = shared_of(store, 1);
	size_t added;
	GString *text = shared_file_merge(&shared, own, strlen(own), policy, &added);

	assert_int_equal(added, lines);
	if (merged == NULL) {
		assert_null(text);
		return;
	}
	assert_string_equal(text->str, merged);
	g_string_free(text, TRUE);
}

static void test_merge(void **state)
{
	static const char store[] = "alice encryption 2025-01-31\n";

	(void)state;
	assert_merged(store, "", NULL, 0);
	assert_merged(store, "\n\n", NULL, 0);
	assert_merged(store, "alice encryption 2025-01-31", NULL, 0);
	assert_merged(store, "alice encryption 2025-01-31 \r\n", NULL, 0);
	assert_merged(store, "bob encryption 2025-01-31",
		      "alice encryption 2025-01-31\nbob encryption 2025-01-31\n", 1);
	/* Another date is another exemption. */
	assert_merged("alice encryption 2025-01-31", "alice encryption 2025-02-28\n",
		      "alice encryption 2025-01-31\nalice encryption 2025-02-28\n", 1);
}

static void test_first_merge(void **state)
{
	static const char own[] = "# first\n\n# second\n\nalice encryption 2025-01-31\n";

	(void)state;
	assert_merged("", own, own, 5);
	assert_merged("", "", NULL, 0);
}

static void test_wrong_lines(void **state)
{
	char own[6000] = "alice encryption 2025-01-31\nbob nonsense 2025-01-31\n";
	static const char merged[] = "alice encryption 2025-01-31\n"
				     "# wrong, left out: bob nonsense 2025-01-31\n";
	size_t length = strlen(own), added;
	const struct store_shared none = shared_of("", 0);
	GString *text;

	(void)state;
	assert_merged("", own, merged, 2);
	assert_merged(merged, own, NULL, 0);
	/* What is too long for the servers, as a comment is not. */
	memset(own + length, 'x', sizeof(own) - length - 1);
	text = shared_file_merge(&none, own, sizeof(own) - 1, policy, &added);
	assert_int_equal(added, 3);
	assert_merged(text->str, own, NULL, 0);
	assert_true(text->len < 1200);
	g_string_free(text, TRUE);
}

/* What stands behind it is read as well. */
static void test_nul(void **state)
{
	static const char own[] = "bob\0 encryption 2025-01-31\nalice encryption 2025-01-31\n";
	const struct store_shared none = shared_of("", 0);
	size_t added;
	GString *text = shared_file_merge(&none, own, sizeof(own) - 1, policy, &added);

	(void)state;
	assert_int_equal(added, 2);
	assert_string_equal(text->str, "# wrong, left out: bob\nalice encryption 2025-01-31\n");
	g_string_free(text, TRUE);
}

/* A wrong line of which nothing is left to be shown is known again, too. */
static void test_nothing_but_nul(void **state)
{
	static const char own[] = "\r\t\0-0\n";
	const struct store_shared none = shared_of("", 0);
	struct store_shared shared;
	size_t added;
	GString *text = shared_file_merge(&none, own, sizeof(own) - 1, policy, &added);

	(void)state;
	shared = shared_of(text->str, 1);
	assert_null(shared_file_merge(&shared, own, sizeof(own) - 1, policy, &added));
	g_string_free(text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_line),      cmocka_unit_test(test_no_first_line),
		cmocka_unit_test(test_merge),           cmocka_unit_test(test_first_merge),
		cmocka_unit_test(test_wrong_lines),     cmocka_unit_test(test_nul),
		cmocka_unit_test(test_nothing_but_nul),
	};

	return cmocka_run_group_tests(tests, load_policy, free_policy);
}
