#include "unit.h"
#include "directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "admin/files/line-reader.h"
#include "admin/store/id-cache.h"
#include "admin/journal/journal-file.h"
#include "admin/journal/journal-line.h"
#include "admin/journal/set-aside.h"
#include "tests/unit/format-sighting.h"

/* ---- lines ---- */

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} right[] = {
		{"1970-01-01T00:00:00.000Z", 0},
		{"1969-12-31T23:59:59.999Z", -1},
		{"2024-09-20T08:15:02.123Z", 1726820102123},
		{"2024-09-20T08:15:02Z", 1726820102000},
		{"2024-09-20t08:15:02.1z", 1726820102100},
		{"2024-09-20T08:15:02.123999Z", 1726820102123},
		{"2024-09-20T10:15:02.123+02:00", 1726820102123},
		{"2024-09-20T03:45:02.123-04:30", 1726820102123},
		{"2024-02-29T00:00:00Z", 1709164800000},
		{"2000-02-29T12:00:00Z", 951825600000},
		{"2016-12-31T23:59:60Z", 1483228800000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};
	static const char *const wrong[] = {
		"",
		"2024-09-20",
		"2024-09-20T08:15:02",
		"2024-09-20T08:15:02.Z",
		"2024-09-20T08:15:02.123Z ",
		"2024-09-20T24:00:00Z",
		"2024-09-20T08:60:00Z",
		"2024-09-20T08:15:61Z",
		"2024-00-20T08:15:02Z",
		"2024-13-20T08:15:02Z",
		"2024-09-31T08:15:02Z",
		"2024-09-00T08:15:02Z",
		"2023-02-29T08:15:02Z",
		"1900-02-29T08:15:02Z",
		"0000-01-01T08:15:02Z",
		"24-09-20T08:15:02Z",
		"2024-09-20T08:15:02+24:00",
		"2024-09-20T08:15:02+0200",
		" 2024-09-20T08:15:02Z",
		"+024-09-20T08:15:02Z",
	};
	int64_t time;
	(void)state;

	for (size_t i = 0; i < COUNT(right); i++) {
		if (!journal_time_parse(right[i].text, &time))
			fail_msg("%s is refused", right[i].text);
		assert_int_equal(time, right[i].time);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (journal_time_parse(wrong[i], &time))
			fail_msg("%s is taken", wrong[i]);
	}
}

/* What the servers write is read back as it was. */
static void test_line_of_our_writer(void **state)
{
	static struct rule rules[] = {{.title = (char *)"mechanism", .index = 0},
				      {.title = (char *)"country", .index = 1},
				      {.title = (char *)"encryption", .index = 2}};
	const struct policy policy = {.rules = rules, .rule_count = 3};
	struct attempt attempt = {.source = SOURCE_POSTFIX,
				  .service = SERVICE_SUBMISSION,
				  .tls = TLS_STARTTLS,
				  .port = 587,
				  .user = "al\"ice\x1f\xc3\xbc@example.org",
				  .mechanism = "CRAM-MD5",
				  .client_id = "pc",
				  .session = "s"};
	const struct verdict verdict = {.outcome = OUTCOME_REJECT_BEFORE,
					.broken = 7,
					.phases = {PHASE_NOTIFY, PHASE_ENFORCE, PHASE_OBSERVE},
					.country = {"US"}};
	const struct sighting sighting = {.attempt = &attempt,
					  .policy = &policy,
					  .verdict = &verdict,
					  .verified = true,
					  .time = {1726820102, 123456789}};
	char text[SIGHTING_LINE_SIZE], client[ADDRESS_TEXT_SIZE];
	struct journal_line line;
	const char *error;
	size_t length;
	(void)state;

	assert_true(address_parse("2001:db8::1", &attempt.client));
	length = format_sighting(&sighting, "mx1", text);
	if (!journal_line_parse(text, length - 1, &line, &error))
		fail_msg("%s", error);
	assert_int_equal(line.time, 1726820102123);
	assert_string_equal(line.host, "mx1");
	assert_int_equal(line.habit.source, SOURCE_POSTFIX);
	assert_int_equal(line.habit.service, SERVICE_SUBMISSION);
	assert_int_equal(line.habit.tls, TLS_STARTTLS);
	assert_int_equal(line.habit.port, 587);
	assert_string_equal(line.habit.country.code, "US");
	assert_string_equal(line.habit.mechanism, "CRAM-MD5");
	assert_string_equal(line.habit.client_id, "pc");
	assert_string_equal(line.user, attempt.user);
	assert_true(line.verified);
	assert_true(line.rejected);
	address_format(&line.client, client);
	assert_string_equal(client, "2001:db8::1");
	assert_int_equal(line.count, 1);
	assert_int_equal(line.lost, 0);
	/* Sorted, whatever the order of the policy. */
	assert_int_equal(line.rule_set.rule_count, 3);
	assert_string_equal(line.rule_set.rules[0].title, "country");
	assert_int_equal(line.rule_set.rules[0].phase, PHASE_ENFORCE);
	assert_string_equal(line.rule_set.rules[1].title, "encryption");
	assert_int_equal(line.rule_set.rules[1].phase, PHASE_OBSERVE);
	assert_string_equal(line.rule_set.rules[2].title, "mechanism");
	journal_line_free(&line);
}

