#include "unit.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "admin/logs/log-prefix.h"

#define MOMENT INT64_C(1795946696000) /* 2026-11-29T10:04:56Z */
#define LOGIN "imap-login: Login: user=<alice>, method=PLAIN, rip=198.51.100.7"
#define CLIENT "4711: client=unknown[198.51.100.7], sasl_method=PLAIN, sasl_username=alice"

struct expected {
	enum log_time_kind kind;
	const char *host, *program;
	uint32_t process;
	const char *message;
};

static const char *text_of(struct log_slice slice)
{
	static char texts[4][4096];
	static size_t next;
	char *text = texts[next++ % COUNT(texts)];

	assert_true(slice.length < sizeof(texts[0]));
	memcpy(text, slice.text, slice.length);
	text[slice.length] = '\0';
	return text;
}

static void check(const struct log_line *line, const struct expected *expected)
{
	struct log_time time = line->time;

	assert_string_equal(text_of(line->message), expected->message);
	assert_string_equal(text_of(line->host), expected->host);
	assert_string_equal(text_of(line->program), expected->program);
	assert_int_equal(line->process, expected->process);
	assert_int_equal(line->time.kind, expected->kind);
	if (time.kind == LOG_TIME_YEARLESS)
		time.year = 2026;
	if (time.kind != LOG_TIME_NONE)
		assert_int_equal((time.kind == LOG_TIME_UTC ? time.utc : log_time_reckon(&time)) /
					 1000,
				 MOMENT / 1000);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *line;
		struct expected expected;
	} cases[] = {
		/* syslog */
		{"Nov 29 10:04:56 mx1 dovecot: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, LOGIN}},
		{"Nov 29 10:04:56 mx1 dovecot[99]: " LOGIN "\r",
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 99, LOGIN}},
		{"Nov 29 10:04:56 mx1 postfix/submission/smtpd[123]: " CLIENT,
		 {LOG_TIME_YEARLESS, "mx1", "postfix/submission/smtpd", 123, CLIENT}},
		{"2026-11-29T11:04:56.123456+01:00 mx1 postfix/smtpd[123]: " CLIENT,
		 {LOG_TIME_UTC, "mx1", "postfix/smtpd", 123, CLIENT}},
		{"<22>Nov 29 10:04:56 mx1 dovecot: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, LOGIN}},
		{"<22>1 2026-11-29T10:04:56.123456Z mx1 postfix/smtpd 123 - - " CLIENT,
		 {LOG_TIME_UTC, "mx1", "postfix/smtpd", 123, CLIENT}},
		{"<22>1 2026-11-29T10:04:56Z mx1 dovecot - - [a@1 b=\"c \\] d\"][e f=\"g\"] "
		 "\357\273\277" LOGIN,
		 {LOG_TIME_UTC, "mx1", "dovecot", 0, LOGIN}},
		{"<22>1 - - - - - - " LOGIN, {LOG_TIME_NONE, "", "dovecot", 0, LOGIN}},
		/* BusyBox, FreeBSD -v, Solaris */
		{"Nov 29 10:04:56 mx1 mail.info dovecot: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, LOGIN}},
		{"Nov 29 10:04:56 <mail.info> mx1 dovecot[7]: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 7, LOGIN}},
		{"Nov 29 10:04:56 mx1 postfix/smtpd[123]: [ID 197553 mail.info] " CLIENT,
		 {LOG_TIME_YEARLESS, "mx1", "postfix/smtpd", 123, CLIENT}},
		/* Another instance of Dovecot's */
		{"Nov 29 10:04:56 mx1 students: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, LOGIN}},
		/* Dovecot's own files, and stdout */
		{"Nov 29 10:04:56 imap-login: Info: Login: user=<alice>",
		 {LOG_TIME_YEARLESS, "", "dovecot", 0, "imap-login: Info: Login: user=<alice>"}},
		{"2026-11-29 10:04:56 imap-login: Info: Login: user=<alice>",
		 {LOG_TIME_LOCAL, "", "dovecot", 0, "imap-login: Info: Login: user=<alice>"}},
		{"2026-11-29 11:04:56 +0100 auth: Error: x",
		 {LOG_TIME_UTC, "", "dovecot", 0, "auth: Error: x"}},
		{"@400000006b0bf8d2075bcd15 pop3-login: Info: Login: user=<alice>",
		 {LOG_TIME_UTC, "", "dovecot", 0, "pop3-login: Info: Login: user=<alice>"}},
		{"2026-11-29_10:04:56.12345 imap-login: Info: x",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: Info: x"}},
		{"imap-login: Info: x", {LOG_TIME_NONE, "", "dovecot", 0, "imap-login: Info: x"}},
		/* journalctl */
		{"Nov 29 10:04:56.123456 mx1 dovecot[99]: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 99, LOGIN}},
		{"2026-11-29T11:04:56+0100 mx1 postfix/smtpd[123]: " CLIENT,
		 {LOG_TIME_UTC, "mx1", "postfix/smtpd", 123, CLIENT}},
		{"Sun 2026-11-29 10:04:56 UTC mx1 dovecot[99]: " LOGIN,
		 {LOG_TIME_UTC, "mx1", "dovecot", 99, LOGIN}},
		{"1795946696.123456 mx1 dovecot[99]: " LOGIN,
		 {LOG_TIME_UTC, "mx1", "dovecot", 99, LOGIN}},
		{"{\"__CURSOR\":\"s=1\",\"__REALTIME_TIMESTAMP\":\"1795946696123456\","
		 "\"_HOSTNAME\":\"mx1\",\"PRIORITY\":\"6\",\"SYSLOG_IDENTIFIER\":\"dovecot\","
		 "\"SYSLOG_PID\":\"99\",\"_PID\":\"98\",\"MESSAGE\":\"" LOGIN "\"}",
		 {LOG_TIME_UTC, "mx1", "dovecot", 99, LOGIN}},
		{"{ \"MESSAGE\" : [105, 109,97,112, 45,108,111,103,105,110,58,32,255],"
		 "\"_PID\":98, \"_COMM\":\"smtpd\",\"x\":[[1,{\"y\":null}],\"]\"],\"z\":-1.5e3,"
		 "\"__REALTIME_TIMESTAMP\":\"1795946696123456\"}",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: \377"}},
		{"\036{\"MESSAGE\":\"x\",\"_COMM\":\"smtpd\",\"_PID\":\"98\",\"_PID\":\"97\","
		 "\"_HOSTNAME\":[\"a\",\"b\"],\"__REALTIME_TIMESTAMP\":\"1795946696000000\"}",
		 {LOG_TIME_UTC, "", "smtpd", 97, "x"}},
		/* Docker's files */
		{"{\"log\":\"Nov 29 09:04:56 imap-login: Info: Login: "
		 "user=\\u003calice\\u003e\\n\","
		 "\"stream\":\"stderr\",\"time\":\"2026-11-29T10:04:56.123456789Z\"}",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: Info: Login: user=<alice>"}},
		{"{\"log\":\"Nov 29 10:04:56 5f2c postfix\\/smtpd[123]: " CLIENT "\\r\\n\"}",
		 {LOG_TIME_YEARLESS, "5f2c", "postfix/smtpd", 123, CLIENT "\r"}},
		{"{\"log\":\"imap-login: Info: user=<a\\\"b\\\\>, \\\\\\\"\\ud83d\\ude00\\ud83d\", "
		 "\"x\":\"\\\\\","
		 "\"time\":\"2026-11-29T10:04:56Z\"}",
		 {LOG_TIME_UTC, "", "dovecot", 0,
		  "imap-login: Info: user=<a\"b\\>, \\\"\360\237\230\200\\ud83d"}},
		/* Docker's journald and syslog drivers: the time is that of the host */
		{"{\"__REALTIME_TIMESTAMP\":\"1795946696123456\",\"_HOSTNAME\":\"mx1\","
		 "\"SYSLOG_IDENTIFIER\":\"5f2c0d\",\"_PID\":\"98\","
		 "\"MESSAGE\":\"Nov 29 09:04:56 c1 postfix/smtpd[123]: " CLIENT "\"}",
		 {LOG_TIME_UTC, "c1", "postfix/smtpd", 123, CLIENT}},
		{"Nov 29 10:04:56 mx1 5f2c0d[98]: Nov 29 09:04:56 imap-login: Info: x",
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, "imap-login: Info: x"}},
		{"Nov 29 10:04:56 mx1 5f2c0d[98]: 2026-11-29T10:04:56Z imap-login: Info: x",
		 {LOG_TIME_UTC, "mx1", "dovecot", 0, "imap-login: Info: x"}},
		{"Nov 29 10:04:56 mx1 5f2c0d[98]: imap-login: Info: x",
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 98, "imap-login: Info: x"}},
		{"2026-11-29T10:04:56Z mx1 Nov 29 09:04:56 mx1 dovecot: " LOGIN,
		 {LOG_TIME_UTC, "mx1", "dovecot", 0, LOGIN}},
		{"2026-11-29T10:04:56.1Z Nov 29 09:04:56 c1 dovecot: " LOGIN,
		 {LOG_TIME_UTC, "c1", "dovecot", 0, LOGIN}},
		/* docker compose logs, without and with colours and time stamps */
		{"dovecot-1  | Nov 29 10:04:56 imap-login: Info: x",
		 {LOG_TIME_YEARLESS, "", "dovecot", 0, "imap-login: Info: x"}},
		{"dovecot-1 | imap-login: Info: x",
		 {LOG_TIME_NONE, "", "dovecot", 0, "imap-login: Info: x"}},
		{"\033[36mdovecot-1  | \033[0mNov 29 10:04:56 c1 dovecot: " LOGIN,
		 {LOG_TIME_YEARLESS, "c1", "dovecot", 0, LOGIN}},
		{"\033[36mdovecot-1  |\033[0m 2026-11-29T10:04:56.1Z Nov 29 09:04:56 "
		 "imap-login: Info: x",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: Info: x"}},
		/* Kubernetes, Podman */
		{"2026-11-29T10:04:56.1Z stderr F Nov 29 09:04:56 imap-login: Info: x",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: Info: x"}},
		{"2026-11-29T11:04:56.1+01:00 stdout F imap-login: Info: x",
		 {LOG_TIME_UTC, "", "dovecot", 0, "imap-login: Info: x"}},
		/* Half a line, and none of mail */
		{"Nov 29 10:04:56", {LOG_TIME_YEARLESS, "", "", 0, ""}},
		{"Nov 29 10:04:56 mx1", {LOG_TIME_YEARLESS, "mx1", "", 0, ""}},
		{"Nov 29 10:04:56 mx1 dovecot:", {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, ""}},
		{"Nov 29 10:04:56 mx1 dovecot[: x", {LOG_TIME_YEARLESS, "mx1", "dovecot[", 0, "x"}},
		{"Nov 29 10:04:56 mx1 dovecot]: x", {LOG_TIME_YEARLESS, "mx1", "dovecot]", 0, "x"}},
		{"Nov 29 10:04:56 mx1 dovecot[99999999999]: x",
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, "x"}},
		{"Nov 29 10:04:56 mx1 last message repeated 2 times",
		 {LOG_TIME_YEARLESS, "mx1", "", 0, "last message repeated 2 times"}},
		/* The mark that some editors put before a file */
		{"\357\273\277Nov 29 10:04:56 mx1 dovecot: " LOGIN,
		 {LOG_TIME_YEARLESS, "mx1", "dovecot", 0, LOGIN}},
	};
	struct log_prefix *prefix = log_prefix_create();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct log_line line;

		if (log_prefix_read(prefix, cases[i].line, strlen(cases[i].line), false, &line) !=
		    LOG_LINE_READ)
			fail_msg("%s", cases[i].line);
		check(&line, &cases[i].expected);
		assert_int_equal(line.count, 1);
	}
	log_prefix_free(prefix);
}

static void test_unknown(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"{",
		"{}",
		"{\"log\":\"x\"}",
		"{\"log\":\"imap-login: x\"",
		"{\"log\":\"imap-login: x\\",
		"{\"log\" \"imap-login: x\"}",
		"{\"MESSAGE\":[105,109,97,112,45,108,111,103,105,110,58,32}",
		"{\"MESSAGE\":null,\"__REALTIME_TIMESTAMP\":\"1795946696123456\"}",
		"{\"x\":[\"",
		"{\"x\":[",
		"{\"x\":[}",
		"{\"x\":[@]}",
		"{\"x\":",
		"{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"
		"\"log\":\"x-login: \"}",
		"\357imap-login: x",
		"<22>1 x",
		"-- Boot 0123456789abcdef --",
		"<999>x",
		"<22",
		"dovecot-1  | Started",
		"x |",
		"\033[36",
		"auth: imap-login: x",
	};
	struct log_prefix *prefix = log_prefix_create();
	struct log_line line;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (log_prefix_read(prefix, lines[i], strlen(lines[i]), false, &line) !=
		    LOG_LINE_UNKNOWN)
			fail_msg("%s", lines[i]);
	}
	log_prefix_free(prefix);
}

static void test_repeated(void **state)
{
	static const struct {
		const char *message, *read;
		uint32_t count;
	} cases[] = {
		{"message repeated 2 times: [ " LOGIN "]", LOGIN, 2},
		{"message repeated 4294967295 times: [ x]", "x", 4294967295},
		{"message repeated 4294967296 times: [ x]", NULL, 1},
		{"message repeated 0 times: [ x]", NULL, 1},
		{"message repeated 2 times: [ x", NULL, 1},
		{"message repeated 2 times]", NULL, 1},
		{"message repeated ]", NULL, 1},
	};
	struct log_prefix *prefix = log_prefix_create();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = g_strconcat("Nov 29 10:04:56 mx1 dovecot: ", cases[i].message, NULL);
		struct log_line line;

		assert_int_equal(log_prefix_read(prefix, text, strlen(text), false, &line),
				 LOG_LINE_READ);
		assert_int_equal(line.count, cases[i].count);
		assert_string_equal(text_of(line.message),
				    cases[i].read == NULL ? cases[i].message : cases[i].read);
		g_free(text);
	}
	log_prefix_free(prefix);
}

/* ---- journalctl -o export ---- */

#define BEGIN                                                                                      \
	"__CURSOR=s=0;i=1\n__REALTIME_TIMESTAMP=1795946696123456\n_PID=98\n_HOSTNAME=mx1\n"        \
	"SYSLOG_IDENTIFIER=postfix/smtpd\nSYSLOG_PID=123\n"

/* Every line of a text; gives the last that was read, and how many were. */
static int read_all(struct log_prefix *prefix, const char *text, size_t size,
		    struct log_line *line_r)
{
	int count = 0;

	for (const char *end = text + size; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline == NULL ? end : newline) - text);
		struct log_line line;

		if (log_prefix_read(prefix, text, length, false, &line) == LOG_LINE_READ) {
			*line_r = line;
			count++;
		}
		text += length + 1;
	}
	return count;
}

