#define _GNU_SOURCE /* renameat2() */

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/last-valid.h"

static const char valid_text[] = "organisation = \"First\"\n"
				 "rule encryption { enforce = \"always\" }\n";

struct fixture {
	char directory[64];
	char journal[80];
	char state[96];
	struct valid_copies copies;
	char config[80];
	char *copy;
	/* What last_valid_load() said last. */
	unsigned int errors;
	unsigned int warnings;
	char last[1024];
};

static void write_file(const char *path, const char *format, const char *journal, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, format, journal);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void write_config(struct fixture *fixture, const char *text)
{
	write_file(fixture->config, "journal = \"%s\"\n", fixture->journal, text);
}

static void note_error(void *context, const char *message)
{
	struct fixture *fixture = context;

	fixture->errors++;
	snprintf(fixture->last, sizeof(fixture->last), "%s", message);
}

static void note_warning(void *context, const char *message)
{
	struct fixture *fixture = context;

	fixture->warnings++;
	snprintf(fixture->last, sizeof(fixture->last), "%s", message);
}

static struct policy *load(struct fixture *fixture)
{
	fixture->errors = fixture->warnings = 0;
	return last_valid_load(&fixture->copies, fixture->config, note_error, note_warning,
			       fixture);
}

/* Loads what must be valid by itself, so that there is a copy of it. */
static void load_valid(struct fixture *fixture)
{
	struct policy *policy = load(fixture);

	assert_non_null(policy);
	assert_string_equal(policy->file, fixture->config);
	assert_int_equal(fixture->errors, 0);
	policy_free(policy);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	snprintf(fixture->directory, sizeof(fixture->directory),
		 "/tmp/portcullis-last-valid.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->journal, sizeof(fixture->journal), "%s/journal", fixture->directory);
	snprintf(fixture->config, sizeof(fixture->config), "%s/my conf", fixture->directory);
	assert_int_equal(mkdir(fixture->journal, 0700), 0);
	/* Nothing can be made there, so that copies lie beside the journal. */
	snprintf(fixture->state, sizeof(fixture->state), "%s/none/none/state", fixture->directory);
	fixture->copies = (struct valid_copies){
		.directory = fixture->state, .server = SOURCE_DOVECOT, .user = geteuid()};
	fixture->copy = valid_copy_path(fixture->journal, SOURCE_DOVECOT, fixture->config);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->copy);
	unlink(fixture->config);
	chmod(fixture->journal, 0700);
	assert_int_equal(rmdir(fixture->journal), 0);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture->copy);
	free(fixture);
	return 0;
}

static void test_name_of_copy(void **state)
{
	char long_path[256];
	char *copy = valid_copy_path("/journal", SOURCE_DOVECOT, "/etc/port cullis-2.conf");

	(void)state;
	assert_string_equal(copy, "/journal/last-valid-%2Fetc%2Fport%20cullis%2D2.conf");
	free(copy);

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_null(valid_copy_path("/journal", SOURCE_DOVECOT, long_path));
}

static void test_valid_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct stat first, second, third;

	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(stat(fixture->copy, &first), 0);
	assert_int_equal(first.st_mode & 0777, 0600);

	/* The same again is not written again, another one is. */
	load_valid(fixture);
	assert_int_equal(stat(fixture->copy, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	write_config(fixture, "rule protocol { services = { \"pop3\" }\nobserve = \"always\" }\n");
	load_valid(fixture);
	assert_int_equal(stat(fixture->copy, &third), 0);
	assert_int_not_equal(second.st_size, third.st_size);
}

/* Found without the broken file saying where, or without any file. */
static void test_own_directory_is_looked_at_first(void **state)
{
	struct fixture *fixture = *state;
	static const char *const broken[] = {"journal = /elsewhere\nnonsense", "", "# no rule\n",
					     NULL};
	struct stat status, like;
	char *expected;

	snprintf(fixture->state, sizeof(fixture->state), "%s/state", fixture->directory);
	assert_int_equal(chmod(fixture->journal, 02750), 0);
	expected = valid_copy_path(fixture->state, SOURCE_DOVECOT, fixture->config);
	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(fixture->warnings, 0);
	assert_int_equal(access(fixture->copy, F_OK), -1);
	assert_int_equal(stat(fixture->journal, &like), 0);
	assert_int_equal(stat(fixture->state, &status), 0);
	assert_int_equal(status.st_mode, like.st_mode);
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct policy *policy;

		unlink(fixture->config);
		if (broken[i] != NULL)
			write_file(fixture->config, "%s", broken[i], "");
		policy = load(fixture);
		assert_non_null(policy);
		assert_string_equal(policy->file, expected);
		assert_string_equal(policy->organisation, "First");
		policy_free(policy);
	}
	unlink(expected);
	free(expected);
	assert_int_equal(rmdir(fixture->state), 0);
}

