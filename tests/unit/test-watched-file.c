#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/watched-file.h"

static char path[] = "/tmp/portcullis-watched.XXXXXX";

static int fresh_file(void **state)
{
	int file;
	(void)state;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	file = mkstemp(path);
	return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

/* Gives it another time, long ago. */
static void change(time_t seconds)
{
	const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_read_when_it_is_another(void **state)
{
	struct watched_file file = {0};
	struct file_stamp stamp;
	(void)state;

	assert_false(watched_file_is_due(&file, NULL, 1, &stamp));
	/* Somebody may still be writing. */
	assert_false(watched_file_is_due(&file, path, 1, &stamp));
	change(1000);
	assert_true(watched_file_is_due(&file, path, 1, &stamp));
	watched_file_took(&file, &stamp);
	assert_false(watched_file_is_due(&file, path, 1, &stamp));
	change(2000);
	assert_true(watched_file_is_due(&file, path, 1, &stamp));
	watched_file_took(&file, &stamp);
	/* One that is gone is another one, too. */
	unlink(path);
	assert_true(watched_file_is_due(&file, path, 1, &stamp));
	watched_file_took(&file, &stamp);
	assert_false(watched_file_is_due(&file, path, 1, &stamp));
}

static void test_tried_again_until_it_is_read(void **state)
{
	static const time_t waits[] = {5, 10, 20, 40, 60, 60};
	struct watched_file file = {0};
	struct file_stamp stamp;
	time_t now = 1000;
	(void)state;

	change(1000);
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		assert_true(watched_file_is_due(&file, path, now, &stamp));
		assert_int_equal(watched_file_has_failed(&file, &stamp), i > 0);
		watched_file_failed(&file, &stamp, now);
		assert_false(watched_file_is_due(&file, path, now + waits[i] - 1, &stamp));
		now += waits[i];
	}
	/* Another one is new trouble, and need not wait. */
	change(2000);
	assert_true(watched_file_is_due(&file, path, now - 1, &stamp));
	assert_false(watched_file_has_failed(&file, &stamp));
	watched_file_failed(&file, &stamp, now);
	assert_true(watched_file_is_due(&file, path, now + 5, &stamp));
	watched_file_took(&file, &stamp);
	assert_false(watched_file_is_due(&file, path, now + 1000, &stamp));
}

static void test_back_in_its_place(void **state)
{
	struct watched_file file = {0};
	struct file_stamp stamp, gone;
	char elsewhere[sizeof(path) + 4];
	(void)state;

	/* A name changes the time of its file, the directory's does not. */
	change(1000);
	assert_true(watched_file_is_due(&file, path, 1, &stamp));
	watched_file_took(&file, &stamp);
	snprintf(elsewhere, sizeof(elsewhere), "%s/x", path);
	assert_true(watched_file_is_due(&file, elsewhere, 1, &gone));
	watched_file_failed(&file, &gone, 1);
	assert_false(watched_file_is_due(&file, path, 1, &stamp));
	/* So that it is told when it is away again. */
	assert_true(watched_file_is_due(&file, elsewhere, 1, &gone));
	assert_false(watched_file_has_failed(&file, &gone));
}

/* A missing file has a stamp as well. */
static void test_missing_from_the_first(void **state)
{
	struct watched_file file = {0};
	struct file_stamp stamp;
	(void)state;

	unlink(path);
	assert_true(watched_file_is_due(&file, path, 1, &stamp));
	watched_file_failed(&file, &stamp, 1);
	assert_false(watched_file_is_due(&file, path, 1, &stamp));
	assert_true(watched_file_is_due(&file, path, 6, &stamp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, fresh_file, remove_file)
		FILE_TEST(test_read_when_it_is_another),
		FILE_TEST(test_tried_again_until_it_is_read),
		FILE_TEST(test_back_in_its_place),
		FILE_TEST(test_missing_from_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
