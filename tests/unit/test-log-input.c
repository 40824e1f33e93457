#include "unit.h"
#include "directory.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/files/line-reader.h"
#include "admin/logs/log-file-name.h"
#include "admin/logs/log-input.h"

static void write_file(const char *name, const char *text)
{
	write_in_directory(name, text, strlen(text));
}

/* As the program of that name does, or not at all. */
static void pack(const char *name, const char *packer, const char *text, size_t length)
{
	struct archive *archive;
	struct archive_entry *entry;

	if (packer == NULL) {
		write_in_directory(name, text, length);
		return;
	}
	archive = archive_write_new();
	entry = archive_entry_new();
	assert_int_equal(archive_write_add_filter_by_name(archive, packer), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(archive, in_directory(name)), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "log");
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, text, length), length);
	archive_entry_free(entry);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void append_file(const char *name, const char *other)
{
	char command[320];

	snprintf(command, sizeof(command), "cat '%s/%s' >> '%s/%s'", directory, other, directory,
		 name);
	assert_int_equal(system(command), 0);
}

static void cut_file(const char *name, double part)
{
	struct stat status;

	assert_int_equal(stat(in_directory(name), &status), 0);
	assert_int_equal(truncate(in_directory(name), (off_t)((double)status.st_size * part)), 0);
}

static void damage_file(const char *name, double place)
{
	int file = open(in_directory(name), O_WRONLY);
	struct stat status;

	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(pwrite(file, "damage", 6, (off_t)((double)status.st_size * place)), 6);
	close(file);
}

/* So many numbered lines that packing does not make nothing of. */
static GString *numbered_lines(int count)
{
	GString *text = g_string_new(NULL);

	for (int i = 0; i < count; i++)
		g_string_append_printf(text, "%d imap-login: Login: user=<user%u>\n", i,
				       (unsigned)i * 2654435761u);
	return text;
}

static struct log_input *input_of(const char *name)
{
	struct log_input *input = log_input_create();
	char *problem = NULL;

	if (!log_input_add(input, in_directory(name), &problem))
		fail_msg("%s", problem);
	return input;
}

static void add(struct log_input *input, const char *name)
{
	char *problem = NULL;

	if (!log_input_add(input, in_directory(name), &problem))
		fail_msg("%s", problem);
}

static void assert_not_added(const char *name, const char *expected)
{
	struct log_input *input = log_input_create();
	char *problem = NULL;

	assert_false(log_input_add(input, name, &problem));
	assert_string_equal(problem, expected);
	g_free(problem);
	log_input_free(input);
}

static void assert_line(struct log_input *input, const char *expected, bool whole)
{
	struct log_input_line line;

	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	assert_int_equal(line.length, strlen(expected));
	assert_memory_equal(line.text, expected, line.length);
	assert_int_equal(line.whole, whole);
}

static void assert_problem(struct log_input *input, const char *name, const char *what)
{
	struct log_input_line line;
	char *expected = g_strdup_printf("%s: %s", in_directory(name), what);

	assert_int_equal(log_input_next(input, &line), LOG_INPUT_PROBLEM);
	assert_string_equal(log_input_problem(input), expected);
	g_free(expected);
}

static void assert_end(struct log_input *input)
{
	struct log_input_line line;
	uint64_t done, total;

	for (int i = 0; i < 2; i++)
		assert_int_equal(log_input_next(input, &line), LOG_INPUT_END);
	log_input_progress(input, &done, &total);
	assert_int_equal(done, total);
	log_input_free(input);
}

/* How many of the numbered lines come before something else does. */
static int count_lines(struct log_input *input, enum log_input_kind *kind_r)
{
	struct log_input_line line;
	char begin[32];
	int count = 0;

	while ((*kind_r = log_input_next(input, &line)) == LOG_INPUT_LINE) {
		int length = snprintf(begin, sizeof(begin), "%d imap-login: ", count++);

		assert_true(line.length > (size_t)length);
		assert_memory_equal(line.text, begin, (size_t)length);
		assert_true(line.whole);
	}
	return count;
}