static void test_export(void **state)
{
	static const struct expected expected = {LOG_TIME_UTC, "mx1", "postfix/smtpd", 123, CLIENT};
	static const char text[] = BEGIN "MESSAGE=" CLIENT "\n_COMM=smtpd\n\n";
	/* A field that has a newline, and a size whose bytes are some, too. */
	static const char binary[] = BEGIN "OTHER\n\n\0\0\0\0\0\0\0"
					   "__A=1\n\n\nB\n\nMESSAGE\n\3\0\0\0\0\0\0\0x\ny\n"
					   "EMPTY\n\0\0\0\0\0\0\0\0\n\n";
	struct expected two_lines = expected;
	struct log_prefix *prefix = log_prefix_create();
	struct log_line line;

	(void)state;
	assert_int_equal(read_all(prefix, text, sizeof(text) - 1, &line), 1);
	check(&line, &expected);
	two_lines.message = "x\ny";
	assert_int_equal(read_all(prefix, binary, sizeof(binary) - 1, &line), 1);
	check(&line, &two_lines);
	assert_int_equal(read_all(prefix, text, sizeof(text) - 1, &line), 1);
	log_prefix_free(prefix);
}

/* What is broken costs that record alone. */
static void test_broken_export(void **state)
{
	static const char good[] = BEGIN "MESSAGE=x\n\n";
	static const struct {
		const char *text;
		size_t size;
	} cases[] = {
		{BEGIN "\n", sizeof(BEGIN "\n") - 1},
		{BEGIN "MESSAGE\n\1\0\0\0\0\0\0\0xy\n\n", sizeof(BEGIN) + 19},
		{BEGIN "MESSAGE=\n\n", sizeof(BEGIN "MESSAGE=\n\n") - 1},
	};
	struct log_prefix *prefix = log_prefix_create();
	struct log_line line;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_all(prefix, cases[i].text, cases[i].size, &line), 0);
		assert_int_equal(read_all(prefix, good, sizeof(good) - 1, &line), 1);
	}
	/* The line's end was lost, and with it how much is still to come. */
	assert_int_equal(read_all(prefix, BEGIN "MESSAGE=x\n", sizeof(BEGIN) + 9, &line), 0);
	assert_int_equal(log_prefix_read(prefix, "OTHER=", 6, true, &line), LOG_LINE_PART);
	assert_int_equal(read_all(prefix, "\n", 1, &line), 0);
	assert_int_equal(read_all(prefix, good, sizeof(good) - 1, &line), 1);
	/* A file that ends within a record. */
	assert_int_equal(read_all(prefix, BEGIN, sizeof(BEGIN) - 1, &line), 0);
	log_prefix_clear(prefix);
	assert_int_equal(log_prefix_read(prefix, "imap-login: x", 13, false, &line), LOG_LINE_READ);
	log_prefix_free(prefix);
}

/* Nobody's line is so long; it must not take the memory. */
static void test_long(void **state)
{
	struct log_prefix *prefix = log_prefix_create();
	char *long_text = g_strnfill(200000, 'x');
	char *json = g_strdup_printf("{\"log\":\"imap-login: %s\",\"time\":"
				     "\"2026-11-29T10:04:56Z\"}",
				     long_text);
	char *export = g_strdup_printf(BEGIN "MESSAGE=imap-login: %s\n_COMM=x\n\n", long_text);
	struct log_line line;

	(void)state;
	assert_int_equal(log_prefix_read(prefix, json, strlen(json), false, &line),
			 LOG_LINE_UNKNOWN);
	assert_int_equal(read_all(prefix, export, strlen(export), &line), 1);
	assert_true(log_slice_begins(line.message, "imap-login: xxx"));
	assert_true(line.message.length < 100000);
	g_free(long_text);
	g_free(json);
	g_free(export);
	log_prefix_free(prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),      cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_repeated),      cmocka_unit_test(test_export),
		cmocka_unit_test(test_broken_export), cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