/* ---- reading ---- */

static void test_reader(void **state)
{
	static const size_t lengths[] = {0,
					 1,
					 100,
					 LINE_LENGTH_MAX - 1,
					 LINE_LENGTH_MAX,
					 LINE_LENGTH_MAX + 1,
					 5,
					 2 * LINE_LENGTH_MAX - 1,
					 2 * LINE_LENGTH_MAX,
					 2 * LINE_LENGTH_MAX + 1,
					 7 * LINE_LENGTH_MAX + 3,
					 0,
					 10};
	struct line_reader *reader = line_reader_create();
	FILE *file = fopen(in_directory("lines"), "w+");
	uint64_t position = 0;
	const char *text;
	size_t length;
	(void)state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t j = 0; j < lengths[i]; j++)
			putc((int)('a' + i), file);
		putc('\n', file);
	}
	fputs("half", file);
	fflush(file);
	line_reader_begin(reader, fileno(file), 0);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		bool cut = lengths[i] > LINE_LENGTH_MAX;

		assert_int_equal(line_reader_position(reader), position);
		assert_int_equal(line_reader_next(reader, &text, &length),
				 cut ? LINE_CUT : LINE_WHOLE);
		assert_int_equal(length, cut ? LINE_LENGTH_MAX : lengths[i]);
		for (size_t j = 0; j < length; j++)
			assert_true(text[j] == (char)('a' + i));
		position += lengths[i] + 1;
	}
	/* As often as one likes; and when it is whole, it is one. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(line_reader_next(reader, &text, &length), LINE_HALF);
		assert_memory_equal(text, "half", 4);
		assert_int_equal(line_reader_position(reader), position);
	}
	fputs(" and whole\n", file);
	fflush(file);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_WHOLE);
	assert_int_equal(length, strlen("half and whole"));
	assert_memory_equal(text, "half and whole", length);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_NONE);
	/* From within. */
	line_reader_begin(reader, fileno(file), position + 5);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_WHOLE);
	assert_memory_equal(text, "and whole", length);
	/* Half a line that is too long. */
	position = line_reader_position(reader);
	for (size_t i = 0; i < 3 * LINE_LENGTH_MAX; i++)
		putc('x', file);
	fflush(file);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(line_reader_next(reader, &text, &length), LINE_HALF);
		assert_int_equal(line_reader_position(reader), position);
	}
	fputs("\nlast\n", file);
	fflush(file);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_CUT);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_WHOLE);
	assert_memory_equal(text, "last", 4);
	/* A file that is not open cannot be read. */
	line_reader_begin(reader, fileno(file), 0);
	fclose(file);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_ERROR);
	line_reader_free(reader);
}

/* ---- files ---- */

static void test_listing(void **state)
{
	static const char *const others[] = {"set-aside", "dovecot.jsonl.gz",   ".hidden.jsonl",
					     ".jsonl",    "dovecot.jsonl-2024", "notes"};
	static const char *const journals[] = {"dovecot.jsonl-20240920T081502.000001Z",
					       "mx2.jsonl-20240920T081502.000001Z", "dovecot.jsonl",
					       "mx2.jsonl"};
	struct journal_listing listing;
	(void)state;

	for (size_t i = 0; i < COUNT(others); i++)
		write_in_directory(others[i], "", 0);
	for (size_t i = 0; i < COUNT(journals); i++)
		write_in_directory(journals[i], "", 0);
	assert_true(journal_list(directory, &listing));
	assert_int_equal(listing.count, COUNT(journals));
	for (size_t i = 0; i < COUNT(journals); i++)
		assert_string_equal(listing.names[i], journals[i]);
	journal_listing_free(&listing);
	assert_false(journal_list(in_directory("missing"), &listing));

	assert_true(journal_name_is_ours("postfix.jsonl"));
	assert_true(journal_name_is_ours(journals[0]));
	assert_false(journal_name_is_ours("dovecot2.jsonl"));
	assert_false(journal_name_is_ours("mx2.jsonl"));
	assert_true(journal_names_match("mx2.jsonl", journals[1]));
	assert_false(journal_names_match("mx.jsonl", journals[1]));
}

