#include "unit.h"

#include <string.h>

#include "admin/terminal/terminal-text.h"

static void check(const char *text, size_t columns, const char *shown, size_t width)
{
	GString *to = g_string_new("before|");

	assert_int_equal(terminal_text_append(to, text, columns), width);
	assert_true(g_str_has_prefix(to->str, "before|"));
	assert_string_equal(to->str + strlen("before|"), shown);
	g_string_free(to, TRUE);
}

static void test_plain(void **state)
{
	(void)state;
	check("", 10, "", 0);
	check("alice@example.org", 20, "alice@example.org", 17);
	check("exactly", 7, "exactly", 7);
	check("a b\\c%s", 10, "a b\\c%s", 7);
}

static void test_harmless(void **state)
{
	(void)state;
	check("\x1b[31m", 20, "\\x1b[31m", 8);
	check("a\nb\tc\r", 20, "a\\nb\\tc\\x0d", 11);
	check("\x7f", 20, "\\x7f", 4);
	/* A control character of C1, in UTF-8 and as a byte. */
	check("\xc2\x9b", 20, "\\u{9b}", 6);
	check("\x9b", 20, "\\x9b", 4);
	/* Neither UTF-8 that is cut short, nor surrogates. */
	check("\xc3", 20, "\\xc3", 4);
	check("\xed\xa0\x80", 20, "\\xed\\xa0\\x80", 12);
	/* Right-to-left override, zero-width blank. */
	check("\xe2\x80\xae", 20, "\\u{202e}", 8);
	check("\xe2\x80\x8b", 20, "\\u{200b}", 8);
	/* Isolates and marks of direction. */
	check("\xe2\x81\xa6", 20, "\\u{2066}", 8);
	check("\xe2\x80\x8f", 20, "\\u{200f}", 8);
	check("\xd8\x9c", 20, "\\u{61c}", 7);
	check("\xf4\x8f\xbf\xbf", 20, "\\u{10ffff}", 10);
}

static void test_width(void **state)
{
	(void)state;
	check("m\xc3\xbcller", 6, "m\xc3\xbcller", 6);
	/* Chinese takes two columns each. */
	check("\xe5\x90\x8d\xe5\x89\x8d", 4, "\xe5\x90\x8d\xe5\x89\x8d", 4);
	check("\xe5\x90\x8d\xe5\x89\x8d", 3, "\xe5\x90\x8d\xe2\x80\xa6", 3);
	check("\xe5\x90\x8d\xe5\x89\x8d", 2, "\xe2\x80\xa6", 1);
}

static void test_marks(void **state)
{
	(void)state;
	/* Upon a letter, as many as languages have. */
	check("e\xcc\x81t\xcc\x81", 20, "e\xcc\x81t\xcc\x81", 2);
	check("e\xcc\x82\xcc\xa3", 20, "e\xcc\x82\xcc\xa3", 1);
	check("e\xcc\x82\xcc\xa3\xcc\x81", 20, "e\xcc\x82\xcc\xa3\\u{301}", 8);
	/* Upon nothing, or upon what is none. */
	check("\xcc\x81", 20, "\\u{301}", 7);
	check(" \xcc\x81", 20, " \\u{301}", 8);
	check("\n\xcc\x81", 20, "\\n\\u{301}", 9);
	/* An invisible one: the selector of a variant, the grapheme joiner. */
	check("a\xef\xb8\x8f", 20, "a\\u{fe0f}", 9);
	check("a\xcd\x8f", 20, "a\\u{34f}", 8);
	/* A letter is cut with its marks. */
	check("abe\xcc\x81", 3, "abe\xcc\x81", 3);
	check("abe\xcc\x81s", 3, "ab\xe2\x80\xa6", 3);
	check("abe\xcc\x81st", 4, "abe\xcc\x81\xe2\x80\xa6", 4);
}

static void test_cut(void **state)
{
	(void)state;
	check("too long", 7, "too lo\xe2\x80\xa6", 7);
	check("too long", 1, "\xe2\x80\xa6", 1);
	check("too long", 0, "", 0);
	/* What stands for a character is not cut. */
	check("ab\x1b", 5, "ab\xe2\x80\xa6", 3);
	check("ab\x1b", 6, "ab\\x1b", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_width), cmocka_unit_test(test_marks),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
