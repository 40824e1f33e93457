#define _GNU_SOURCE

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/separate-process.h"

/* So long that a slow machine does not come so far. */
#define LONG 60000

static int refuse(const void *context)
{
	return *(const int *)context;
}

static void test_the_result_comes_back(void **state)
{
	(void)state;
	for (int result = 0; result < 3; result++)
		assert_int_equal(separate_process_call(refuse, &result, LONG), result);
}

static int end_without_a_word(const void *context)
{
	(void)context;
	_exit(0);
}

static void test_one_that_ends_early(void **state)
{
	(void)state;
	assert_int_equal(separate_process_call(end_without_a_word, NULL, LONG), ECHILD);
}

/* Waits as for a disk until there is a writer, and tells it that all is well. */
static int wait_for_fifo(const void *context)
{
	int fifo = open(context, O_RDONLY | O_CLOEXEC);
	char byte;

	if (fifo < 0 || read(fifo, &byte, 1) != 1)
		_exit(1);
	return 0;
}

static void test_one_that_is_not_done_in_time(void **state)
{
	char directory[] = "/tmp/test-separate-process-XXXXXX", path[64];
	int fifo;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(separate_process_call(wait_for_fifo, path, 1), ETIMEDOUT);
	/* It goes on: somebody opens the other end. */
	fifo = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fifo >= 0);
	assert_int_equal(write(fifo, "", 1), 1);
	close(fifo);
	unlink(path);
	rmdir(directory);
}

static int count_open_files(const void *context)
{
	int count = 0;

	(void)context;
	for (int file = 0; file < 256; file++)
		count += fcntl(file, F_GETFD) >= 0;
	return count;
}

static void test_it_keeps_no_file_open(void **state)
{
	(void)state;
	/* Only the one for the answer. */
	assert_int_equal(separate_process_call(count_open_files, NULL, LONG), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_result_comes_back),
		cmocka_unit_test(test_one_that_ends_early),
		cmocka_unit_test(test_one_that_is_not_done_in_time),
		cmocka_unit_test(test_it_keeps_no_file_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
