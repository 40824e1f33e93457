#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/keeper.h"

static char directory[] = "/tmp/portcullis-keeper.XXXXXX";
static char config_path[128], exemptions_path[128];

static void write_file(const char *path, const char *format, const char *argument)
{
	char new_path[160];
	FILE *file;

	snprintf(new_path, sizeof(new_path), "%s.new", path);
	file = fopen(new_path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, format, argument) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(new_path, path), 0);
}

static void write_config(const char *rules)
{
	char text[512];

	snprintf(text, sizeof(text), "exemptions = \"%s\"\n%%s\n", exemptions_path);
	write_file(config_path, text, rules);
}

static int fresh_directory(void **state)
{
	(void)state;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/portcullis.conf", directory);
	snprintf(exemptions_path, sizeof(exemptions_path), "%s/exemptions", directory);
	write_config("rule encryption { enforce = \"always\" }");
	write_file(exemptions_path, "%s", "alice@example.org encryption 2099-01-01\n");
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(exemptions_path);
	return rmdir(directory);
}

static void report(void *context, const char *message)
{
	(void)context;
	fail_msg("%s", message);
}

static struct keeper *start(struct messages *messages)
{
	struct policy *policy = config_load(config_path, report, NULL, NULL);
	struct keeper *keeper;

	assert_non_null(policy);
	keeper = keeper_create(policy, messages);
	assert_non_null(keeper);
	assert_true(keeper_start(keeper));
	return keeper;
}

static bool is_exempt(struct keeper *keeper, const char *user)
{
	size_t count;

	exemptions_of_user(keeper_current(keeper)->exemptions, user, &count);
	return count > 0;
}

/* Takes messages until one has these words. */
static void wait_for_message(struct messages *messages, const char *words)
{
	enum message_level level;
	char text[MESSAGE_SIZE];

	for (int tries = 0; tries < 1000; tries++) {
		while (messages_take(messages, &level, text)) {
			if (strstr(text, words) != NULL)
				return;
		}
		usleep(20000);
	}
	fail_msg("\"%s\" was never said", words);
}

static void test_exemptions_are_read_again(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper = start(messages);
	(void)state;

	assert_true(is_exempt(keeper, "alice@example.org"));
	assert_false(is_exempt(keeper, "bob@example.org"));

	/* One wrong line leaves the others in force. */
	write_file(exemptions_path, "%s",
		   "carol@example.org nonsense 2099-01-01\n"
		   "bob@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "exemptions:1:");
	wait_for_message(messages, "read again");
	assert_true(is_exempt(keeper, "bob@example.org"));
	assert_false(is_exempt(keeper, "alice@example.org"));

	/* Gone: nobody loses what was granted. */
	assert_int_equal(unlink(exemptions_path), 0);
	wait_for_message(messages, "stay in force");
	assert_true(is_exempt(keeper, "bob@example.org"));

	keeper_free(keeper);
	messages_free(messages);
}

static void test_reload(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper = start(messages);
	(void)state;

	write_config("rule mechanism { enforce = \"always\" }\n"
		     "rule encryption { enforce = \"always\" }");
	keeper_reload(keeper);
	wait_for_message(messages, "read again");
	assert_int_equal(keeper_current(keeper)->policy->rule_count, 2);
	assert_true(is_exempt(keeper, "alice@example.org"));

	write_config("rule mechanism { enforce = \"soon\" }");
	keeper_reload(keeper);
	wait_for_message(messages, "portcullis.conf:2:");
	wait_for_message(messages, "the old policy stays in force");
	assert_int_equal(keeper_current(keeper)->policy->rule_count, 2);

	/* Exemptions that cannot be read refuse the new policy as well. */
	write_config("rule encryption { enforce = \"always\" }");
	assert_int_equal(unlink(exemptions_path), 0);
	keeper_reload(keeper);
	wait_for_message(messages, "the old policy stays in force");
	assert_int_equal(keeper_current(keeper)->policy->rule_count, 2);
	assert_true(is_exempt(keeper, "alice@example.org"));

	keeper_free(keeper);
	messages_free(messages);
}

static void test_many_reloads_while_nobody_decides(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper = start(messages);
	(void)state;

	for (int i = 0; i < 20; i++) {
		keeper_reload(keeper);
		wait_for_message(messages, "portcullis.conf: read again");
	}
	assert_true(is_exempt(keeper, "alice@example.org"));
	keeper_free(keeper);
	messages_free(messages);
}

static void test_missing_at_start(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper;
	(void)state;

	assert_int_equal(unlink(exemptions_path), 0);
	keeper = start(messages);
	wait_for_message(messages, "nobody is exempted");
	assert_false(is_exempt(keeper, "alice@example.org"));
	write_file(exemptions_path, "%s", "alice@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "read again, 1 line");
	assert_true(is_exempt(keeper, "alice@example.org"));
	keeper_free(keeper);
	messages_free(messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KEEPER_TEST(test) cmocka_unit_test_setup_teardown(test, fresh_directory, remove_directory)
		KEEPER_TEST(test_exemptions_are_read_again),
		KEEPER_TEST(test_reload),
		KEEPER_TEST(test_many_reloads_while_nobody_decides),
		KEEPER_TEST(test_missing_at_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
