#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/questions/loaded-policy.h"

static time_t changed(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_ctime;
}

/* As a time zone's is. */
static void test_a_link_to_an_old_file_is_a_change(void **state)
{
	char directory[] = "/tmp/portcullis-loaded.XXXXXX", file[64], link[64];
	struct policy policy = {.file = link};
	const struct loaded_policy loaded = {.policy = &policy};
	FILE *old;
	(void)state;

	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/file", directory);
	snprintf(link, sizeof(link), "%s/link", directory);
	old = fopen(file, "w");
	assert_non_null(old);
	fclose(old);
	usleep(1100000);
	assert_int_equal(symlink(file, link), 0);
	assert_true(changed(link) > changed(file));
	assert_true(loaded_changed(&loaded) >= changed(link));
	/* And so is what it leads to. */
	usleep(1100000);
	assert_int_equal(chmod(file, 0600), 0);
	assert_true(loaded_changed(&loaded) >= changed(file));
	unlink(link);
	unlink(file);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_link_to_an_old_file_is_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
