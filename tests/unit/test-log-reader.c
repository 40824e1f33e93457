#include "unit.h"

#include "directory.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/logs/log-reader.h"

/* 2024-05-06 12:00 UTC, when files were last written to. */
#define WRITTEN INT64_C(1714996800)

/* Logins as the reader gives them, a line each. */
static char found[4096];
static struct log_reader_counts counts;
static char example[512];

static void write_file(const char *name, const char *text)
{
	const struct timespec times[2] = {{.tv_sec = WRITTEN}, {.tv_sec = WRITTEN}};

	write_in_directory(name, text, strlen(text));
	assert_int_equal(utimensat(AT_FDCWD, in_directory(name), times, 0), 0);
}

static void note(const struct log_login *login)
{
	size_t length = strlen(found);
	char client[ADDRESS_TEXT_SIZE], when[32];
	time_t seconds = (time_t)(login->time / 1000);

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", gmtime(&seconds));
	address_format(&login->client, client);
	snprintf(found + length, sizeof(found) - length, "%s %s %s %s %s:%u %s %s %u\n", when,
		 login->host, login->verified ? login->user : "-", service_name(login->service),
		 tls_version_name(login->tls_version), login->port, login->mechanism, client,
		 login->count);
}

static void look(const char *name)
{
	const struct log_reader_options options = {0};
	struct log_input *input = log_input_create();
	struct log_reader *reader;
	struct log_login login;

	found[0] = example[0] = '\0';
	assert_true(log_input_add(input, name, NULL));
	reader = log_reader_create(input, &options);
	while (log_reader_next(reader, &login))
		note(&login);
	counts = *log_reader_counts(reader);
	if (log_reader_examples(reader)->examples->len > 0)
		g_strlcpy(
			example,
			g_array_index(log_reader_examples(reader)->examples, struct log_example, 0)
				.text,
			sizeof(example));
	log_reader_free(reader);
	log_input_free(input);
}

static void read_text(const char *text)
{
	write_file("mail.log", text);
	look(in_directory("mail.log"));
}

#define ELEMENTS "user=<alice>, method=PLAIN, rip=192.0.2.5, lip=192.0.2.1, mpid=7, TLS"