static void test_plain_and_packed(void **state)
{
	static const char *const packers[] = {NULL, "gzip", "bzip2", "xz", "zstd"};
	GString *text = numbered_lines(20000);
	(void)state;

	for (size_t i = 0; i < COUNT(packers); i++) {
		enum log_input_kind kind;
		struct log_input *input;

		/* Told by what is in it, not by its name. */
		pack("log", packers[i], text->str, text->len);
		input = input_of("log");
		assert_int_equal(count_lines(input, &kind), 20000);
		assert_int_equal(kind, LOG_INPUT_END);
		assert_end(input);
		pack("log", packers[i], "", 0);
		assert_end(input_of("log"));
	}
	g_string_free(text, TRUE);
}

/* `gzip -c >> log.gz`, and the like. */
static void test_packed_twice(void **state)
{
	static const char *const packers[] = {"gzip", "bzip2", "xz", "zstd"};
	(void)state;

	for (size_t i = 0; i < COUNT(packers); i++) {
		struct log_input *input;

		pack("log", packers[i], "one\ntw", 6);
		pack("rest", packers[i], "o\nthree\n", 8);
		append_file("log", "rest");
		input = input_of("log");
		assert_line(input, "one", true);
		assert_line(input, "two", true);
		assert_line(input, "three", true);
		assert_end(input);
	}
}

static void test_cut_gzip(void **state)
{
	GString *text = numbered_lines(1000);
	enum log_input_kind kind;
	struct log_input *input;
	int count;
	(void)state;

	pack("log", "gzip", text->str, text->len);
	cut_file("log", 0.6);
	write_file("other", "another\n");
	input = input_of("log");
	add(input, "other");
	count = count_lines(input, &kind);
	assert_in_range(count, 400, 900);
	assert_int_equal(kind, LOG_INPUT_PROBLEM);
	assert_non_null(strstr(log_input_problem(input), "log: it ends within what gzip packed"));
	assert_line(input, "another", true);
	assert_end(input);
	/* Within its header. */
	cut_file("log", 0.0005);
	input = input_of("log");
	assert_problem(input, "log", "it ends within what gzip packed");
	assert_end(input);
	g_string_free(text, TRUE);
}