static void expect_copy(struct fixture *fixture, const char *organisation)
{
	struct policy *policy;

	write_file(fixture->config, "journal = \"%s\"\n", fixture->journal, "nonsense\n");
	policy = load(fixture);
	assert_non_null(policy);
	assert_string_equal(policy->organisation, organisation);
	policy_free(policy);
}

/* Where its own directory could not be written to for a while. */
static void test_the_newer_copy_is_the_last_one(void **state)
{
	const struct timespec long_ago[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	static const char second_text[] = "organisation = \"Second\"\n"
					  "rule encryption { enforce = \"always\" }\n";
	struct fixture *fixture = *state;
	char away[100], *copy;

	snprintf(fixture->state, sizeof(fixture->state), "%s/state", fixture->directory);
	snprintf(away, sizeof(away), "%s/away", fixture->directory);
	copy = valid_copy_path(fixture->state, SOURCE_DOVECOT, fixture->config);
	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(utimensat(AT_FDCWD, copy, long_ago, 0), 0);
	expect_copy(fixture, "First");

	assert_int_equal(rename(fixture->state, away), 0);
	assert_int_equal(symlink(away, fixture->state), 0);
	write_config(fixture, second_text);
	load_valid(fixture);
	assert_int_equal(fixture->warnings, 1);
	assert_non_null(strstr(fixture->last, "this valid configuration has no copy in "));
	assert_non_null(strstr(fixture->last, "; it lies in "));
	assert_int_equal(unlink(fixture->state), 0);
	assert_int_equal(rename(away, fixture->state), 0);
	expect_copy(fixture, "Second");

	/* The same as of old, and the last one again. */
	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(fixture->warnings, 0);
	assert_int_equal(access(fixture->copy, F_OK), -1);
	expect_copy(fixture, "First");
	unlink(copy);
	free(copy);
	assert_int_equal(rmdir(fixture->state), 0);
}

/* Both may be the same directory. */
static void test_the_journals_directory_for_its_own(void **state)
{
	struct fixture *fixture = *state;

	snprintf(fixture->state, sizeof(fixture->state), "%s", fixture->journal);
	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(access(fixture->copy, F_OK), 0);
	expect_copy(fixture, "First");
}

static void test_nothing_replaces_no_copy(void **state)
{
	struct fixture *fixture = *state;
	const struct valid_copies *copies = &fixture->copies;
	struct stat status;

	assert_true(valid_copy_keep(copies, fixture->journal, fixture->config, "", 0) < 0);
	assert_int_equal(stat(fixture->copy, &status), 0);
	assert_true(valid_copy_keep(copies, fixture->journal, fixture->config, "x", 1) < 0);
	assert_int_equal(valid_copy_keep(copies, fixture->journal, fixture->config, "", 0), 0);
	assert_int_equal(stat(fixture->copy, &status), 0);
	assert_int_equal(status.st_size, 1);
}

/* Neither server trips over the other's copy. */
static void test_servers_have_copies_of_their_own(void **state)
{
	struct fixture *fixture = *state;
	char *copy = valid_copy_path(fixture->journal, SOURCE_POSTFIX, fixture->config);

	write_config(fixture, valid_text);
	load_valid(fixture);
	assert_int_equal(access(copy, F_OK), -1);
	fixture->copies.server = SOURCE_POSTFIX;
	load_valid(fixture);
	assert_int_equal(unlink(copy), 0);
	free(copy);
}

static void test_broken_falls_back(void **state)
{
	struct fixture *fixture = *state;
	struct policy *policy;

	write_config(fixture, valid_text);
	load_valid(fixture);
	write_config(fixture, "rule encryption { enforce = \"2024-02-30\" }\nnonsense = 1\n");
	policy = load(fixture);
	assert_non_null(policy);
	assert_string_equal(policy->organisation, "First");
	assert_string_equal(policy->file, fixture->copy);
	assert_true(fixture->errors >= 1);
	assert_int_equal(strncmp(fixture->last, fixture->config, strlen(fixture->config)), 0);
	policy_free(policy);

	/* The copy stays what it was. */
	policy = load(fixture);
	assert_non_null(policy);
	policy_free(policy);
}

static void test_broken_without_copy(void **state)
{
	struct fixture *fixture = *state;

	write_config(fixture, "nonsense\n");
	assert_null(load(fixture));
	assert_non_null(strstr(fixture->last, "no last valid configuration"));
}

static void test_journal_line_in_any_shape(void **state)
{
	static const char *const lines[] = {
		"journal=\"%s\"\n",
		"   journal\t =  '%s'  # here\n",
		"journal = %s\n",
		"'journal'=\"%s\nx = /* { \"",
		("rule broken { \"\n{{{\n# journal = \"/no\"\njournalist = \"/no\"\njournal = "
		 "\"%s\"\n"),
	};
	struct fixture *fixture = *state;

	write_config(fixture, valid_text);
	load_valid(fixture);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct policy *policy;

		write_file(fixture->config, lines[i], fixture->journal, "nonsense = {\n");
		policy = load(fixture);
		assert_non_null(policy);
		policy_free(policy);
	}
}

