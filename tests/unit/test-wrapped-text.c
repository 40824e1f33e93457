#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/terminal/wrapped-text.h"

/* What is printed on standard output. */
static void check(const char *text, size_t column, size_t indent, size_t width, const char *shown)
{
	FILE *file = tmpfile();
	int before = dup(STDOUT_FILENO);
	char printed[1024];
	size_t length;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	wrapped_text_print(text, column, indent, width);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	rewind(file);
	length = fread(printed, 1, sizeof(printed) - 1, file);
	printed[length] = '\0';
	fclose(file);
	assert_string_equal(printed, shown);
}

static void test_blanks(void **state)
{
	(void)state;
	check("", 0, 2, 10, "\n");
	check("one two", 0, 2, 7, "one two\n");
	check("one two", 0, 2, 6, "one\n  two\n");
	check("one two three", 0, 2, 8, "one two\n  three\n");
	check("one two three", 0, 2, SIZE_MAX, "one two three\n");
	check("one\ntwo", 0, 2, 10, "one\n  two\n");
	check("\none", 0, 0, 10, "\none\n");
	/* Behind a label of so many columns. */
	check("one two three", 6, 6, 13, "one two\n      three\n");
	check("three", 8, 2, 10, "\n  three\n");
	/* Of several blanks, none is left where a line ends. */
	check("one  two", 0, 2, 6, "one\n  two\n");
	check("one  two", 0, 2, 3, "one\ntwo\n");
	check("one  two", 0, 2, 8, "one  two\n");
	/* A blank at the begin is not where a line ends. */
	check("  one two", 0, 4, 8, "  one\n    two\n");
}

static void test_long_words(void **state)
{
	(void)state;
	check("abcdefghij", 0, 2, 5, "abcde\n  fgh\n  ij\n");
	check("abcdefghij", 0, 2, 3, "abc\ndef\nghi\nj\n");
	check("abcdefghij kl", 0, 2, 12, "abcdefghij\n  kl\n");
	check("kl abcdefghij", 0, 2, 8, "kl\n  abcdef\n  ghij\n");
}

static void test_wide_characters(void **state)
{
	(void)state;
	check("\xe5\x90\x8d\xe5\x89\x8d", 0, 0, 3, "\xe5\x90\x8d\n\xe5\x89\x8d\n");
	/* Wider than the terminal: it has to stand somewhere. */
	check("\xe5\x90\x8d\xe5\x89\x8d", 0, 0, 1, "\xe5\x90\x8d\n\xe5\x89\x8d\n");
	check("u\xcc\x88u\xcc\x88u\xcc\x88", 0, 0, 2, "u\xcc\x88u\xcc\x88\nu\xcc\x88\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_wide_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
