#include "unit.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "admin/delivery/bounce-report.h"

/* As Postfix sends it, with what varies left out. */
#define HEAD                                                                                       \
	"Return-Path: <>\nFrom: MAILER-DAEMON@mx1.example.org (Mail Delivery System)\n"            \
	"Subject: Undelivered Mail Returned to Sender\nTo: mail@example.org\n"                     \
	"Message-Id: <outer@mx1.example.org>\nMIME-Version: 1.0\n"                                 \
	"Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"b/mx1\"\n\n"   \
	"--b/mx1\nContent-Description: Notification\nContent-Type: text/plain\n\n"                 \
	"I'm sorry to have to inform you. Message-ID: <prose@example.org>\n\n"

#define STATUS(action)                                                                             \
	"--b/mx1\nContent-Description: Delivery report\n"                                          \
	"Content-Type: message/delivery-status\n\n"                                                \
	"Reporting-MTA: dns; mx1.example.org\nArrival-Date: Sun, 29 Nov 2026 08:00:00 +0000\n\n"   \
	"Final-Recipient: rfc822; gone@example.org\nAction: " action "\nStatus: 5.1.1\n"           \
	"Diagnostic-Code: smtp; 550 5.1.1 <gone@example.org>\n    User unknown\n\n"

#define ORIGINAL                                                                                   \
	"--b/mx1\nContent-Description: Undelivered Message\nContent-Type: message/rfc822\n\n"      \
	"From: mail@example.org\nMessage-ID: <4711@example.org>\nSubject: "                        \
	"x\n\nText\n\n--b/mx1--\n"

#define HEADERS                                                                                    \
	"--b/mx1\nContent-Type: text/rfc822-headers\n\n"                                           \
	"From: mail@example.org\nMessage-ID:\n <4711@example.org>\n\n--b/mx1--\n"

#define SAID "it came back: 5.1.1 smtp; 550 5.1.1 <gone@example.org>     User unknown"

