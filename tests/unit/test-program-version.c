#include "unit.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "admin/mail-servers/program-version.h"

static char *ask(const char *script)
{
	return program_version((const char *const[]){"/bin/sh", "-c", script, NULL});
}

static void test_first_word(void **state)
{
	static const char *const scripts[] = {
		"echo '2.3.19.1 (9b53102964)'",
		"echo 2.3.19.1",
		"printf 2.3.19.1",
		"printf '2.3.19.1\\nand much more\\n'; exec cat /dev/zero",
		"echo 2.3.19.1; echo trouble >&2",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(scripts); i++) {
		char *version = ask(scripts[i]);

		/* What goes on for ever is ended, and is none. */
		if (strstr(scripts[i], "zero") != NULL) {
			assert_null(version);
			continue;
		}
		assert_string_equal(version, "2.3.19.1");
		g_free(version);
	}
}

static void test_no_version(void **state)
{
	(void)state;

	assert_null(ask("exit 0"));
	assert_null(ask("echo; echo 2.3"));
	assert_null(ask("echo 2.3; exit 1"));
	assert_null(program_version((const char *const[]){"/nonexistent", NULL}));
}

static void test_no_answer(void **state)
{
	time_t begun = time(NULL);
	(void)state;

	assert_null(ask("exec sleep 600"));
	assert_null(ask("echo 2.3; exec sleep 600"));
	assert_true(time(NULL) - begun < 60);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_word),
		cmocka_unit_test(test_no_version),
		cmocka_unit_test(test_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