static void test_unwritable_journal_is_a_warning(void **state)
{
	struct fixture *fixture = *state;
	struct policy *policy;

	write_file(fixture->config, "journal = \"%s/missing\"\n", fixture->journal, valid_text);
	policy = load(fixture);
	assert_non_null(policy);
	assert_string_equal(policy->file, fixture->config);
	assert_int_equal(fixture->errors, 0);
	assert_int_equal(fixture->warnings, 1);
	assert_non_null(strstr(fixture->last, "No such file or directory"));
	policy_free(policy);
}

static void test_copy_of_a_stranger_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char elsewhere[100];

	write_config(fixture, valid_text);
	load_valid(fixture);
	write_config(fixture, "nonsense\n");

	/* A symbolic link, whoever owns what it points to. */
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", fixture->directory);
	assert_int_equal(rename(fixture->copy, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, fixture->copy), 0);
	assert_null(load(fixture));
	unlink(fixture->copy);
	assert_int_equal(rename(elsewhere, fixture->copy), 0);

	/* Only root can give a file away, and only root needs to be afraid. */
	if (geteuid() == 0) {
		assert_int_equal(chown(fixture->copy, 65534, 65534), 0);
		assert_null(load(fixture));
		assert_non_null(strstr(fixture->last, "not permitted"));
	}
}

/* Somebody who may write to the directory exchanges the copy for a link to a file
   of his own, and back, as fast as he can. */
static void test_copy_exchanged_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	char own[100], link[100];
	pid_t child;

	if (geteuid() != 0)
		return;
	write_config(fixture, valid_text);
	load_valid(fixture);
	write_config(fixture, "nonsense\n");
	snprintf(own, sizeof(own), "%s/own", fixture->journal);
	snprintf(link, sizeof(link), "%s/link", fixture->journal);
	write_file(own, "organisation = \"%s\"\n", "Stranger",
		   "rule encryption { observe = \"always\" }\n");
	assert_int_equal(chown(own, 65534, 65534), 0);
	assert_int_equal(chmod(fixture->directory, 0755), 0);
	assert_int_equal(chmod(fixture->journal, 0777), 0);

	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setuid(65534) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		    symlink(own, link) < 0)
			_exit(1);
		while (renameat2(AT_FDCWD, link, AT_FDCWD, fixture->copy, RENAME_EXCHANGE) == 0)
			continue;
		_exit(1);
	}
	for (int i = 0; i < rounds(2000); i++) {
		struct policy *policy = load(fixture);

		if (policy != NULL)
			assert_string_equal(policy->organisation, "First");
		policy_free(policy);
	}
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(own);
	unlink(link);
}

/* Whoever owns what the directory lies in can put a link in its place. */
static void test_directory_that_is_a_link(void **state)
{
	struct fixture *fixture = *state;
	char elsewhere[100];
	struct policy *policy;

	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", fixture->directory);
	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(rmdir(fixture->journal), 0);
	assert_int_equal(symlink(elsewhere, fixture->journal), 0);
	write_config(fixture, valid_text);
	policy = load(fixture);
	assert_non_null(policy);
	assert_int_equal(fixture->warnings, 1);
	policy_free(policy);

	/* It is empty. */
	assert_int_equal(rmdir(elsewhere), 0);
	assert_int_equal(unlink(fixture->journal), 0);
	assert_int_equal(mkdir(fixture->journal, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_of_copy),
		cmocka_unit_test_setup_teardown(test_valid_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_own_directory_is_looked_at_first, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_newer_copy_is_the_last_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_journals_directory_for_its_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_replaces_no_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_servers_have_copies_of_their_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_broken_falls_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken_without_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_journal_line_in_any_shape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unwritable_journal_is_a_warning, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_copy_of_a_stranger_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_copy_exchanged_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory_that_is_a_link, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
