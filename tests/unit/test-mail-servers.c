#include "unit.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "admin/mail-servers/dovecot-files.h"
#include "admin/mail-servers/postfix.h"
#include "admin/mail-servers/program-output.h"
#include "admin/mail-servers/setting.h"
#include "directory.h"

static void test_settings(void **state)
{
	struct setting *all = setting_parse("# 2.4.1 (x): /etc/dovecot/dovecot.conf\n"
					    "ssl = yes\n"
					    "mailbox \"Sent \\\"Mail\\\"\" {\n"
					    "  special_use = \"\\\\Sent\"\n"
					    "}\n"
					    "service auth {\n"
					    "  extra_groups = \n"
					    "  unix_listener login/login {\n"
					    "    mode = 0666\n"
					    "  }\n"
					    "  user = x = y\n"
					    "}\n"
					    "ssl = no\n");
	const struct setting *mailbox = setting_find(all, "mailbox");
	const struct setting *auth = setting_find(all, "service");
	(void)state;

	assert_true(setting_is_yes(all, "ssl"));
	assert_string_equal(mailbox->value, "Sent \"Mail\"");
	assert_string_equal(setting_value(mailbox, "special_use"), "\\Sent");
	assert_string_equal(auth->value, "auth");
	assert_string_equal(setting_value(auth, "extra_groups"), "");
	assert_string_equal(setting_value(auth, "user"), "x = y");
	assert_string_equal(setting_value(setting_find(auth, "unix_listener"), "mode"), "0666");
	assert_string_equal(setting_value(all, "mode"), "");
	assert_int_equal(all->settings->len, 4);
	setting_free(all);
}

static void assert_list(const char *text, const char *wanted)
{
	struct setting *all = setting_parse(text);
	char **list = setting_list(all, "list"), *joined = g_strjoinv("|", list);

	assert_string_equal(joined, wanted);
	g_free(joined);
	g_strfreev(list);
	setting_free(all);
}

static void test_lists(void **state)
{
	(void)state;
	assert_list("list = a b,c ,  d\n", "a|b|c|d");
	assert_list("list {\n  a = yes\n  b = no\n  c = yes\n}\n", "a|c");
	assert_list("list = \n", "");
	assert_list("other = a\n", "");
}

static void test_what_is_no_configuration(void **state)
{
	static const char *const texts[] = {
		"", "}", "}\n}\n}\n", "{", "{\n{\n{", " = ", "=", "\"", "\"\"", "a = \"", "\" {",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(texts); i++)
		setting_free(setting_parse(texts[i]));
}

static void test_depth(void **state)
{
	GString *text = g_string_new(NULL);
	(void)state;

	for (int i = 0; i < 1000; i++)
		g_string_append(text, "a {\n");
	g_string_append(text, "b = c\n");
	setting_free(setting_parse(text->str));
	g_string_free(text, TRUE);
}

static void assert_postfix_list(const char *value, const char *wanted)
{
	char **list = postfix_list(value), *joined = g_strjoinv("|", list);

	assert_string_equal(joined, wanted);
	g_free(joined);
	g_strfreev(list);
}

static void test_restrictions(void **state)
{
	(void)state;
	assert_postfix_list("", "");
	assert_postfix_list("a, b\tc,,d", "a|b|c|d");
	assert_postfix_list("check_policy_service { unix:x, timeout=10s }, permit",
			    "check_policy_service|{ unix:x, timeout=10s }|permit");
	assert_postfix_list("}{ a { b", "}{ a { b");
}

/* ---- Dovecot's files ---- */

static void write_file(const char *name, const char *text)
{
	write_in_directory(name, text, strlen(text));
}

static const struct dovecot_entry *entry_of(const struct dovecot_files *files, guint index)
{
	return &g_array_index(files->entries, struct dovecot_entry, index);
}

static void test_files(void **state)
{
	struct dovecot_files files;
	(void)state;

	write_file("a.conf", "ssl = no\n");
	write_file("b.conf", "passdb {\n  driver = pam # {\n}\n");
	write_file("main.conf",
		   "ssl = yes # really\n\n!include ?.conf\nprotocol imap {\n"
		   "  passdb x {\n    a {\n    }\n  }\n}\n!include_try later.conf\n# end\n");
	dovecot_files_read(&files, in_directory("main.conf"));
	assert_int_equal(files.paths->len, 3);
	assert_false(files.unreadable);
	assert_string_equal(files.last, in_directory("later.conf"));
	assert_int_equal(dovecot_files_find(&files, "ssl")->line, 1);
	assert_string_equal(dovecot_files_find(&files, "ssl")->path, in_directory("a.conf"));
	assert_null(dovecot_files_find(&files, "driver"));
	assert_string_equal(entry_of(&files, 2)->name, "passdb");
	assert_string_equal(entry_of(&files, 2)->in, "");
	assert_int_equal(entry_of(&files, 2)->end, 3);
	assert_string_equal(entry_of(&files, 5)->in, "protocol imap");
	assert_string_equal(entry_of(&files, 5)->value, "x");
	assert_int_equal(entry_of(&files, 5)->line, 5);
	assert_int_equal(entry_of(&files, 5)->end, 8);
	dovecot_files_clear(&files);
}

static void test_files_that_are_none(void **state)
{
	struct dovecot_files files;
	(void)state;

	write_file("loop.conf",
		   "!include loop.conf\n}\n{\n!include\n!include_try /nonexistent/*\n");
	dovecot_files_read(&files, in_directory("loop.conf"));
	assert_true(files.paths->len <= 500);
	dovecot_files_clear(&files);
	dovecot_files_read(&files, "/nonexistent");
	assert_true(files.unreadable);
	assert_string_equal(files.last, "/nonexistent");
	dovecot_files_clear(&files);
}

/* ---- programs ---- */

static void assert_output(const char *script, const char *text, const char *problem)
{
	struct program_output output =
		program_output((const char *const[]){"/bin/sh", "-c", script, NULL}, 2, 10000);

	if (text != NULL)
		assert_string_equal(output.text, text);
	else
		assert_null(output.text);
	if (problem != NULL)
		assert_non_null(strstr(output.problem, problem));
	else
		assert_null(output.problem);
	program_output_clear(&output);
}

static void test_programs(void **state)
{
	time_t begun = time(NULL);
	(void)state;

	assert_output("echo text; echo trouble >&2", "text\n", NULL);
	assert_output("echo trouble >&2; echo more >&2; exit 3", NULL, "status 3: trouble");
	assert_output("exec sleep 600", NULL, "within 2 seconds");
	assert_output("sleep 600 & exit 0", NULL, "within 2 seconds");
	assert_output("exec cat /dev/zero", NULL, "more than 10000 bytes");
	assert_output("exec cat /dev/zero >&2", NULL, "within 2 seconds");
	assert_output("kill -9 $$", NULL, "signal 9");
	assert_output("printf '\\377'", "\357\277\275", NULL);
	assert_true(time(NULL) - begun < 60);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_what_is_no_configuration),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test_setup_teardown(test_files, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_files_that_are_none, make_directory,
						remove_directory),
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