static void test_rotation(void **state)
{
	struct journal_file file, other;
	uint64_t head, same_head;
	(void)state;

	write_in_directory("dovecot.jsonl", "one\n", 4);
	assert_int_equal(journal_file_open(directory, "postfix.jsonl", &file), 0);
	assert_int_equal(journal_file_open(directory, "dovecot.jsonl", &file), 1);
	assert_false(file.rotated);
	assert_true(journal_file_head(&file, 4, &head));
	assert_false(journal_file_head(&file, 5, &same_head));
	assert_int_equal(journal_file_rotate(directory, &file), 1);
	assert_true(file.rotated);
	assert_int_equal(access(in_directory("dovecot.jsonl"), F_OK), -1);
	assert_int_equal(access(in_directory(file.name), F_OK), 0);
	assert_int_equal(journal_file_open(directory, file.name, &other), 1);
	assert_true(other.rotated && other.ours);
	assert_true(journal_file_head(&other, 4, &same_head));
	assert_true(head == same_head);
	journal_file_close(&other);
	journal_file_close(&file);

	/* Another file took its name meanwhile. */
	write_in_directory("dovecot.jsonl", "two\n", 4);
	assert_int_equal(journal_file_open(directory, "dovecot.jsonl", &file), 1);
	assert_int_equal(unlink(in_directory("dovecot.jsonl")), 0);
	assert_int_equal(journal_file_rotate(directory, &file), 0);
	write_in_directory("dovecot.jsonl", "three\n", 6);
	assert_int_equal(journal_file_rotate(directory, &file), 0);
	assert_int_equal(access(in_directory("dovecot.jsonl"), F_OK), 0);
	journal_file_close(&file);
}

static void test_who_still_writes(void **state)
{
	struct journal_file file;
	FILE *writer;
	(void)state;

	write_in_directory("dovecot.jsonl-20240920T081502.000001Z", "one\n", 4);
	writer = fopen(in_directory("dovecot.jsonl-20240920T081502.000001Z"), "r");
	assert_int_equal(flock(fileno(writer), LOCK_SH), 0);
	assert_int_equal(
		journal_file_open(directory, "dovecot.jsonl-20240920T081502.000001Z", &file), 1);
	assert_int_equal(journal_file_is_left(&file), JOURNAL_IN_USE);
	fclose(writer);
	/* Without a lock, but open for writing, which the owner can be told. */
	writer = fopen(in_directory("dovecot.jsonl-20240920T081502.000001Z"), "a");
	assert_int_equal(journal_file_is_left(&file), JOURNAL_IN_USE);
	fclose(writer);
	assert_int_equal(journal_file_is_left(&file), JOURNAL_LEFT);
	/* Which keeps our writers away. */
	writer = fopen(in_directory("dovecot.jsonl-20240920T081502.000001Z"), "r");
	assert_int_equal(flock(fileno(writer), LOCK_SH | LOCK_NB), -1);
	journal_file_close(&file);
	assert_int_equal(flock(fileno(writer), LOCK_SH | LOCK_NB), 0);
	fclose(writer);
}

/* ---- the rest ---- */

static void test_id_cache(void **state)
{
	struct id_cache *cache = id_cache_create();
	char key[2000];
	int64_t id;
	size_t kept = 0;
	(void)state;

	for (int i = 0; i < 20000; i++) {
		int length = snprintf(key, sizeof(key), "key %d", i);

		assert_false(id_cache_find(cache, key, (size_t)length, &id));
		id_cache_put(cache, key, (size_t)length, i);
		assert_true(id_cache_find(cache, key, (size_t)length, &id));
		assert_int_equal(id, i);
	}
	for (int i = 0; i < 20000; i++) {
		int length = snprintf(key, sizeof(key), "key %d", i);

		if (id_cache_find(cache, key, (size_t)length, &id)) {
			assert_int_equal(id, i);
			kept++;
		}
	}
	assert_true(kept >= 1000 && kept <= 4096);
	memset(key, 'x', sizeof(key));
	id_cache_put(cache, key, sizeof(key), 1);
	assert_false(id_cache_find(cache, key, sizeof(key), &id));
	id_cache_clear(cache);
	assert_false(id_cache_find(cache, "key 19999", 9, &id));
	id_cache_free(cache);
}