static void test_prefixes(void **state)
{
	static const char expected[] =
		"2024-05-06 08:00:01 mx1 alice imap unknown:0 PLAIN 192.0.2.5 1\n";
	(void)state;

	read_text("May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS "\n");
	assert_string_equal(found, expected);
	read_text("2024-05-06T10:00:01.5+02:00 mx1 dovecot: imap-login: Login: " ELEMENTS "\n");
	assert_string_equal(found, expected);
	read_text("May 06 08:00:01 imap-login: Info: Login: " ELEMENTS "\n");
	assert_string_equal(found, "2024-05-06 08:00:01  alice imap unknown:0 PLAIN 192.0.2.5 1\n");
	read_text("{\"__REALTIME_TIMESTAMP\":\"1714982401000000\",\"_HOSTNAME\":\"mx1\","
		  "\"SYSLOG_IDENTIFIER\":\"dovecot\",\"MESSAGE\":\"imap-login: Login: " ELEMENTS
		  "\"}\n");
	assert_string_equal(found, expected);
	assert_int_equal(counts.lines, 1);
	assert_int_equal(counts.understood, 1);
}

/* A log that is just being written to, or was cut: what is missing would be another user, or
   a login without TLS. */
static void test_half_lines(void **state)
{
	static const char *const halves[] = {
		"May  6 08:00:02 mx1 dovecot: imap-login: Login: user=<bob>, method=PLAIN",
		"May  6 08:00:02 mx1 postfix/smtps/smtpd[7]: 4A: client=unknown[192.0.2.5], "
		"sasl_method=PLAIN, sasl_username=alice@exam",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(halves); i++) {
		char *text = g_strconcat("May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS
					 "\n",
					 halves[i], NULL);

		read_text(text);
		assert_string_equal(
			found, "2024-05-06 08:00:01 mx1 alice imap unknown:0 PLAIN 192.0.2.5 1\n");
		assert_string_equal(example, halves[i]);
		assert_int_equal(counts.lines, 2);
		assert_int_equal(counts.unknown, 1);
		g_free(text);
	}
}

#define SESSION ", session=<2xl1O25hz4NOLgXN>"

/* What a file ends with may be whole without its newline: where that can be seen, it counts. */
static void test_last_lines(void **state)
{
	static const char login[] = "May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS;
	static const struct {
		const char *before, *last;
		const char *told; /* a part of what the logins are; NULL: it is a half line */
	} lines[] = {
		{"", SESSION, "alice imap"},
		/* In the format of others, more may follow. */
		{"May  6 08:00:00 mx1 dovecot: imap-login: Login: user=<a>, rip=192.0.2.5" SESSION
		 ", TLS\n",
		 SESSION, NULL},
		{"", "", NULL},
		{"", SESSION ", lp", NULL},
		{"", ", session=<2xl1O25hz4NOLgXN", NULL},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(lines); i++) {
		char *text = g_strconcat(lines[i].before, login, lines[i].last, NULL);

		read_text(text);
		assert_int_equal(counts.unknown, lines[i].told == NULL);
		assert_int_equal(strstr(found, "alice imap") != NULL, lines[i].told != NULL);
		g_free(text);
	}
	read_text(
		"{\"__REALTIME_TIMESTAMP\":\"1714982401000000\",\"SYSLOG_IDENTIFIER\":\"dovecot\","
		"\"MESSAGE\":\"imap-login: Login: " ELEMENTS "\"}");
	assert_non_null(strstr(found, "alice imap"));
	assert_int_equal(counts.unknown, 0);
	/* Those that tell of no login. */
	read_text("May  6 08:00:01 mx1 dovecot: imap(alice)<7><x>: Disconnected: Logged out in=1");
	assert_int_equal(counts.understood, 1);
	read_text("May  6 08:00:01 mx1 kernel: eth0: link is u");
	assert_int_equal(counts.others, 1);
	read_text("May  6 08:00:01 mx1 postfix/smtpd[9]: 4F: client=c[192.0.2.5], "
		  "sasl_method=PLAIN, sasl_username=alice\n"
		  "May  6 08:00:01 mx1 postfix/smtpd[9]: disconnect from c[192.0.2.5] ehlo=2 "
		  "starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8");
	assert_int_equal(counts.understood, 2);
	read_text("May  6 08:00:01 mx1 postfix/smtpd[9]: disconnect from c[192.0.2.5] ehlo=2");
	assert_int_equal(counts.unknown, 1);
}

/* What cannot matter is passed over, wherever it stands, and nothing else is. */
static void test_other_lines(void **state)
{
	(void)state;

	read_text(
		"May  6 08:00:00 mx1 postfix/qmgr[9]: 4ABC: from=<a@example.net>, size=2000\n"
		"May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS "\n"
		"May  6 08:00:02 mx1 dovecot: imap(alice)<7><x>: Disconnected: Logged out in=1 "
		"out=2\n"
		"May  6 08:00:02 mx1 spamd[8]: spamd: result: . 1 - "
		"DKIM_SIGNED,DKIM_VALID,HTML_MESSAGE\n"
		"May  6 08:00:02 mx1 dovecot: lmtp(alice)<7><x>: msgid=<imap-login: "
		"Login: " ELEMENTS ">: saved mail to INBOX\n"
		"May  6 08:00:03 host-of-a-longer-name dovecot: pop3-login: Login: " ELEMENTS "\n"
		"May  6 08:00:04 mx1 dovecot: pop3-login: Login: " ELEMENTS "\n"
		"May  6 08:00:05 mx1 postfix/smtpd[9]: connect from client.example.org[192.0.2.5]\n"
		"May  6 08:00:05 mx1 dovecot: message repeated 2 times: [ imap-login: "
		"Login: " ELEMENTS "]\n"
		"\n");
	assert_string_equal(
		found,
		"2024-05-06 08:00:01 mx1 alice imap unknown:0 PLAIN 192.0.2.5 1\n"
		"2024-05-06 08:00:03 host-of-a-longer-name alice pop3 unknown:0 PLAIN 192.0.2.5 1\n"
		"2024-05-06 08:00:04 mx1 alice pop3 unknown:0 PLAIN 192.0.2.5 1\n"
		"2024-05-06 08:00:05 mx1 alice imap unknown:0 PLAIN 192.0.2.5 2\n");
	assert_int_equal(counts.lines, 10);
	assert_int_equal(counts.understood, 8);
	assert_int_equal(counts.others, 1);
	assert_int_equal(counts.unknown, 0);
}

/* Whatever a host calls it, and with or without its process. */
static void test_names_of_dovecot(void **state)
{
	(void)state;

	read_text("May  6 08:00:00 mx1 postfix/qmgr[9]: 4ABC: from=<a@example.net>, size=2000, n=1 "
		  "x\n"
		  "May  6 08:00:01 mx1 dovecot-proxy: imap-login: Login: " ELEMENTS "\n"
		  "May  6 08:00:02 mx1 dovecot[77]: imap(alice)<7><x>: Disconnected: Logged out "
		  "in=1 out=2\n"
		  "May  6 08:00:03 mx1 mail[78]: imap-login: Login: " ELEMENTS "\n"
		  "May  6 08:00:04 mx1 mail[x]: imap-login: Login: " ELEMENTS "\n"
		  "May  6 08:00:05 mx1 kernel: eth0: link is up, or down, or something in between "
		  "the two\n");
	assert_non_null(strstr(found, "08:00:01"));
	assert_non_null(strstr(found, "08:00:03"));
	assert_non_null(strstr(found, "08:00:04"));
	assert_int_equal(counts.understood, 5);
	assert_int_equal(counts.others, 1);
}

static void test_files_of_dovecot(void **state)
{
	(void)state;

	read_text("May 06 08:00:01 imap-login: Info: Login: " ELEMENTS "\n"
		  "May 06 08:00:02 imap(alice)<7><x>: Info: Disconnected: Logged out in=1 out=2 "
		  "d=0 e=0\n"
		  "May 06 08:00:03 pop3-login: Info: Login: " ELEMENTS "\n"
		  "May 06 08:00:04 master: Warning: Killed with signal 15 (by pid=1 uid=0 "
		  "code=kill)\n");
	assert_string_equal(found, "2024-05-06 08:00:01  alice imap unknown:0 PLAIN 192.0.2.5 1\n"
				   "2024-05-06 08:00:03  alice pop3 unknown:0 PLAIN 192.0.2.5 1\n");
	assert_int_equal(counts.understood, 4);
}

static void test_mails(void **state)
{
	(void)state;

	read_text("May  6 08:00:01 mx1 postfix/submission/smtpd[9]: connect from "
		  "c.example.org[192.0.2.5]\n"
		  "May  6 08:00:02 mx1 postfix/submission/smtpd[9]: 4F1: "
		  "client=c.example.org[192.0.2.5],"
		  " sasl_method=PLAIN, sasl_username=alice\n"
		  "May  6 08:00:03 mx1 postfix/submission/smtpd[9]: disconnect from"
		  " c.example.org[192.0.2.5] ehlo=2 starttls=1 auth=1 mail=1 quit=1 commands=6\n"
		  /* Its end is not there. */
		  "May  6 08:00:04 mx1 postfix/smtpd[10]: 4F2: client=c.example.org[192.0.2.5],"
		  " sasl_method=LOGIN, sasl_username=bob\n");
	assert_string_equal(
		found, "2024-05-06 08:00:02 mx1 alice submission unknown:587 PLAIN"
		       " 192.0.2.5 1\n"
		       "2024-05-06 08:00:04 mx1 bob submission unknown:25 LOGIN 192.0.2.5 1\n");
}

/* Which syslog counts instead of writing them down. */
static void test_repeated_attempts(void **state)
{
	(void)state;

	read_text("May  6 08:00:01 mx1 postfix/submission/smtpd[9]: warning: c[192.0.2.5]: SASL "
		  "LOGIN authentication failed: UGFzc3dvcmQ6\n"
		  "May  6 08:00:04 mx1 postfix/submission/smtpd[9]: message repeated 3 times: [ "
		  "warning: c[192.0.2.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6]\n"
		  "May  6 08:00:05 mx1 postfix/submission/smtpd[9]: disconnect from c[192.0.2.5] "
		  "ehlo=2 starttls=1 auth=0/4 commands=3/7\n");
	assert_string_equal(found,
			    "2024-05-06 08:00:01 mx1 - submission unknown:587 LOGIN 192.0.2.5 4\n");
}

/* By when a file was written to, across New Year. */
static void test_years(void **state)
{
	(void)state;

	read_text("Dec 31 23:59:59 mx1 dovecot: imap-login: Login: " ELEMENTS "\n"
		  "Jan  1 00:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS "\n"
		  "May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS "\n");
	assert_non_null(strstr(found, "2023-12-31 23:59:59"));
	assert_non_null(strstr(found, "2024-01-01 00:00:01"));
	assert_non_null(strstr(found, "2024-05-06 08:00:01"));
	/* Each file has its own. */
	write_file("mail.log.1", "Dec 30 10:00:00 mx1 dovecot: imap-login: Login: " ELEMENTS "\n");
	look(directory);
	assert_non_null(strstr(found, "2023-12-30 10:00:00"));
	assert_non_null(strstr(found, "2024-05-06 08:00:01"));
	assert_int_equal(counts.lines, 4);
}

/* Nothing was written later than now, whatever a file says of itself. */
static void test_files_of_the_future(void **state)
{
	const struct timespec times[2] = {{.tv_sec = INT64_C(1) << 33},
					  {.tv_sec = INT64_C(1) << 33}};
	char latest[32];
	time_t now = time(NULL) + 2 * 24 * 3600;
	(void)state;

	write_file("mail.log", "May  6 08:00:01 mx1 dovecot: imap-login: Login: " ELEMENTS "\n");
	assert_int_equal(utimensat(AT_FDCWD, in_directory("mail.log"), times, 0), 0);
	look(in_directory("mail.log"));
	strftime(latest, sizeof(latest), "%Y-%m-%d %H:%M:%S", gmtime(&now));
	assert_true(strncmp(found, latest, strlen(latest)) < 0);
}

static void test_undated(void **state)
{
	(void)state;

	read_text("imap-login: Info: Login: " ELEMENTS "\n");
	assert_string_equal(found, "");
	assert_int_equal(counts.undated, 1);
}

static void test_examples(void **state)
{
	(void)state;

	read_text("May  6 08:00:01 mx1 dovecot: imap-login: Something new: user=<alice>,"
		  " session=<kJ3secret>\n"
		  "May  6 08:00:01 mx1 dovecot: imap-login: Something new: user=<bob>,"
		  " session=<kJ4secret>\n"
		  "once upon a time\n");
	assert_int_equal(counts.unknown, 3);
	assert_string_equal(example, "imap-login: Something new: user=<alice>, session=...");
}

/* In whatever form nothing here reads. */
static void test_examples_without_sessions(void **state)
{
	static const struct {
		const char *line, *shown;
	} lines[] = {
		{"imap(alice)<1><kJ3HnxNQnMx/AAAB>: Info", "imap(alice)<1><...>: Info"},
		{"a id=kJ3HnxNQnMx/AAAB, b", "a id=..., b"},
		{"a <kJ3HnxNQnMx/AAABkJ3HnxNQnMx/AAAB>", "a <...>"},
		{"{\"log\":\"imap(a)\\u003c1\\u003e\\u003ckJ3HnxNQnMx/AAAB\\u003e: \"",
		 "{\"log\":\"imap(a)\\u003c1\\u003e\\u003c...\\u003e: \""},
		/* Cut within it. */
		{"imap(alice)<1><kJ3HnxNQ", "imap(alice)<1><..."},
		{"imap(alice)\\u003ckJ3HnxNQ", "imap(alice)\\u003c..."},
		{"a, session=kJ3", "a, session=..."},
		/* None. */
		{"Whatever internationalisation", "Whatever internationalisation"},
		{"a <alice.of.example@example.org> b", "a <alice.of.example@example.org> b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct log_examples examples;

		log_examples_init(&examples);
		log_examples_add(&examples, lines[i].line, strlen(lines[i].line));
		assert_string_equal(g_array_index(examples.examples, struct log_example, 0).text,
				    lines[i].shown);
		log_examples_clear(&examples);
	}
}

static void test_many_examples(void **state)
{
	struct log_examples examples;
	char line[64];
	(void)state;

	log_examples_init(&examples);
	for (char c = ' '; c < '~'; c++) {
		for (int i = 0; i < 3; i++) {
			snprintf(line, sizeof(line), "kind %c %d (%c)", c, i * 1000, 'a' + i);
			log_examples_add(&examples, line, strlen(line));
		}
	}
	assert_int_equal(examples.examples->len, 64);
	assert_int_equal(g_array_index(examples.examples, struct log_example, 1).count, 3);
	assert_true(examples.others > 0);
	log_examples_add(&examples, "a\0b", 3);
	log_examples_clear(&examples);
}

int main(void)
{
#define READER_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
	const struct CMUnitTest tests[] = {
		READER_TEST(test_prefixes),
		READER_TEST(test_half_lines),
		READER_TEST(test_last_lines),
		READER_TEST(test_other_lines),
		READER_TEST(test_files_of_dovecot),
		READER_TEST(test_names_of_dovecot),
		READER_TEST(test_mails),
		READER_TEST(test_repeated_attempts),
		READER_TEST(test_years),
		READER_TEST(test_files_of_the_future),
		READER_TEST(test_undated),
		READER_TEST(test_examples),
		cmocka_unit_test(test_examples_without_sessions),
		cmocka_unit_test(test_many_examples),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