static void test_reports(void **state)
{
	static const struct {
		const char *mail;
		bool is_report, failed;
		const char *message_id, *error;
	} cases[] = {
		{HEAD STATUS("failed") ORIGINAL, true, true, "4711@example.org", SAID},
		{HEAD STATUS("failed") HEADERS, true, true, "4711@example.org", SAID},
		{"From MAILER-DAEMON  Sun Nov 29 08:00:00 2026\n" HEAD STATUS("Failed") ORIGINAL,
		 true, true, "4711@example.org", SAID},
		{HEAD STATUS("delayed") ORIGINAL, true, false, "4711@example.org", ""},
		{HEAD STATUS("delivered") ORIGINAL, true, false, "4711@example.org", ""},
		{HEAD STATUS("expanded") ORIGINAL, true, false, "4711@example.org", ""},
		{HEAD STATUS("failed (it is gone)") ORIGINAL, true, true, "4711@example.org", SAID},
		{HEAD STATUS("failednot") ORIGINAL, true, false, "4711@example.org", ""},
		/* Of several recipients, one. */
		{HEAD "--b/mx1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
		      "Action: delayed\nStatus: 4.0.0\n\nAction: failed\nStatus: 5.2.2\n\n"
		      "Action: failed\nStatus: 5.9.9\n" ORIGINAL,
		 true, true, "4711@example.org", "it came back: 5.2.2"},
		/* Encoded. */
		{HEAD "--b/mx1\nContent-Type: message/delivery-status\n"
		      "Content-Transfer-Encoding: base64\n\n"
		      "UmVwb3J0aW5nLU1UQTogZG5zOyB4CgpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMC4wCg==\n"
		      "\n" ORIGINAL,
		 true, true, "4711@example.org", "it came back: 5.0.0"},
		/* RFC 6533 */
		{HEAD "--b/mx1\nContent-Type: message/global-delivery-status\n\nAction: failed\n\n"
		      "--b/mx1\nContent-Type: message/global-headers\n\n"
		      "Message-ID: <4711@example.org>\n\n--b/mx1--\n",
		 true, true, "4711@example.org", "it came back:"},
		/* What does not say which mail it is about, or comes to an end too early. */
		{HEAD STATUS("failed") "--b/mx1--\n", true, true, "", SAID},
		{HEAD STATUS("failed"), true, true, "", SAID},
		{HEAD "--b/mx1\nContent-Type: message/delivery-status\n\n" ORIGINAL, true, false,
		 "4711@example.org", ""},
		/* No report. */
		{"", false, false, "", ""},
		{"\n", false, false, "", ""},
		{"From x", false, false, "", ""},
		{HEAD "--b/mx1--\n", false, false, "", ""},
		{HEAD ORIGINAL, false, false, "4711@example.org", ""},
		{"Subject: on holiday\nIn-Reply-To: <4711@example.org>\n\nAction: failed\n", false,
		 false, "", ""},
		{"Content-Type: multipart/mixed; boundary=\"b/mx1\"\n\n" STATUS("failed") ORIGINAL,
		 false, false, "", ""},
		{"Content-Type: multipart/report\n\nAction: failed\n", false, false, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bounce_report report;
		bool is_report = bounce_report_read(cases[i].mail, strlen(cases[i].mail), &report);

		if (is_report != cases[i].is_report)
			fail_msg("case %zu: is it a report?", i);
		assert_int_equal(report.failed, cases[i].failed);
		assert_string_equal(report.message_id, cases[i].message_id);
		assert_string_equal(report.error, cases[i].error);
	}
}

static void test_line_ends(void **state)
{
	char **lines = g_strsplit(HEAD STATUS("failed") ORIGINAL, "\n", -1);
	char *mail = g_strjoinv("\r\n", lines);
	struct bounce_report report;

	(void)state;
	assert_true(bounce_report_read(mail, strlen(mail), &report));
	assert_true(report.failed);
	assert_string_equal(report.message_id, "4711@example.org");
	assert_non_null(strstr(report.error, "User unknown"));
	g_free(mail);
	g_strfreev(lines);
}

/* Whatever a stranger sends, it is read within its bounds. */
static void test_hostile(void **state)
{
	static const char whole[] = HEAD STATUS("failed") ORIGINAL;
	struct bounce_report report;
	GString *mail = g_string_new(NULL);
	char *copy;

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		copy = g_memdup2(whole, MAX(length, 1));
		bounce_report_read(copy, length, &report);
		g_free(copy);
	}
	/* A Message-ID that is too long, and words that would be lines of a log. */
	g_string_append(mail, HEAD "--b/mx1\nContent-Type: message/delivery-status\n\n"
				   "Action: failed\nStatus: 5\x1b[2J\r\x07\xff ");
	for (int i = 0; i < rounds(100000); i++)
		g_string_append(mail, "x");
	g_string_append(mail, "\n\n--b/mx1\nContent-Type: message/rfc822\n\nMessage-ID: <");
	for (int i = 0; i < rounds(100000); i++)
		g_string_append(mail, "y");
	g_string_append(mail, "@example.org>\n\n--b/mx1--\n");
	assert_true(bounce_report_read(mail->str, mail->len, &report));
	assert_true(report.failed);
	assert_string_equal(report.message_id, "");
	for (const char *c = report.error; *c != '\0'; c++)
		assert_in_range(*c, ' ', '~');
	g_string_assign(mail, HEAD STATUS("failed") "--b/mx1\nContent-Type: text/rfc822-headers\n\n"
						    "--b/mx1--\n");
	assert_true(bounce_report_read(mail->str, mail->len, &report));
	assert_string_equal(report.message_id, "");
	/* Parts in parts. */
	g_string_assign(mail, "");
	for (int i = 0; i < rounds(20000); i++)
		g_string_append_printf(
			mail, "Content-Type: multipart/report; boundary=b%d\n\n--b%d\n", i, i);
	assert_false(bounce_report_read(mail->str, mail->len, &report));
	g_string_assign(mail, "");
	for (int i = 0; i < rounds(30000); i++)
		g_string_append(mail, "Content-Type: message/rfc822\n\n");
	assert_false(bounce_report_read(mail->str, mail->len, &report));
	g_string_free(mail, TRUE);
}

/* Groups of addresses within groups, in all places where there may be addresses: whoever
   reads them as they are written is soon at the end of the stack. */
static void test_groups_in_groups(void **state)
{
	static const char *const names[] = {"To", "cc", "BCC ", "From\t", "Sender", "Reply-To"};
	char *groups = g_strnfill(900000, ':');

	(void)state;
	for (size_t i = 0; i < 900000; i += 2)
		groups[i] = 'a';
	for (size_t i = 0; i < COUNT(names); i++) {
		char *field = g_strdup_printf("%s:%s\n", names[i], groups);
		char *mails[] = {
			g_strconcat(field, HEAD STATUS("failed") ORIGINAL, NULL),
			g_strconcat(HEAD STATUS("failed"),
				    "--b/mx1\nContent-Type: message/rfc822\n\n", field,
				    "Message-ID: <4711@example.org>\n\nText\n\n--b/mx1--\n", NULL),
			g_strconcat(HEAD STATUS("failed"),
				    "--b/mx1\nContent-Type: text/rfc822-headers\n\n", field,
				    "Message-ID: <4711@example.org>\n\n--b/mx1--\n", NULL),
		};

		for (size_t j = 0; j < COUNT(mails); j++) {
			struct bounce_report report;

			assert_true(bounce_report_read(mails[j], strlen(mails[j]), &report));
			assert_true(report.failed);
			assert_string_equal(report.message_id, "4711@example.org");
			g_free(mails[j]);
		}
		g_free(field);
	}
	g_free(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_groups_in_groups),
	};

	/* GMime's and GLib's, about wrong use of them. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
