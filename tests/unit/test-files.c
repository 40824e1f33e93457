#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/files/directory.h"
#include "admin/files/file-group.h"
#include "admin/files/file-lock.h"
#include "admin/files/file-open.h"
#include "admin/files/file-read.h"
#include "admin/files/file-replace.h"
#include "admin/files/path-owner.h"

static char place[] = "/tmp/portcullis-files.XXXXXX";
static int directory;

static int fresh_directory(void **state)
{
	(void)state;
	strcpy(place + strlen(place) - 6, "XXXXXX");
	if (mkdtemp(place) == NULL)
		return -1;
	directory = directory_open(place);
	return directory < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
	char command[160];
	(void)state;

	close(directory);
	snprintf(command, sizeof(command), "rm -rf '%s'", place);
	return system(command);
}

static const char *in_place(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_place(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *name, const char *expected)
{
	const char *error;
	size_t length;
	char *text = file_read(file_open(directory, name, O_RDONLY, 0), 1000, &length, &error);

	assert_non_null(text);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
	free(text);
}

/* How many names begin with these characters. */
static int count_names(const char *begin)
{
	char command[200];
	FILE *names;
	int count = -1;

	snprintf(command, sizeof(command), "find '%s' -name '%s*' | wc -l", place, begin);
	names = popen(command, "r");
	assert_non_null(names);
	assert_int_equal(fscanf(names, "%d", &count), 1);
	pclose(names);
	return count;
}

/* ---- opening ---- */

static void assert_refused(const char *name, int error)
{
	static const int flags[] = {O_RDONLY, O_WRONLY | O_APPEND | O_CREAT, O_RDWR};

	for (size_t i = 0; i < COUNT(flags); i++) {
		errno = 0;
		assert_int_equal(file_open(directory, name, flags[i], 0600), -1);
		/* A directory is none to write to, says the kernel. */
		assert_true(errno == error || (error == EINVAL && errno == EISDIR));
	}
	assert_int_equal(file_open_of_anybody(directory, name, O_RDONLY), -1);
	assert_int_equal(errno, error);
	assert_true(strncmp(file_problem(error), "it ", 3) == 0);
}

static void test_open(void **state)
{
	int file;
	(void)state;

	write_file("plain", "text");
	file = file_open(directory, "plain", O_RDONLY, 0);
	assert_true(file >= 0);
	close(file);
	assert_int_equal(symlink("plain", in_place("link")), 0);
	assert_refused("link", ELOOP);
	assert_int_equal(symlink("/nowhere/at/all", in_place("dangling")), 0);
	assert_refused("dangling", ELOOP);
	assert_int_equal(mkfifo(in_place("fifo"), 0600), 0);
	assert_refused("fifo", EINVAL);
	assert_int_equal(mkdir(in_place("folder"), 0700), 0);
	assert_refused("folder", EINVAL);
	write_file("two", "names");
	assert_int_equal(linkat(directory, "two", directory, "too", 0), 0);
	assert_refused("two", EMLINK);
	assert_int_equal(file_open(directory, "missing", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(directory_open(in_place("link")), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void test_found(void **state)
{
	static const char *const others[] = {"fifo", "folder"};
	int file;
	(void)state;

	write_file("plain", "text");
	assert_int_equal(symlink("plain", in_place("link")), 0);
	file = file_open_found(in_place("link"));
	assert_true(file >= 0);
	close(file);
	assert_int_equal(mkfifo(in_place("fifo"), 0600), 0);
	assert_int_equal(mkdir(in_place("folder"), 0700), 0);
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(file_open_found(in_place(others[i])), -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(file_open_found(in_place("missing")), -1);
	assert_int_equal(errno, ENOENT);
}

/* Only root can make files of others. */
static void test_owners(void **state)
{
	int file;
	(void)state;

	if (geteuid() != 0)
		return;
	write_file("foreign", "text");
	assert_int_equal(chown(in_place("foreign"), 4711, 4711), 0);
	assert_int_equal(file_open(directory, "foreign", O_RDONLY, 0), -1);
	assert_int_equal(errno, EPERM);
	file = file_open_of_anybody(directory, "foreign", O_RDONLY);
	assert_true(file >= 0);
	close(file);
	/* The directory's owner could replace it anyway. */
	assert_int_equal(chown(place, 4711, 4711), 0);
	file = file_open(directory, "foreign", O_RDONLY, 0);
	assert_true(file >= 0);
	close(file);
}

static void test_read(void **state)
{
	const char *error = NULL;
	size_t length;
	(void)state;

	write_file("plain", "text");
	assert_content("plain", "text");
	assert_null(file_read(file_open(directory, "plain", O_RDONLY, 0), 3, &length, &error));
	assert_string_equal(error, "the file is too large");
	assert_null(file_read(file_open(directory, "missing", O_RDONLY, 0), 3, &length, &error));
	assert_int_equal(errno, ENOENT);
	assert_string_equal(error, "No such file or directory");
}

/* ---- locks ---- */

static void test_lock(void **state)
{
	int other = directory_open(place), locked;
	(void)state;

	locked = directory_lock(place, 0);
	assert_true(locked >= 0);
	assert_false(file_lock(other, 0));
	assert_int_equal(errno, EWOULDBLOCK);
	assert_false(file_lock(other, 60));
	assert_int_equal(directory_lock(place, 20), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(locked);
	assert_true(file_lock(other, 0));
	close(other);
	assert_int_equal(directory_lock("/nowhere/at/all", 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void test_lock_is_waited_for(void **state)
{
	int locked = directory_lock(place, 0), other = directory_open(place);
	pid_t child;
	(void)state;

	assert_true(locked >= 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		usleep(50000);
		_exit(0);
	}
	close(locked); /* the child still has it */
	assert_true(file_lock(other, 60000));
	close(other);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* ---- replacing ---- */

static void test_replace(void **state)
{
	struct stat status;
	(void)state;

	umask(077);
	assert_true(file_replace(directory, "file", 0644, "one", 3));
	assert_content("file", "one");
	assert_int_equal(stat(in_place("file"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_true(file_replace(directory, "file", 0600, "", 0));
	assert_content("file", "");
	assert_int_equal(count_names(".file"), 0);
}

static void test_replaced_file_keeps_owner_and_mode(void **state)
{
	struct file_replacement *replacement;
	struct stat before, after;
	(void)state;

	write_file("file", "one");
	assert_int_equal(chmod(in_place("file"), 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(in_place("file"), 4711, 4712), 0);
	assert_int_equal(stat(in_place("file"), &before), 0);
	replacement = file_replace_begin(directory, "file", &before, 0600);
	assert_non_null(replacement);
	assert_true(file_replace_write(replacement, "two", 3));
	assert_int_equal(stat(in_place("file"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_true(file_replace_commit(replacement));
	assert_int_equal(stat(in_place("file"), &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
}

/* A link in its place is replaced, not followed. */
static void test_replace_a_link(void **state)
{
	struct stat status;
	(void)state;

	write_file("precious", "mine");
	assert_int_equal(symlink("precious", in_place("file")), 0);
	assert_true(file_replace(directory, "file", 0600, "two", 3));
	assert_content("precious", "mine");
	assert_int_equal(lstat(in_place("file"), &status), 0);
	assert_true(S_ISREG(status.st_mode));
}

static void test_what_was_left_is_removed(void **state)
{
	struct file_replacement *replacement;
	(void)state;

	write_file(".file.new-0123456789abcdef", "killed");
	assert_int_equal(mkdir(in_place(".file.new-folder"), 0700), 0);
	write_file(".filed.new-0123456789abcdef", "another's");
	replacement = file_replace_begin(directory, "file", NULL, 0600);
	assert_non_null(replacement);
	assert_int_equal(count_names(".file.new-"), 2);
	assert_content(file_replace_name(replacement), "");
	file_replace_abandon(replacement);
	assert_int_equal(count_names(".file.new-"), 1);
	assert_content(".filed.new-0123456789abcdef", "another's");
}

static void test_replace_fails(void **state)
{
	(void)state;

	assert_int_equal(mkdir(in_place("file"), 0700), 0);
	assert_false(file_replace(directory, "file", 0600, "two", 3));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(count_names(".file"), 0);
}

/* ---- groups and owners ---- */

static mode_t mode_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(in_place(name), &status), 0);
	return status.st_mode & 07777;
}

static void test_keeping_from_writers(void **state)
{
	char path[160];
	(void)state;

	write_file("store", "text");
	strcpy(path, in_place("store"));
	assert_int_equal(chmod(path, 0644), 0);
	file_keep_from_writers(path, place);
	assert_int_equal(mode_of("store"), 0644);
	assert_int_equal(chmod(place, 0770), 0);
	file_keep_from_writers(path, place);
	assert_int_equal(mode_of("store"), 0604);
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0640), 0);
		assert_int_equal(chown(path, 0, 4711), 0);
		file_keep_from_writers(path, place);
		assert_int_equal(mode_of("store"), 0640);
	}
	file_keep_from_writers(in_place("missing"), place);
}

static void assert_owner(const char *name, uid_t expected)
{
	struct path_owner owner = {0};

	assert_int_equal(path_owner_find(in_place(name), &owner), expected != 0);
	assert_int_equal(owner.user, expected);
}

static void test_path_owner(void **state)
{
	struct path_owner owner;
	(void)state;

	assert_false(path_owner_find("/etc/passwd", &owner));
	assert_false(path_owner_find("/", &owner));
	assert_false(path_owner_find("/nowhere/at/all", &owner));
	assert_owner("missing", geteuid());
	if (geteuid() != 0)
		return;
	assert_int_equal(mkdir(in_place("theirs"), 0755), 0);
	assert_int_equal(mkdir(in_place("theirs/more"), 0755), 0);
	assert_int_equal(mkdir(in_place("ours"), 0755), 0);
	write_file("ours/file", "");
	assert_int_equal(chown(in_place("ours/file"), 4712, 4712), 0);
	assert_int_equal(chown(in_place("theirs"), 4711, 4711), 0);
	assert_owner("theirs", 4711);
	assert_owner("theirs/more/file", 4711);
	assert_owner("theirs/missing/file", 4711);
	assert_owner("theirs/../ours/file", 0);
	/* A file of another account in a directory of root's says nothing. */
	assert_owner("ours/file", 0);
	/* Root's links are followed, theirs are in their hands. */
	assert_int_equal(symlink("../theirs/more", in_place("ours/link")), 0);
	assert_owner("ours/link/file", 4711);
	assert_int_equal(symlink("/etc", in_place("theirs/link")), 0);
	assert_owner("theirs/link/passwd", 4711);
	assert_int_equal(symlink("/etc", in_place("ours/foreign")), 0);
	assert_int_equal(lchown(in_place("ours/foreign"), 4713, 4713), 0);
	assert_owner("ours/foreign/passwd", 4713);
	assert_int_equal(symlink("loop", in_place("ours/loop")), 0);
	assert_owner("ours/loop/file", 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fresh_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),           TEST(test_found),
		TEST(test_owners),         TEST(test_read),
		TEST(test_lock),           TEST(test_lock_is_waited_for),
		TEST(test_replace),        TEST(test_replaced_file_keeps_owner_and_mode),
		TEST(test_replace_a_link), TEST(test_what_was_left_is_removed),
		TEST(test_replace_fails),  TEST(test_keeping_from_writers),
		TEST(test_path_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