static char *read_back(const char *name)
{
	static char text[1 << 16];
	FILE *file = fopen(in_directory(name), "r");
	size_t length = 0;

	if (file != NULL) {
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	return text;
}

#define HEADING_7 "# 2024-09-20T08:15:02Z a.jsonl at 7: it is not JSON\n"
#define HEADING_19 "# 2024-09-20T08:15:12Z a.jsonl at 19: it is not JSON\n"
#define MOMENT INT64_C(1726820102)

static void put_aside(int64_t later, uint64_t offset, const char *line, size_t length)
{
	assert_true(set_aside(directory, MOMENT + later, "a.jsonl", offset, "it is not JSON", line,
			      length));
}

static bool forget(const char *user)
{
	bool found;

	assert_true(set_aside_forget(directory, user, &found));
	return found;
}

static void test_set_aside(void **state)
{
	(void)state;

	put_aside(0, 7, "alice", 5);
	put_aside(0, 13, "bob\0x", 5);
	put_aside(10, 19, "carol", 5);
	assert_true(forget("bob"));
	assert_string_equal(read_back("set-aside"), HEADING_7 "alice\n" HEADING_19 "carol\n");
	assert_false(forget("nobody"));
	assert_true(set_aside_expire(directory, MOMENT));
	assert_string_equal(read_back("set-aside"), HEADING_7 "alice\n" HEADING_19 "carol\n");
	/* However often something is added, what is old goes. */
	assert_true(set_aside_expire(directory, MOMENT + 1));
	assert_string_equal(read_back("set-aside"), HEADING_19 "carol\n");
	assert_true(set_aside_expire(directory, MOMENT + 11));
	assert_int_equal(access(in_directory("set-aside"), F_OK), -1);
	assert_false(forget("alice"));
	assert_true(set_aside_expire(in_directory("missing"), MOMENT));
	assert_false(set_aside(in_directory("missing"), MOMENT, "a", 1, "b", "c", 1));
}

/* A name is the same however JSON writes it. */
static void test_forgetting_escaped_names(void **state)
{
	static const char *const lines[] = {
		"\"user\":\"o\\\"br\\\\ien",
		"\"user\":\"o\\u0022br\\u005cien",
		"\"user\":\"\\ud83d\\ude00\\u00e9",
		"\"user\":\"\xf0\x9f\x98\x80\\u00E9",
		"\\ud83d \\u12 \\x \\",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_aside(0, 7, lines[i], strlen(lines[i]));
	assert_true(forget("o\"br\\ien"));
	assert_true(forget("\xf0\x9f\x98\x80\xc3\xa9"));
	assert_string_equal(read_back("set-aside"), HEADING_7 "\\ud83d \\u12 \\x \\\n");
}

/* Half of what fits in, as lines, and then one that is too long. */
static ssize_t read_long_line(void *context, char *buffer, size_t size, uint64_t position)
{
	const uint64_t end = 5 * LINE_LENGTH_MAX;
	size_t length = position >= end ? 0 : size < end - position ? size : end - position;

	++*(int *)context;
	for (size_t i = 0; i < length; i++)
		buffer[i] = position + i < LINE_LENGTH_MAX - 1 ? '\n' : 'x';
	return (ssize_t)length;
}

/* Wherever in what was read at once a long line begins, it is read by large parts. */
static void test_long_lines_behind_short_ones(void **state)
{
	struct line_reader *reader = line_reader_create();
	const char *text;
	size_t length;
	int calls = 0;
	(void)state;

	line_reader_begin_source(reader, read_long_line, &calls);
	for (size_t i = 0; i < LINE_LENGTH_MAX - 1; i++)
		assert_int_equal(line_reader_next(reader, &text, &length), LINE_WHOLE);
	assert_int_equal(line_reader_next(reader, &text, &length), LINE_HALF);
	assert_int_equal(length, LINE_LENGTH_MAX);
	assert_int_equal(*text, 'x');
	assert_in_range(calls, 1, 10);
	line_reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
		cmocka_unit_test(test_long_lines_behind_short_ones),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_line_of_our_writer),
		FILE_TEST(test_reader),
		FILE_TEST(test_listing),
		FILE_TEST(test_rotation),
		FILE_TEST(test_who_still_writes),
		cmocka_unit_test(test_id_cache),
		FILE_TEST(test_set_aside),
		FILE_TEST(test_forgetting_escaped_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
