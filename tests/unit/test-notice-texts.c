#include "unit.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/sightings/harmless-text.h"
#include "admin/sightings/mail-program.h"
#include "admin/wording/notice-vocabulary.h"

#define SAID_SIZE 4096

static void note(void *context, const char *message)
{
	char *said = context;
	size_t length = strlen(said);

	snprintf(said + length, SAID_SIZE - length, "%s\n", message);
}

/* Writes a line for each block. */
struct recorder {
	struct text_writer writer;
	char text[SAID_SIZE];
};

static void record(struct text_writer *writer, enum text_block block, const char *text)
{
	static const char *const marks[] = {"p", "h", "s", "i", "n"};
	struct recorder *recorder = (struct recorder *)writer;
	size_t length = strlen(recorder->text);

	snprintf(recorder->text + length, SAID_SIZE - length, "%s:%s\n", marks[block], text);
}

static bool three_rules(struct text_source *source, unsigned int loop, size_t index)
{
	static const char *const titles[] = {"one", "two", "three"};

	if (loop != EACH_RULE || index >= COUNT(titles))
		return false;
	source->values[VALUE_RULE] = titles[index];
	source->values[VALUE_CHANGE] = "change-it";
	return true;
}

static struct text_sections *parse(const char *text, char said_r[static SAID_SIZE])
{
	struct text_sections *sections = text_sections_create(&notice_vocabulary);

	said_r[0] = '\0';
	if (text_sections_add(sections, "f", text, note, said_r))
		text_sections_check(sections, "first", PLACE_MAIL, HEAD_MAIL, note, said_r);
	return sections;
}

static void assert_renders(const char *text, struct text_source *source, const char *expected)
{
	struct recorder recorder = {.writer = {record}};
	char said[SAID_SIZE];
	struct text_sections *sections = parse(text, said);

	assert_string_equal(said, "");
	text_sections_render(sections, "first", source, &recorder.writer);
	assert_string_equal(recorder.text, expected);
	text_sections_free(sections);
}

static void test_blocks(void **state)
{
	const char *values[VALUE_COUNT] = {NULL};
	struct text_source source = {.values = values, .select = three_rules};

	(void)state;
	assert_renders("# comment\n[first]\nSubject: x\n= Head\n== Sub\none\n  two\n\nthree\n"
		       "- item\n  goes on\n- other\n1. step\n{{ and }}\n",
		       &source,
		       "h:Head\ns:Sub\np:one two\np:three\ni:item goes on\ni:other\n"
		       "n:step { and }\n");
}

static void test_conditions(void **state)
{
	const char *values[VALUE_COUNT] = {NULL};
	struct text_source source = {.values = values, .select = three_rules};
	const char *text = "[first]\nSubject: x\n{if user}\nyes {user}\n{else}\nno\n{end}\n"
			   "a {if user}b{if more} c{end}{else}d{end} e{if\n  user}.{end}\n";

	(void)state;
	assert_renders(text, &source, "p:no\np:a d e\n");
	source.values[VALUE_USER] = "u";
	assert_renders(text, &source, "p:yes u\np:a b e.\n");
	source.values[VALUE_MORE] = "1";
	assert_renders(text, &source, "p:yes u\np:a b c e.\n");
}

static void test_loops(void **state)
{
	const char *values[VALUE_COUNT] = {NULL};
	struct text_source source = {.values = values, .select = three_rules};

	(void)state;
	assert_renders("[first]\nSubject: x\n{each rule}\n- {rule}\n{change}\n{end}\n"
		       "{each sighting}\n{program}\n{else}\nnone\n{end}\n{include last}\n"
		       "[change-it]\n{rule}!\n[last]\nend\n",
		       &source, "i:one\np:one!\ni:two\np:two!\ni:three\np:three!\np:none\np:end\n");
}

