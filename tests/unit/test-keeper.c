#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/keeper.h"

static char directory[] = "/tmp/portcullis-keeper.XXXXXX";
static char config_path[128], exemptions_path[128];

/* What the keeper is told of them; NULL: nothing. */
static const struct valid_copies *copies;

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

/* Nobody is writing into it any more. */
static void settle(const char *path)
{
	const struct timespec long_ago[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
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
	const struct keeper_sources sources = {
		.config = config_path, .copies = copies, .messages = messages};
	struct policy *policy = config_load(config_path, report, NULL, NULL);
	struct keeper *keeper;

	assert_non_null(policy);
	keeper = keeper_create(policy, &sources);
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

	/* One wrong line leaves the others in force, and takes nothing away. */
	write_file(exemptions_path, "%s",
		   "carol@example.org nonsense 2099-01-01\n"
		   "bob@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "exemptions:1:");
	wait_for_message(messages, "WHOEVER WAS LET OFF BEFORE STAYS LET OFF");
	wait_for_message(messages, "read again");
	assert_true(is_exempt(keeper, "bob@example.org"));
	assert_true(is_exempt(keeper, "alice@example.org"));

	/* Gone: nobody loses what was granted. */
	assert_int_equal(unlink(exemptions_path), 0);
	wait_for_message(messages, "stay in force");
	assert_true(is_exempt(keeper, "bob@example.org"));

	keeper_free(keeper);
	messages_free(messages);
}

static void test_trouble_is_told_once_and_tried_again(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper = start(messages);
	struct rlimit before, none;
	enum message_level level;
	char text[MESSAGE_SIZE];
	(void)state;

	wait_for_message(messages, "portcullis.conf: read, 1 rule");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	write_file(exemptions_path, "%s", "bob@example.org encryption 2099-01-01\n");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for_message(messages, "exemptions: Too many open files");
	wait_for_message(messages, "stay in force");
	/* It is tried again by then. */
	usleep(6500000);
	assert_false(messages_take(messages, &level, text));
	assert_true(is_exempt(keeper, "alice@example.org"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	wait_for_message(messages, "read again, 1 line");
	assert_true(is_exempt(keeper, "bob@example.org"));
	assert_false(is_exempt(keeper, "alice@example.org"));
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
	wait_for_message(messages, "NO USER IS REFUSED ANYTHING");
	assert_true(keeper_current(keeper)->exemptions_unknown);
	write_file(exemptions_path, "%s", "alice@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "read again, 1 line");
	assert_true(is_exempt(keeper, "alice@example.org"));
	assert_false(keeper_current(keeper)->exemptions_unknown);
	keeper_free(keeper);
	messages_free(messages);
}

static bool has_grace(struct keeper *keeper, const char *user)
{
	size_t count;

	exemptions_of_user(keeper_current(keeper)->grace, user, &count);
	return count > 0;
}

/* It is written while the servers run, and again and again. */
static void test_grace_is_read_again(void **state)
{
	static const char rule[] = "journal = \"%s\"\nrule encryption { enforce = 2098-12-20 %s }";
	struct messages *messages = messages_create();
	char path[160], text[256], id[EDITION_ID_SIZE];
	struct keeper *keeper;
	(void)state;

	snprintf(path, sizeof(path), "%s/grace", directory);
	snprintf(text, sizeof(text), rule, directory, "grace = 30d");
	write_config(text);
	keeper = start(messages);
	wait_for_message(messages, "nobody is given it until");
	strcpy(id, keeper_current(keeper)->id);
	write_file(path, "%s", "bob@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "grace: read again, 1 line");
	assert_true(has_grace(keeper, "bob@example.org"));
	assert_true(is_exempt(keeper, "alice@example.org"));
	assert_string_equal(keeper_current(keeper)->id, id);

	write_file(path, "%s", "");
	wait_for_message(messages, "who was given it before keeps it");
	assert_true(has_grace(keeper, "bob@example.org"));
	/* Another policy is not kept waiting by it, and takes away what it does not give. */
	keeper_reload(keeper);
	wait_for_message(messages, "portcullis.conf: read again");
	assert_true(has_grace(keeper, "bob@example.org"));
	snprintf(text, sizeof(text), rule, directory, "");
	write_config(text);
	keeper_reload(keeper);
	wait_for_message(messages, "portcullis.conf: read again");
	assert_false(has_grace(keeper, "bob@example.org"));
	keeper_free(keeper);
	messages_free(messages);
	assert_int_equal(unlink(path), 0);
}

static void test_last_valid_exemptions_at_start(void **state)
{
	const struct valid_copies kept = {
		.directory = directory, .server = SOURCE_POSTFIX, .user = geteuid()};
	char *copy = valid_copy_path(directory, SOURCE_POSTFIX, exemptions_path);
	struct messages *messages = messages_create();
	char edition_path[160], id[EDITION_ID_SIZE] = "", *edition;
	struct keeper *keeper;
	FILE *file;
	(void)state;

	snprintf(edition_path, sizeof(edition_path), "%s.edition", config_path);
	edition = valid_copy_path(directory, SOURCE_POSTFIX, edition_path);
	copies = &kept;
	settle(exemptions_path);
	keeper_free(start(messages));
	assert_int_equal(unlink(exemptions_path), 0);
	keeper = start(messages);
	wait_for_message(messages, "THE LAST VALID COPY IS IN FORCE INSTEAD");
	assert_true(is_exempt(keeper, "alice@example.org"));
	assert_false(keeper_current(keeper)->exemptions_unknown);

	/* What is read meanwhile is the next start's. */
	write_file(exemptions_path, "%s", "bob@example.org encryption 2099-01-01\n");
	wait_for_message(messages, "read again, 1 line");
	keeper_free(keeper);
	assert_int_equal(unlink(exemptions_path), 0);
	keeper = start(messages);
	assert_true(is_exempt(keeper, "bob@example.org"));
	assert_false(is_exempt(keeper, "alice@example.org"));
	keeper_free(keeper);
	file = fopen(edition, "r");
	assert_non_null(file);
	assert_non_null(fgets(id, sizeof(id), file));
	fclose(file);
	assert_int_equal(strspn(id, "0123456789abcdef"), EDITION_ID_SIZE - 1);

	copies = NULL;
	messages_free(messages);
	assert_int_equal(unlink(copy), 0);
	free(copy);
	assert_int_equal(unlink(edition), 0);
	free(edition);
}

static void test_what_is_in_force_is_told(void **state)
{
	struct messages *messages = messages_create();
	struct keeper *keeper;
	char said[256];
	(void)state;

	write_config("rule mechanism { observe = always }\nrule encryption { enforce = always }\n"
		     "rule x { kind = implicit-tls enforce = always }");
	keeper = start(messages);
	snprintf(said, sizeof(said), "%s: read, 3 rules, enforced now: encryption, x (edition %s)",
		 config_path, keeper_current(keeper)->id);
	wait_for_message(messages, said);
	write_config("rule mechanism { observe = always }");
	keeper_reload(keeper);
	wait_for_message(messages,
			 "portcullis.conf: read again, 1 rule, enforced now: none (edition ");
	/* Emptied by mistake. */
	write_config("");
	keeper_reload(keeper);
	wait_for_message(messages, "portcullis.conf: there is no rule in it");
	wait_for_message(messages, "the old policy stays in force");
	assert_int_equal(keeper_current(keeper)->policy->rule_count, 1);
	keeper_free(keeper);
	messages_free(messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KEEPER_TEST(test) cmocka_unit_test_setup_teardown(test, fresh_directory, remove_directory)
		KEEPER_TEST(test_exemptions_are_read_again),
		KEEPER_TEST(test_trouble_is_told_once_and_tried_again),
		KEEPER_TEST(test_reload),
		KEEPER_TEST(test_many_reloads_while_nobody_decides),
		KEEPER_TEST(test_missing_at_start),
		KEEPER_TEST(test_grace_is_read_again),
		KEEPER_TEST(test_last_valid_exemptions_at_start),
		KEEPER_TEST(test_what_is_in_force_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
