#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/logs/log-time.h"

#define MOMENT INT64_C(1795946696) /* 2026-11-29T10:04:56Z */

/* A case is read from "TEXT|what follows", so that it shows how much is the time stamp. */
static void check(const char *text, enum log_time_kind kind, int64_t milliseconds)
{
	size_t length = strcspn(text, "|");
	char plain[128] = "";
	struct log_time time;
	size_t read;

	strncat(plain, text, length);
	if (text[length] == '|')
		strcat(plain, text + length + 1);
	read = log_time_read(log_slice(plain), &time);
	if (read != (kind == LOG_TIME_NONE ? 0 : length))
		fail_msg("%s: %zu bytes were read", text, read);
	if (kind == LOG_TIME_NONE)
		return;
	assert_int_equal(time.kind, kind);
	if (kind == LOG_TIME_YEARLESS) {
		assert_int_equal(time.year, 0);
		time.year = 2026;
	}
	if ((kind == LOG_TIME_UTC ? time.utc : log_time_reckon(&time)) != milliseconds)
		fail_msg("%s: another time was read", text);
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		enum log_time_kind kind;
		int64_t seconds;
		int milliseconds;
	} cases[] = {
		/* syslog's, and Dovecot's own */
		{"Nov 29 10:04:56| mx1 dovecot: ", LOG_TIME_YEARLESS, MOMENT, 0},
		{"Nov 29 10:04:56|", LOG_TIME_YEARLESS, MOMENT, 0},
		{"Nov 29 10:04:56.123456| mx1", LOG_TIME_YEARLESS, MOMENT, 123},
		{"Nov  9 10:04:56| mx1", LOG_TIME_YEARLESS, MOMENT - 20 * 86400, 0},
		{"Nov 09 10:04:56| mx1", LOG_TIME_YEARLESS, MOMENT - 20 * 86400, 0},
		{"Nov 9 10:04:56| mx1", LOG_TIME_YEARLESS, MOMENT - 20 * 86400, 0},
		{"Nov 29 2026 10:04:56| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"2026 Nov 29 10:04:56| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"Sun Nov 29 10:04:56 2026| mail.info", LOG_TIME_LOCAL, MOMENT, 0},
		/* journalctl in German */
		{"Dez 29 10:04:56| mx1", LOG_TIME_YEARLESS, MOMENT + 30 * 86400, 0},
		{"M\303\244r 01 00:00:00| mx1", LOG_TIME_YEARLESS, 1772323200, 0},
		/* RFC 3339 */
		{"2026-11-29T10:04:56Z| mx1", LOG_TIME_UTC, MOMENT, 0},
		{"2026-11-29T11:04:56.987654+01:00| mx1", LOG_TIME_UTC, MOMENT, 987},
		{"2026-11-29T05:04:56,9-05:00| mx1", LOG_TIME_UTC, MOMENT, 900},
		{"2026-11-29T10:04:56.123456789Z|", LOG_TIME_UTC, MOMENT, 123},
		{"2016-12-31T23:59:60Z| mx1", LOG_TIME_UTC, 1483228800, 0},
		/* journalctl -o short-iso */
		{"2026-11-29T11:04:56+0100| mx1", LOG_TIME_UTC, MOMENT, 0},
		{"2026-11-29T15:34:56.000001+0530| mx1", LOG_TIME_UTC, MOMENT, 0},
		/* log_timestamp and the like */
		{"2026-11-29 10:04:56| imap-login: ", LOG_TIME_LOCAL, MOMENT, 0},
		{"2026-11-29 10:04:56.5| imap-login: ", LOG_TIME_LOCAL, MOMENT, 500},
		{"2026-11-29 11:04:56 +0100| imap-login: ", LOG_TIME_UTC, MOMENT, 0},
		{"2026-11-29 11:04:56+01| imap-login: ", LOG_TIME_UTC, MOMENT, 0},
		{"2026-11-29 10:04:56 UTC| imap-login: ", LOG_TIME_UTC, MOMENT, 0},
		{"2026-11-29 10:04:56 CET| imap-login: ", LOG_TIME_LOCAL, MOMENT, 0},
		{"2026-11-29 10:04:56| CETUS dovecot: ", LOG_TIME_LOCAL, MOMENT, 0},
		{"2026-11-29T10:04:56| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"2026-11-29_10:04:56.12345| imap-login: ", LOG_TIME_UTC, MOMENT, 123},
		/* journalctl -o short-full */
		{"Sun 2026-11-29 10:04:56 UTC| mx1", LOG_TIME_UTC, MOMENT, 0},
		{"Sun 2026-11-29 10:04:56 CET| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"Sun 2026-11-29 10:04:56 CEST| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"Sun 2026-11-29 10:04:56 EST| mx1", LOG_TIME_LOCAL, MOMENT, 0},
		{"Sun 2026-11-29 13:04:56 +03| mx1", LOG_TIME_UTC, MOMENT, 0},
		/* journalctl -o short-unix */
		{"1795946696.123456| mx1", LOG_TIME_UTC, MOMENT, 123},
		/* TAI64N */
		{"@400000006b0bf8d2075bcd15| imap-login: ", LOG_TIME_UTC, MOMENT, 123},
		/* What is none. */
		{"", LOG_TIME_NONE, 0, 0},
		{"2026-11-29", LOG_TIME_NONE, 0, 0},
		{"2026-11-31 10:04:56 x", LOG_TIME_NONE, 0, 0},
		{"2026-02-29 10:04:56 x", LOG_TIME_NONE, 0, 0},
		{"2026-00-01 10:04:56 x", LOG_TIME_NONE, 0, 0},
		{"0000-01-01 10:04:56 x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29 24:04:56 x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29 10:60:56 x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29 10:04:61 x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29 10:04:56x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29 10:04:56. x", LOG_TIME_NONE, 0, 0},
		{"2026-11-29T10:04:56+99:00 x", LOG_TIME_NONE, 0, 0},
		{"2026 Feb 29 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"2026 Nov 29 2026 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Nov 32 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Nov x 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Sun Nov 29 10:04:56 26", LOG_TIME_NONE, 0, 0},
		{"Nov 0 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Nov 31 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Nex 29 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"Nov 29 10:04", LOG_TIME_NONE, 0, 0},
		{"Nov 29 10:04:56x", LOG_TIME_NONE, 0, 0},
		{"1795946696.123456x", LOG_TIME_NONE, 0, 0},
		{"@400000006b0bf8d2075bcd15x", LOG_TIME_NONE, 0, 0},
		{"Nov 29 10:04:5", LOG_TIME_NONE, 0, 0},
		{"Sun Nov 29 10:04:56 mx1", LOG_TIME_NONE, 0, 0},
		{"9795946696.123456 mx1", LOG_TIME_NONE, 0, 0},
		{"@400000006b0bf8d2075bcd1g x", LOG_TIME_NONE, 0, 0},
		{"@ffffffffffffffff075bcd15 x", LOG_TIME_NONE, 0, 0},
		{"@400000006b0bf8d2ffffffff x", LOG_TIME_NONE, 0, 0},
		{"TLS connection established", LOG_TIME_NONE, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i].text, cases[i].kind,
		      cases[i].seconds * 1000 + cases[i].milliseconds);
}

/* Every part of a time stamp, as the end of a line that was cut. */
static void test_cut(void **state)
{
	static const char *const texts[] = {
		"Sun 2026-11-29 10:04:56.123 +0130 mx1",
		"2026-11-29T10:04:56.987654+01:00 mx1",
		"Nov 29 10:04:56.1 mx1",
		"Sun Nov 29 10:04:56 2026 mx1",
		"@400000006b0bf8d2075bcd15 mx1",
		"1795946696.123456 mx1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t length = 0; length <= strlen(texts[i]); length++) {
			/* Its end is where valgrind and ASan watch. */
			char *text = malloc(length + 1);
			struct log_time time;

			text = realloc(text, length == 0 ? 1 : length);
			memcpy(text, texts[i], length);
			assert_true(log_time_read((struct log_slice){text, length}, &time) <=
				    length);
			free(text);
		}
	}
}

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