/* What a value holds is text, whatever it looks like. */
static void test_values_are_no_markup(void **state)
{
	const char *values[VALUE_COUNT] = {NULL};
	struct text_source source = {.values = values, .select = three_rules};

	(void)state;
	source.values[VALUE_USER] = "= {organisation} {if x} - 1. [first] <b>";
	assert_renders("[first]\nSubject: x\n{user}\n- {user}\n", &source,
		       "p:= {organisation} {if x} - 1. [first] <b>\n"
		       "i:= {organisation} {if x} - 1. [first] <b>\n");
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"x\n[first]\nSubject: x\n", "f:1: text before the first [section]\n"},
		{"[First]\n", "f:1: invalid section name: lower-case letters, digits and hyphens "
			      "are allowed, as in [last-call]\n"},
		{"[first]\nno subject\n",
		 "f:1: [first] does not begin with a line \"Subject: ...\"\n"},
		{"[first]\nSubject: x\n[first]\nSubject: y\n",
		 "f:3: duplicate section [first] (the first is in line 1)\n"},
		{"[first]\nSubject: x\n\n{organization}\n",
		 "f:4: unknown placeholder {organization}\n"},
		{"[first]\nSubject: {program}\n", "f:2: {program} has no value here\n"},
		{"[first]\nSubject: x\ntwo\n{user} {rule}\n", "f:4: {rule} has no value here\n"},
		{"[first]\nSubject: x\n{if user}\nx\n", "f:3: {if user} has no {end}\n"},
		{"[first]\nSubject: x\n{if nothing}\n{end}\n",
		 "f:3: unknown placeholder in {if nothing}\n"},
		{"[first]\nSubject: x\n{each thing}\n{end}\n",
		 "f:3: unknown loop 'thing' (one of rule, sighting, program, brownout, change)\n"},
		{"[first]\nSubject: x\n{each change}\n{end}\n",
		 "f:3: {each change} is not available here\n"},
		{"[first]\nSubject: x\n{if user}\n{else}\n{else}\n{end}\n",
		 "f:3: {if user} has two {else}\nf:6: {end} has no {if} or {each} before it\n"},
		{"[first]\nSubject: x\n{end}\n", "f:3: {end} has no {if} or {each} before it\n"},
		{"[first]\nSubject: x\na\n{if user}b\n", "f:4: {if user} has no {end}\n"},
		{"[first]\nSubject: x\na {end}\n",
		 "f:3: {end} has no {if} before it in this paragraph\n"},
		{"[first]\nSubject: x\na {each rule} b\n",
		 "f:3: {each rule} must stand on a line of its own\n"},
		{"[first]\nSubject: x\na {user\n",
		 "f:3: '{' without '}' (write {{ for a literal brace)\n"},
		{"[first]\nSubject: x\na user}\n",
		 "f:3: '}' without '{' (write }} for a literal brace)\n"},
		{"[first]\nSubject: x\n{include other}\n",
		 "f:3: there is no section [other] to include\n"},
		{"[first]\nSubject: x\n{include other}\n[other]\n{include first}\n",
		 "f:5: this would make [first] include itself\n"},
		{"[first]\nSubject: x\n{change}\n",
		 "f:3: {change} is allowed only within {each rule}\n"},
		{"[first]\nSubject: x\n{steps}\n",
		 "f:3: {steps} is allowed only within {each program}\n"},
		{"[first]\nSubject: x\n{each program}\n{steps}\n{end}\n[steps-a]\n{steps}\n",
		 "f:7: this would make [steps-a] include itself\n"},
		{"[first]\nSubject: x\n{each rule}\n{change}\n{end}\n[change-a]\n{include b}\n"
		 "[b]\n{change}\n",
		 "f:9: this would make [change-a] include itself\n"},
		{"[words]\nand = x\nbad = x\nworse\n",
		 "f:3: unknown word 'bad'\nf:4: expected \"key = text\"\n"},
		{"[words]\nand = x\nand = y\nor =\n",
		 "f:3: duplicate word 'and'\nf:4: the word 'or' is empty\n"},
		{"[words]\nweekdays = Sunday Monday\n", "f:2: 'weekdays' must be 7 names\n"},
		{"[words]\ndate = {if day}{month}{user}{end}\n", "f:2: {user} has no value here\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char said[SAID_SIZE];

		text_sections_free(parse(cases[i].text, said));
		assert_string_equal(said, cases[i].said);
	}
}