/* Nobody can set a limit to what libarchive grants to xz. */
static void test_dictionaries_of_xz(void **state)
{
	static const struct {
		const char *line;
		bool refused;
		size_t length;
		const char *bytes;
	} files[] = {
		/* xz -9 */
		{"one", false, 52,
		 "\375\067\172\130\132\000\000\000\377\022\331\101\002\000\041\001"
		 "\034\000\000\000\020\317\130\314\001\000\003\157\156\145\012\000"
		 "\000\001\024\004\147\246\105\011\006\162\236\172\001\000\000\000"
		 "\000\000\131\132"},
		/* xz -9 -T2, which notes the sizes */
		{"one", false, 60,
		 "\375\067\172\130\132\000\000\000\377\022\331\101\004\300\010\004"
		 "\041\001\034\000\000\000\000\000\000\000\000\000\205\321\236\060"
		 "\001\000\003\157\156\145\012\000\000\001\034\004\157\054\234\301"
		 "\006\162\236\172\001\000\000\000\000\000\131\132"},
		/* an empty file */
		{NULL, false, 32,
		 "\375\067\172\130\132\000\000\000\377\022\331\101\000\000\000\000"
		 "\034\337\104\041\006\162\236\172\001\000\000\000\000\000\131\132"},
		/* 96 MiB */
		{NULL, true, 52,
		 "\375\067\172\130\132\000\000\000\377\022\331\101\002\000\041\001"
		 "\035\000\000\000\165\250\344\164\001\000\003\157\156\145\012\000"
		 "\000\001\024\004\147\246\105\011\006\162\236\172\001\000\000\000"
		 "\000\000\131\132"},
		/* 96 MiB, behind two other filters */
		{NULL, true, 56,
		 "\375\067\172\130\132\000\000\000\377\022\331\101\003\002\003\001"
		 "\000\004\000\041\001\035\000\000\377\167\307\014\001\000\003\157"
		 "\377\367\245\000\000\001\030\004\153\351\360\245\006\162\236\172"
		 "\001\000\000\000\000\000\131\132"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(files); i++) {
		struct log_input *input;

		write_in_directory("log", files[i].bytes, files[i].length);
		input = input_of("log");
		if (files[i].line != NULL)
			assert_line(input, files[i].line, true);
		if (files[i].refused)
			assert_problem(input, "log",
				       "to unpack it takes more memory than any that xz -9 packs");
		assert_end(input);
	}
}

static void test_damaged(void **state)
{
	static const char *const packers[] = {"gzip", "bzip2", "xz", "zstd"};
	GString *text = numbered_lines(30000);
	(void)state;

	for (size_t i = 0; i < COUNT(packers); i++) {
		for (int cut = 0; cut < 2; cut++) {
			enum log_input_kind kind;
			struct log_input *input;
			struct log_input_line line;
			int count = 0;

			pack("log", packers[i], text->str, text->len);
			/* libarchive writes no checksum for zstd. */
			if (cut || strcmp(packers[i], "zstd") == 0) {
				cut_file("log", 0.9);
			} else {
				damage_file("log", 0.8);
			}
			write_file("other", "another\n");
			input = input_of("log");
			add(input, "other");
			/* What comes before the place is found damaged may be damage. */
			while ((kind = log_input_next(input, &line)) == LOG_INPUT_LINE)
				count++;
			assert_true(count > 10000);
			assert_int_equal(kind, LOG_INPUT_PROBLEM);
			assert_non_null(strstr(log_input_problem(input), "/log: "));
			assert_line(input, "another", true);
			assert_end(input);
		}
	}
	g_string_free(text, TRUE);
}

static void test_lines(void **state)
{
	struct log_input *input;
	struct log_input_line line;
	GString *text = g_string_new("first\n\n");
	(void)state;

	for (size_t i = 0; i < 5 * LINE_LENGTH_MAX; i++)
		g_string_append_c(text, 'x');
	g_string_append(text, "\nlast\r\nhalf");
	write_in_directory("log", text->str, text->len);
	pack("log.gz", "gzip", text->str, text->len);
	g_string_free(text, TRUE);
	input = input_of("log");
	add(input, "log.gz");
	for (unsigned file = 1; file <= 2; file++) {
		assert_line(input, "first", true);
		assert_line(input, "", true);
		assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
		assert_int_equal(line.length, LINE_LENGTH_MAX);
		assert_false(line.whole);
		assert_int_equal(line.file, file);
		assert_line(input, "last\r", true);
		assert_line(input, "half", false);
	}
	assert_end(input);
}

/* What a loss of power leaves. */
static void test_nuls(void **state)
{
	char text[4110] = {0};
	struct log_input *input;
	struct log_input_line line;
	(void)state;

	memcpy(text + 4000, "line\n", 5);
	/* Few are left alone. */
	memcpy(text + 4007, "\n", 1);
	/* To the end of the file. */
	write_in_directory("log", text, sizeof(text));
	input = input_of("log");
	assert_line(input, "line", true);
	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	assert_int_equal(line.length, 2);
	assert_memory_equal(line.text, "\0\0", 2);
	assert_line(input, "", false);
	assert_end(input);
}

static void test_names(void **state)
{
	static const char *const logs[] = {
		"mail.log",
		"mail.log.1",
		"mail.log.12.gz",
		"maillog",
		"maillog-20261129",
		"mail.log-20261129.xz",
		"mail.info",
		"mail.info.2.bz2",
		"mail.log-20261129-1795910400.zst",
		"dovecot.log",
		"dovecot-info.log",
		"dovecot-info.log.1.gz",
		"postfix.log",
		"mail.log-2026-11-29T10:00:00.gz",
	};
	static const char *const others[] = {
		"mail",
		"mail.err",
		"mail.log.offset",
		"mail.log.1.tmp",
		"mail.logs",
		"mail.log.gz~",
		"mail.log.",
		"mail.log..1",
		".mail.log",
		"syslog",
		"dovecot",
		"dovecotlog",
		"dovecot.lognot",
		"postfix",
		"",
		"mail.log-",
		"xdovecot.log",
		"1",
		".gz",
		"-",
	};
	/* From the oldest. */
	static const char *const ages[] = {
		"mail.log.10.gz",       "mail.log.9.gz",        "mail.log.1",
		"mail.log-20251231.gz", "mail.log-20260101.gz", "mail.log",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(logs); i++)
		assert_true(log_file_name_fits(logs[i]));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(log_file_name_fits(others[i]));
	for (size_t i = 0; i < COUNT(ages); i++) {
		assert_true(log_file_name_is_whole(ages[i]));
		for (size_t j = 0; j < COUNT(ages); j++) {
			int age = log_file_name_compare(ages[i], ages[j]);

			assert_true(log_file_names_match(ages[i], ages[j]));
			assert_int_equal((age > 0) - (age < 0), (i > j) - (i < j));
		}
	}
	assert_false(log_file_names_match("/a/mail.log", "/b/mail.log"));
	assert_false(log_file_names_match("mail.log.1", "maillog.1"));
}

static void test_directory(void **state)
{
	static const char *const order[] = {"dovecot.log", "mail.log.10.gz", "mail.log.2.gz",
					    "mail.log.1",  "mail.log",       "postfix.log"};
	struct log_input *input;
	(void)state;

	assert_int_equal(mkdir(in_directory("logs"), 0700), 0);
	assert_int_equal(mkdir(in_directory("logs/mail.log.3"), 0700), 0);
	assert_int_equal(mkfifo(in_directory("logs/mail.log.4"), 0600), 0);
	for (size_t i = COUNT(order); i-- > 0;) {
		char path[64], text[64];

		snprintf(path, sizeof(path), "logs/%s", order[i]);
		snprintf(text, sizeof(text), "%s\n", order[i]);
		if (g_str_has_suffix(path, ".gz"))
			pack(path, "gzip", text, strlen(text));
		else
			write_file(path, text);
	}
	write_file("logs/mail.info", "once more\n");
	write_file("logs/syslog", "others\n");
	assert_int_equal(symlink("mail.log", in_directory("logs/maillog")), 0);
	input = input_of("logs");
	for (size_t i = 0; i < COUNT(order); i++)
		assert_line(input, order[i], true);
	assert_end(input);
	/* As a shell lists them; and one of them by its other name. */
	input = input_of("logs/mail.log");
	add(input, "logs/mail.log.1");
	add(input, "logs/mail.log.10.gz");
	add(input, "logs/mail.log.2.gz");
	add(input, "logs/maillog");
	for (size_t i = 1; i < COUNT(order) - 1; i++)
		assert_line(input, order[i], true);
	assert_end(input);
	/* Where it is all there is. */
	for (size_t i = 0; i < COUNT(order); i++) {
		char path[64];

		snprintf(path, sizeof(path), "logs/%s", order[i]);
		assert_int_equal(unlink(in_directory(path)), 0);
	}
	input = input_of("logs");
	assert_line(input, "once more", true);
	assert_end(input);
}

static void test_problems(void **state)
{
	struct log_input *input;
	char path[200], expected[300];
	(void)state;

	assert_not_added("/no/such", "/no/such: No such file or directory");
	assert_not_added("/no/\033[2J", "/no/\\x1b[2J: No such file or directory");
	assert_int_equal(mkdir(in_directory("none"), 0700), 0);
	snprintf(path, sizeof(path), "%s", in_directory("none"));
	snprintf(expected, sizeof(expected),
		 "%s: no mail log is in it: mail.log, maillog, mail.info, dovecot*.log, "
		 "postfix*.log",
		 path);
	assert_not_added(path, expected);
	/* Root may read all. */
	assert_int_equal(chmod(directory, 0711), 0);
	assert_int_equal(chmod(path, 0), 0);
	snprintf(expected, sizeof(expected), "%s: Permission denied", path);
	assert_true(geteuid() != 0 || seteuid(65534) == 0);
	assert_not_added(path, expected);
	assert_true(getuid() != 0 || seteuid(0) == 0);
	/* Gone by the time. */
	write_file("gone", "gone\n");
	write_file("log", "one\n");
	input = input_of("gone");
	add(input, "log");
	assert_int_equal(unlink(in_directory("gone")), 0);
	assert_problem(input, "gone", "No such file or directory");
	assert_line(input, "one", true);
	assert_end(input);
}

/* As by a rotation that copies and truncates. */
static void test_file_that_shrinks(void **state)
{
	GString *text = numbered_lines(50000);
	struct log_input *input;
	struct log_input_line line;
	enum log_input_kind kind;
	(void)state;

	write_in_directory("mail.log", text->str, text->len);
	input = input_of("mail.log");
	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	cut_file("mail.log", 0);
	/* What was read of it by then counts; the last line may be half a one. */
	while ((kind = log_input_next(input, &line)) == LOG_INPUT_LINE)
		;
	assert_int_equal(kind, LOG_INPUT_PROBLEM);
	assert_non_null(strstr(log_input_problem(input), "it became shorter while it was read"));
	assert_end(input);
	g_string_free(text, TRUE);
}

static void test_pipes(void **state)
{
	int descriptors[2], before = dup(STDIN_FILENO);
	char path[32], *problem;
	struct log_input *input = log_input_create();
	(void)state;

	/* As bash gives <(...), with something packed. */
	pack("log", "gzip", "packed\n", 7);
	assert_int_equal(pipe(descriptors), 0);
	{
		char bytes[200];
		int file = open(in_directory("log"), O_RDONLY);
		ssize_t length = read(file, bytes, sizeof(bytes));

		assert_true(length > 0);
		assert_int_equal(write(descriptors[1], bytes, (size_t)length), length);
		close(file);
	}
	close(descriptors[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", descriptors[0]);
	assert_true(log_input_add(input, path, &problem));
	assert_line(input, "packed", true);
	close(descriptors[0]);
	assert_int_equal(pipe(descriptors), 0);
	assert_int_equal(write(descriptors[1], "plain\n", 6), 6);
	close(descriptors[1]);
	assert_int_equal(dup2(descriptors[0], STDIN_FILENO), STDIN_FILENO);
	close(descriptors[0]);
	assert_true(log_input_add(input, "-", &problem));
	assert_line(input, "plain", true);
	assert_end(input);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

/* Whoever completes a time without a year needs it. */
static void test_when_written(void **state)
{
	struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
	struct log_input *input;
	struct log_input_line line;
	int file;
	(void)state;

	write_file("log", "one\n");
	pack("log.gz", "gzip", "one\n", 4);
	/* Its header has when it was packed: earlier, for it was copied since. */
	file = open(in_directory("log.gz"), O_WRONLY);
	assert_int_equal(pwrite(file, "\0\0\0\x60", 4, 4), 4);
	assert_int_equal(futimens(file, times), 0);
	close(file);
	assert_int_equal(utimensat(AT_FDCWD, in_directory("log"), times, 0), 0);
	input = input_of("log");
	add(input, "log.gz");
	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	assert_int_equal(line.written, 1700000000);
	assert_string_equal(line.name, in_directory("log"));
	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	assert_int_equal(line.written, 0x60000000);
	assert_end(input);
}

static GString *journal_entries;

static void add_entry(const char *fields, const char *message)
{
	static int number;

	g_string_append_printf(journal_entries,
			       "__REALTIME_TIMESTAMP=17959104%02d012345\n"
			       "__MONOTONIC_TIMESTAMP=%d\n"
			       "_BOOT_ID=0123456789abcdef0123456789abcdef\n%sMESSAGE=%s\n\n",
			       number, number + 1, fields, message);
	number++;
}

/* A journal as systemd writes it. */
static void write_journal(const char *name)
{
	char command[400];

	write_file("entries", journal_entries->str);
	snprintf(command, sizeof(command),
		 "cd '%s' && /usr/lib/systemd/systemd-journal-remote -o %s - < entries "
		 "2>remote.log",
		 directory, name);
	assert_int_equal(system(command), 0);
}

static void test_systemd_journal(void **state)
{
	char path[200], expected[300];
	struct log_input *input;
	GString *text = g_string_new("imap-login: ");
	struct log_input_line line;
	(void)state;

	journal_entries = g_string_new(NULL);
	assert_int_equal(mkdir(in_directory("journal"), 0700), 0);
	add_entry("SYSLOG_IDENTIFIER=sshd\nSYSLOG_FACILITY=4\n", "dovecot");
	write_journal("journal/system.journal");
	snprintf(path, sizeof(path), "%s", in_directory("journal/system.journal"));
	snprintf(expected, sizeof(expected),
		 "%s: it has no line of Dovecot or Postfix, or none that this account may read",
		 path);
	assert_not_added(path, expected);

	add_entry("SYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=dovecot\nSYSLOG_PID=12\n_HOSTNAME=mx1\n",
		  "imap-login: Login: user=<alice>");
	add_entry("SYSLOG_FACILITY=22\nSYSLOG_IDENTIFIER=postfix/smtpd\n_PID=13\n_HOSTNAME=mx2\n",
		  "disconnect from unknown");
	add_entry("CONTAINER_NAME=mail-dovecot-1\n_COMM=docker d\n", "Nov 29 01:02:03 imap");
	add_entry("_SYSTEMD_UNIT=dovecot.service\nSYSLOG_IDENTIFIER=a: b[1]\nSYSLOG_PID=x\n", "0");
	add_entry("CONTAINER_NAME=web\nSYSLOG_IDENTIFIER=not-postfix\n", "x");
	for (size_t i = 0; i < 2 * LINE_LENGTH_MAX; i++)
		g_string_append_c(text, (char)('a' + i % 26));
	add_entry("SYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=dovecot\n_HOSTNAME=mx1\n", text->str);
	write_journal("journal/system.journal");
	/* By file, and by directory. */
	for (int i = 0; i < 2; i++) {
		input = input_of(i == 0 ? "journal/system.journal" : "journal");
		assert_line(input,
			    "2026-11-29T00:00:01.012345+00:00 mx1 dovecot[12]: imap-login: Login: "
			    "user=<alice>",
			    true);
		assert_line(input,
			    "2026-11-29T00:00:02.012345+00:00 mx2 postfix/smtpd[13]: disconnect "
			    "from unknown",
			    true);
		assert_line(input,
			    "2026-11-29T00:00:03.012345+00:00 - docker_d: Nov 29 01:02:03 imap",
			    true);
		assert_line(input, "2026-11-29T00:00:04.012345+00:00 - a__b_1_: 0", true);
		assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
		assert_int_equal(line.length, LINE_LENGTH_MAX);
		assert_false(line.whole);
		assert_end(input);
	}
	/* Lines may belong to one that came up to an hour before. */
	input = input_of("journal/system.journal");
	log_input_set_since(input, INT64_C(1795910402012) + 3600 * 1000);
	assert_int_equal(log_input_next(input, &line), LOG_INPUT_LINE);
	assert_memory_equal(line.text, "2026-11-29T00:00:02.", 20);
	log_input_free(input);
	write_file("text.journal", text->str);
	snprintf(path, sizeof(path), "%s", in_directory("text.journal"));
	snprintf(expected, sizeof(expected), "%s: it is no journal of systemd, or a broken one",
		 path);
	assert_not_added(path, expected);
	g_string_free(text, TRUE);
	g_string_free(journal_entries, TRUE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		TEST(test_plain_and_packed),
		TEST(test_packed_twice),
		TEST(test_cut_gzip),
		TEST(test_dictionaries_of_xz),
		TEST(test_damaged),
		TEST(test_lines),
		TEST(test_nuls),
		cmocka_unit_test(test_names),
		TEST(test_directory),
		TEST(test_problems),
		TEST(test_pipes),
		TEST(test_file_that_shrinks),
		TEST(test_when_written),
		TEST(test_systemd_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