/* Conditions within each other, as many lines or as one. */
static char *nested(size_t depth, const char *between)
{
	GString *text = g_string_new("[first]\nSubject: x\n");

	for (size_t i = 0; i < depth; i++)
		g_string_append_printf(text, "{if user}%s", between);
	for (size_t i = 0; i < depth; i++)
		g_string_append_printf(text, "{end}%s", between);
	return g_string_free(text, FALSE);
}

/* ASan's strstr() goes through the whole rest of the text at each call. */
#ifdef __SANITIZE_ADDRESS__
#define DEEP 10000
#else
#define DEEP 100000
#endif

static void test_depth(void **state)
{
	static const char *const between[] = {"", "\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(between); i++) {
		char said[SAID_SIZE], *text = nested(16, between[i]);

		text_sections_free(parse(text, said));
		assert_string_equal(said, "");
		g_free(text);
		text = nested((size_t)rounds(DEEP), between[i]);
		text_sections_free(parse(text, said));
		assert_non_null(strstr(said, ": conditions and loops are nested too deeply\n"));
		g_free(text);
	}
}

static void test_unused(void **state)
{
	char said[SAID_SIZE];
	struct text_sections *sections = parse("[first]\nSubject: x\n[frist]\n", said);

	(void)state;
	assert_string_equal(said, "");
	assert_true(text_sections_check_unused(sections, "other", note, said));
	assert_string_equal(said, "");
	assert_false(text_sections_check_unused(sections, "f", note, said));
	assert_string_equal(said, "f:3: section [frist] is not used anywhere\n");
	text_sections_free(sections);
}

/* Depth and nonsense must not hurt: each is refused or rendered. */
static void test_nonsense(void **state)
{
	static const char alphabet[] = "{}[]=-1. \nifendelseachrule#user";
	char text[400], said[65536];
	unsigned int seed = 4711;

	(void)state;
	for (int round = 0; round < rounds(20000); round++) {
		size_t length = (size_t)rand_r(&seed) % (sizeof(text) - 40);
		struct text_sections *sections;
		char *out = text;

		out += sprintf(out, "[first]\nSubject: x\n");
		for (size_t i = 0; i < length; i++) {
			static const char *const words[] = {"{if user}", "{else}", "{end}",
							    "{each rule}\n", "\n"};

			if (rand_r(&seed) % 8 == 0 && out - text < 360)
				out += sprintf(out, "%s",
					       words[(size_t)rand_r(&seed) % COUNT(words)]);
			else if (out - text < 380)
				*out++ = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		}
		*out = '\0';
		sections = parse(text, said);
		if (said[0] == '\0') {
			struct recorder recorder = {.writer = {record}};
			const char *values[VALUE_COUNT] = {NULL};
			struct text_source source = {.values = values, .select = three_rules};

			text_sections_render(sections, "first", &source, &recorder.writer);
		}
		text_sections_free(sections);
	}
}

static void test_harmless_text(void **state)
{
	static const struct {
		const char *text, *harmless;
	} cases[] = {
		{"Thunderbird", "Thunderbird"},
		{"  a \t b\r\nBcc: x  ", "a b Bcc: x"},
		{"\x1b[31mred\x07", "[31mred"},
		{"a\xff\xfe z", "a\xef\xbf\xbd\xef\xbf\xbd z"},
		{"\xe2\x80\xae"
		 "gpj.exe",
		 "gpj.exe"}, /* turns the direction */
		{"a\xe2\x80\x8b"
		 "b\xef\xbb\xbf",
		 "ab"}, /* no width */
		{"a\xe2\x80\xa8"
		 "b",
		 "a b"}, /* line separator */
		{"a\xc2\x85"
		 "b",
		 "a b"}, /* next line, C1 */
		{"Z\xcc\x81\xcc\x82\xcc\x83\xcc\x84", "\xc5\xb9"},
		{"M\xc3\xbcller", "M\xc3\xbcller"},
		{"123456789012345678901234567890", "1234567890123456789\xe2\x80\xa6"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = harmless_text(cases[i].text, 20);

		assert_string_equal(text, cases[i].harmless);
		g_free(text);
	}
}

static void test_program_names(void **state)
{
	static const struct {
		const char *client_id, *name; /* NULL: none */
		enum mail_program program;
	} cases[] = {
		{"name=Thunderbird version=115.3.1", "Thunderbird 115.3.1",
		 MAIL_PROGRAM_THUNDERBIRD},
		{"NAME=Thunderbird VERSION=115", "Thunderbird 115", MAIL_PROGRAM_THUNDERBIRD},
		{"name=iPhone Mail version=20A362 os=iOS os-version=16.0", "iPhone Mail",
		 MAIL_PROGRAM_IPHONE},
		{"name=Mac OS X Mail version=16.0 (3696)", "Mac OS X Mail", MAIL_PROGRAM_MAC},
		{"version=1 name=K-9 Mail", "K-9 Mail 1", MAIL_PROGRAM_K9},
		{"name=com.google.android.gm version=2024.05 vendor=Google", "Gmail",
		 MAIL_PROGRAM_GMAIL},
		{"name=com.samsung.android.email.provider", "Samsung Email", MAIL_PROGRAM_SAMSUNG},
		{"name=Thunderbird for Android", "Thunderbird for Android", MAIL_PROGRAM_K9},
		{"name=Microsoft Outlook", "Microsoft Outlook", MAIL_PROGRAM_OUTLOOK},
		{"", NULL, MAIL_PROGRAM_GENERAL},
		{"vendor=x", NULL, MAIL_PROGRAM_GENERAL},
		{"name=", NULL, MAIL_PROGRAM_GENERAL},
		{"name=Your account is locked, see https://evil.example/", NULL,
		 MAIL_PROGRAM_GENERAL},
		{"name=www.evil.example", NULL, MAIL_PROGRAM_GENERAL},
		{"name=log in at evil.example", NULL, MAIL_PROGRAM_GENERAL},
		{"name=boss@evil.example", NULL, MAIL_PROGRAM_GENERAL},
		{"name=<script>", NULL, MAIL_PROGRAM_GENERAL},
		{"name=gmail.evil.example", "Gmail", MAIL_PROGRAM_GMAIL},
		{"vendor=samsung name=mail.evil.example", NULL, MAIL_PROGRAM_SAMSUNG},
		{"name=a version=1.evil.example", "a", MAIL_PROGRAM_GENERAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *name = mail_program_name(cases[i].client_id);

		if (cases[i].name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, cases[i].name);
		assert_int_equal(mail_program_of(cases[i].client_id), cases[i].program);
		g_free(name);
	}
}

static void test_program_labels(void **state)
{
	static const struct {
		const char *client_id, *label; /* NULL: none */
	} cases[] = {
		{"name=Thunderbird version=115.3.1", "Thunderbird 115.3.1"},
		{"name=iPad Mail version=20A362", "iPad Mail"},
		{"name=k-9 mail version=6.8", "K-9 Mail 6.8"},
		{"name=Thunderbird for Android", "Thunderbird for Android"},
		{"name=com.google.android.gm version=2024.05", "Gmail"},
		{"name=eM Client version=9.2", "eMClient 9.2"},
		{"name=Mail.2 version=1", "Mail.2 1"},
		{"", NULL},
		{"name=", NULL},
		{"name=<!-- -->", NULL},
		/* The words of a stranger, also where they come with a name that is known. */
		{"name=Your account is locked. Call 0190 123456!", NULL},
		{"name=Your account is locked! Call 0190 123456!", "YouraccountislockedCall0"},
		{"name=Thunderbird: pay 5 EUR", "Thunderbirdpay5EUR"},
		{"name=(\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0) \xe2\x80\xae", NULL},
		{"name=evil.example", NULL},
		{"name=ev-il.exam/ple", NULL},
		{"name=ww w.evil", NULL},
		{"name=a version=1 call 0190", "a"},
		{"name=a version=1/2", "a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *label = mail_program_label(cases[i].client_id);

		if (cases[i].label == NULL)
			assert_null(label);
		else
			assert_string_equal(label, cases[i].label);
		g_free(label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),         cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_loops),          cmocka_unit_test(test_values_are_no_markup),
		cmocka_unit_test(test_mistakes),       cmocka_unit_test(test_depth),
		cmocka_unit_test(test_unused),         cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_harmless_text),  cmocka_unit_test(test_program_names),
		cmocka_unit_test(test_program_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
