#include "unit.h"

#include <glib.h>
#include <string.h>

#include "admin/logs/postfix-smtpd.h"

static const char *const tls_names[] = {
	[LOG_TLS_UNKNOWN] = "?",         [LOG_TLS_NONE] = "none",
	[LOG_TLS_SOME] = "some",         [LOG_TLS_STARTTLS] = "starttls",
	[LOG_TLS_IMPLICIT] = "implicit", [LOG_TLS_UNMENTIONED] = "unmentioned",
};

/* One login in words: which mail of how many, from where, by which way. */
static void append_login(GString *told, const struct log_login *login)
{
	char address[ADDRESS_TEXT_SIZE];

	assert_int_equal(login->source, SOURCE_POSTFIX);
	assert_int_equal(login->service, SERVICE_SUBMISSION);
	assert_string_equal(login->client_id, "");
	address_format(&login->client, address);
	g_string_append_printf(told, "%d %s %s %s %s %d %s %s %u%s\n", (int)login->time,
			       login->host, *login->user != '\0' ? login->user : "-",
			       *login->mechanism != '\0' ? login->mechanism : "-",
			       *address != '\0' ? address : "-", login->port, tls_names[login->tls],
			       tls_version_name(login->tls_version), login->count,
			       login->verified ? "" : " refused");
}

static void take_logins(struct postfix_smtpd *smtpd, GString *told)
{
	struct log_login login;

	while (postfix_smtpd_next(smtpd, &login))
		append_login(told, &login);
}

/* The part up to a text, behind which *rest then begins. */
static struct log_slice cut(const char **rest, const char *text)
{
	const char *end = strstr(*rest, text);
	struct log_slice slice = {*rest, 0};

	assert_non_null(end);
	slice.length = (size_t)(end - *rest);
	*rest = end + strlen(text);
	return slice;
}

/* "HOST PROGRAM[PROCESS]: MESSAGE" */
static enum smtpd_answer read_line(struct postfix_smtpd *smtpd, const char *text, int time)
{
	struct smtpd_line line = {.time = time, .count = 1};

	line.host = cut(&text, " ");
	line.program = cut(&text, "[");
	line.process = cut(&text, "]: ");
	line.message = log_slice(text);
	assert_true(postfix_smtpd_is(line.program));
	return postfix_smtpd_read(smtpd, &line);
}

/* What lines tell, and at the end, behind "--", of connections that are under way. The time of
   a line is its number, from 1 on. */
static char *tell(const char *port_25_name, const char *lines)
{
	struct postfix_smtpd *smtpd = postfix_smtpd_create(port_25_name);
	char **texts = g_strsplit(lines, "\n", -1);
	GString *told = g_string_new(NULL);

	for (int i = 0; texts[i] != NULL && *texts[i] != '\0'; i++) {
		assert_int_not_equal(read_line(smtpd, texts[i], i + 1), SMTPD_UNKNOWN);
		take_logins(smtpd, told);
	}
	g_string_append(told, "--\n");
	postfix_smtpd_end(smtpd);
	take_logins(smtpd, told);
	postfix_smtpd_free(smtpd);
	g_strfreev(texts);
	return g_string_free(told, FALSE);
}

#define assert_told(lines, expected) assert_told_named(NULL, lines, expected)
#define assert_told_named(port_25_name, lines, expected)                                           \
	do {                                                                                       \
		char *told = tell(port_25_name, lines);                                            \
		assert_string_equal(told, expected);                                               \
		g_free(told);                                                                      \
	} while (0)

#define MAIL ", sasl_method=PLAIN, sasl_username=ann@example.org\n"
#define PLAIN_END " ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6\n"
#define STARTTLS_END " ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8\n"
#define ANN " ann@example.org PLAIN 192.0.2.7 "

static void test_starttls(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: connect from a.example.net[192.0.2.7]\n"
		    "mx postfix/submission/smtpd[7]: Anonymous TLS connection established from "
		    "a.example.net[192.0.2.7]: TLSv1.2 with cipher X (256/256 bits)\n"
		    "mx postfix/submission/smtpd[7]: 4Zx1: client=a.example.net[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "a.example.net[192.0.2.7]" STARTTLS_END,
		    "3 mx" ANN "587 starttls TLSv1.2 1\n--\n");
	/* Without a line about TLS, its version is not known. */
	assert_told("mx postfix/submission/smtpd[7]: 4Zx1: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]" STARTTLS_END,
		    "1 mx" ANN "587 starttls unknown 1\n--\n");
	/* One that did not come about. */
	assert_told("mx postfix/submission/smtpd[7]: 4Zx1: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from unknown[192.0.2.7] ehlo=1 "
		    "starttls=0/1 auth=1 mail=1 commands=3/4\n",
		    "--\n1 mx" ANN "587 none unknown 1\n");
}

static void test_tls_lines(void **state)
{
	static const char *const begins[] = {"Anonymous TLS", "Untrusted TLS", "Trusted TLS",
					     "Verified TLS", "TLS"};
	(void)state;

	for (size_t i = 0; i < COUNT(begins); i++) {
		char *lines = g_strdup_printf(
			"mx postfix/smtps/smtpd[7]: %s connection established from "
			"unknown[2001:db8::7]: TLSv1 with cipher X (256/256 bits)\n"
			"mx postfix/smtps/smtpd[7]: 1A2B: client=unknown[2001:db8::7]" MAIL,
			begins[i]);

		assert_told(lines, "--\n2 mx ann@example.org PLAIN 2001:db8::7 465 implicit TLSv1 "
				   "1\n");
		g_free(lines);
	}
	/* As Postfix 3.6 words it where the program said whom it wants to reach. */
	assert_told("mx postfix/submissions/smtpd[7]: Anonymous TLS connection established from "
		    "unknown[192.0.2.7] to mail.example.org: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/submissions/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submissions/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "2 mx" ANN "465 implicit TLSv1.3 1\n--\n");
	/* With smtpd_client_port_logging = yes. */
	assert_told("mx postfix/submission/smtpd[7]: Untrusted TLS connection established from "
		    "unknown[192.0.2.7]:41573: TLSv1.1 with cipher X (1/2 bits)\n"
		    "mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]:41573" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]:41573" STARTTLS_END,
		    "2 mx" ANN "587 starttls TLSv1.1 1\n--\n");
	/* A version that nobody knows yet. */
	assert_told("mx postfix/smtps/smtpd[7]: Anonymous TLS connection established from "
		    "unknown[192.0.2.7]: TLSv9 with cipher X (1/2 bits)\n"
		    "mx postfix/smtps/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL,
		    "--\n2 mx" ANN "465 implicit unknown 1\n");
}

static void test_without_tls(void **state)
{
	(void)state;
	/* It waits: a line that comes later may show that the name tells nothing. */
	assert_told("mx postfix/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "--\n1 mx" ANN "25 none unknown 1\n");
	/* Where TLS is logged, there was none. */
	assert_told("mx postfix/smtpd[6]: Anonymous TLS connection established from "
		    "unknown[192.0.2.8]: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/smtpd[7]: connect from unknown[192.0.2.7]\n"
		    "mx postfix/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "3 mx" ANN "25 none unknown 1\n--\n");
	/* But the line may have stood before what is read. */
	assert_told("mx postfix/smtpd[6]: connect from unknown[192.0.2.8]\n"
		    "mx postfix/smtpd[6]: Anonymous TLS connection established from "
		    "unknown[192.0.2.8]: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[6]: disconnect from unknown[192.0.2.8]" PLAIN_END
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "3 mx" ANN "0 ? unknown 1\n--\n");
	/* Port 465 has no other. */
	assert_told("mx postfix/smtps/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtps/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "1 mx" ANN "465 implicit unknown 1\n--\n");
}

/* Before 3.0 Postfix tells no commands at the end. */
static void test_old_postfix(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: TLS connection established from "
		    "unknown[192.0.2.7]: TLSv1 with cipher X (256/256 bits)\n"
		    "mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from unknown[192.0.2.7]\n"
		    "mx postfix/submission/smtpd[7]: connect from unknown[192.0.2.7]\n"
		    "mx postfix/submission/smtpd[7]: 1A2C: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from unknown[192.0.2.7]\n"
		    "mx postfix/submission/smtpd[9]: 1A2D: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[9]: disconnect from unknown[192.0.2.7]\n"
		    "mx postfix/smtpd[8]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[8]: disconnect from unknown[192.0.2.7]\n",
		    "2 mx" ANN "587 some TLSv1 1\n"
		    "5 mx" ANN "587 none unknown 1\n"
		    "7 mx" ANN "587 ? unknown 1\n"
		    "9 mx" ANN "25 ? unknown 1\n--\n");
}

static void test_names(void **state)
{
	(void)state;
#define NAMED(name)                                                                                \
	"mx " name "/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL "mx " name                    \
	"/smtpd[7]: disconnect from unknown[192.0.2.7]" STARTTLS_END
	assert_told(NAMED("postfix"), "1 mx" ANN "25 starttls unknown 1\n--\n");
	assert_told(NAMED("postfix/submission"), "1 mx" ANN "587 starttls unknown 1\n--\n");
	assert_told(NAMED("postfix-out/submission"), "1 mx" ANN "587 starttls unknown 1\n--\n");
	/* Another instance, and a name of its own. */
	assert_told(NAMED("postfix-in"), "1 mx" ANN "0 starttls unknown 1\n--\n");
	assert_told(NAMED("postfix/resubmission"), "1 mx" ANN "0 starttls unknown 1\n--\n");
	assert_told_named("postfix-in", NAMED("postfix-in"),
			  "1 mx" ANN "25 starttls unknown 1\n--\n");
	assert_told_named("postfix/mx", NAMED("postfix"), "1 mx" ANN "0 starttls unknown 1\n--\n");
	/* No 465: the connection says that the name is not right. */
	assert_told(NAMED("postfix/smtps"), "1 mx" ANN "0 starttls unknown 1\n--\n");
#undef NAMED
	assert_false(postfix_smtpd_is(log_slice("postfix/smtp")));
	assert_false(postfix_smtpd_is(log_slice("smtpd")));
}

/* Several ports have the name, one of them with TLS from the beginning. */
static void test_name_of_several_ports(void **state)
{
	(void)state;
	assert_told("mx postfix/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END
		    "mx postfix/smtpd[7]: SSL_accept error from unknown[192.0.2.9]: -1\n"
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.9] commands=0/0\n"
		    "mx postfix/smtpd[7]: 1A2C: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END
		    "mx postfix/smtpd[7]: 1A2D: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" STARTTLS_END
		    "mx postfix/smtpd[7]: Anonymous TLS connection established from "
		    "unknown[192.0.2.7]: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/smtpd[7]: 1A2E: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "5 mx" ANN "0 ? unknown 1\n"
		    "7 mx" ANN "0 starttls unknown 1\n"
		    "10 mx" ANN "0 implicit TLSv1.3 1\n--\n"
		    "1 mx" ANN "0 ? unknown 1\n");
	/* A failed STARTTLS says nothing of that. */
	assert_told("mx postfix/smtpd[7]: SSL_accept error from unknown[192.0.2.9]: -1\n"
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.9] ehlo=1 starttls=0/1 "
		    "commands=1/2\n"
		    "mx postfix/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "--\n3 mx" ANN "25 none unknown 1\n");
}

static void test_several_mails(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: 1A2C: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: NOQUEUE: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]" STARTTLS_END,
		    "1 mx" ANN "587 starttls unknown 3\n--\n");
}

static void test_interleaved(void **state)
{
	(void)state;
	assert_told(
		"mx1 postfix/submission/smtpd[7]: 1A: client=unknown[192.0.2.7], "
		"sasl_method=LOGIN, sasl_username=ann\n"
		"mx2 postfix/submission/smtpd[7]: 1B: client=unknown[192.0.2.7], "
		"sasl_method=cram-md5, sasl_username=bob\n"
		"mx1 postfix/submission/smtpd[8]: 1C: client=unknown[192.0.2.7], "
		"sasl_method=PLAIN, sasl_username=cid\n"
		"mx1 postfix/submission/smtpd[7]: 1D: client=unknown[192.0.2.8], "
		"sasl_method=PLAIN, sasl_username=dan\n"
		"mx1 postfix/submission/smtpd[8]: disconnect from unknown[192.0.2.7]" STARTTLS_END
		"mx2 postfix/submission/smtpd[7]: disconnect from unknown[192.0.2.7]" STARTTLS_END
		"mx1 postfix/submission/smtpd[7]: disconnect from unknown[192.0.2.7]" STARTTLS_END,
		"3 mx1 cid PLAIN 192.0.2.7 587 starttls unknown 1\n"
		"2 mx2 bob CRAM-MD5 192.0.2.7 587 starttls unknown 1\n"
		"1 mx1 ann LOGIN 192.0.2.7 587 starttls unknown 1\n--\n"
		"4 mx1 dan PLAIN 192.0.2.8 587 ? unknown 1\n");
}

/* The log has lost the end of a connection, and the same client comes again. */
static void test_lost_end(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: connect from unknown[192.0.2.7]\n"
		    "mx postfix/submission/smtpd[7]: 1A2C: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]" STARTTLS_END,
		    "1 mx" ANN "587 ? unknown 1\n"
		    "3 mx" ANN "587 starttls unknown 1\n--\n");
}

static void test_refused(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN "
		    "authentication failed: UGFzc3dvcmQ6\n"
		    "mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN "
		    "authentication failed: (reason unavailable), sasl_username=(unavailable)\n"
		    "mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL PLAIN "
		    "authentication failed: (reason unavailable), sasl_username=ann@example.org\n"
		    "mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL PLAIN "
		    "authentication aborted\n"
		    "mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]" STARTTLS_END,
		    "1 mx - LOGIN 192.0.2.7 587 starttls unknown 2 refused\n"
		    "3 mx" ANN "587 starttls unknown 1 refused\n"
		    "5 mx" ANN "587 starttls unknown 1\n--\n");
	/* Who is anonymous is nobody. */
	assert_told("mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7], "
		    "sasl_method=ANONYMOUS, sasl_username=anonymous\n",
		    "--\n1 mx anonymous ANONYMOUS 192.0.2.7 587 ? unknown 1 refused\n");
	/* A client may call its mechanism as it likes. */
	assert_told("mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL <script> "
		    "authentication failed: Invalid authentication mechanism\n",
		    "--\n1 mx - - 192.0.2.7 587 ? unknown 1 refused\n");
}

/* A password that was tried before there was TLS. */
static void test_login_before_tls(void **state)
{
	(void)state;
	assert_told("mx postfix/submission/smtpd[7]: warning: unknown[192.0.2.7]: SASL PLAIN "
		    "authentication failed: , sasl_username=ann@example.org\n"
		    "mx postfix/submission/smtpd[7]: Anonymous TLS connection established from "
		    "unknown[192.0.2.7]: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/submission/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/submission/smtpd[7]: disconnect from "
		    "unknown[192.0.2.7]" STARTTLS_END,
		    "1 mx" ANN "587 none unknown 1 refused\n"
		    "3 mx" ANN "587 starttls TLSv1.3 1\n--\n");
}

/* The TLS is that between Postfix and the proxy. */
static void test_behind_a_proxy(void **state)
{
	(void)state;
	assert_told("mx postfix/smtpd[7]: connect from unknown[127.0.0.1]\n"
		    "mx postfix/smtpd[7]: Anonymous TLS connection established from "
		    "unknown[127.0.0.1]: TLSv1.3 with cipher X (1/2 bits)\n"
		    "mx postfix/smtpd[7]: 1A2B: client=a.example.net[192.0.2.7]" MAIL
		    "mx postfix/smtpd[7]: disconnect from a.example.net[192.0.2.7] ehlo=3 "
		    "xclient=0/1 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=9/10\n"
		    "mx postfix/smtpd[7]: 1A2C: client=unknown[192.0.2.7], sasl_method=XCLIENT, "
		    "sasl_username=bob\n",
		    "3 mx" ANN "0 ? unknown 1\n--\n"
		    "5 mx bob - 192.0.2.7 0 ? unknown 1\n");
}

static void test_more_in_a_mails_line(void **state)
{
	(void)state;
	assert_told("mx postfix/smtps/smtpd[7]: 1A: client=unknown[unknown], sasl_method=PLAIN, "
		    "sasl_username=ann, bob, sasl_sender=x@example.org, orig_queue_id=2A, "
		    "orig_client=c[192.0.2.1]\n"
		    "mx postfix/smtps/smtpd[8]: 1A: client=unknown[192.0.2.7], sasl_method=PLAIN, "
		    "sasl_username=cid, orig_queue_id=2A, orig_client=c[192.0.2.1]\n"
		    "mx postfix/smtps/smtpd[9]: 1A: client=unknown[192.0.2.7], orig_queue_id=2A, "
		    "orig_client=c[192.0.2.1]\n",
		    "--\n1 mx ann, bob PLAIN - 465 implicit unknown 1\n"
		    "2 mx cid PLAIN 192.0.2.7 465 implicit unknown 1\n");
}

#define REFUSED_MAIL(more)                                                                         \
	": reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <x@example.net>: Recipient address "    \
	"rejected: no; from=<ann@example.org> to=<x@example.net> proto=ESMTP helo=<laptop>" more   \
	"\n"
#define ANN_REFUSED REFUSED_MAIL(" sasl_method=PLAIN sasl_username=ann@example.org")

/* Since Postfix 3.10 the user of a mail that was turned away is known. */
static void test_mail_turned_away(void **state)
{
	(void)state;
	assert_told("mx postfix/smtps/smtpd[7]: NOQUEUE" ANN_REFUSED
		    "mx postfix/smtps/smtpd[7]: NOQUEUE" ANN_REFUSED
		    "mx postfix/smtps/smtpd[7]: disconnect from unknown[192.0.2.7]" PLAIN_END,
		    "1 mx" ANN "465 implicit unknown 1\n--\n");
	assert_told("mx postfix/smtps/smtpd[7]: 1A2B: client=unknown[192.0.2.7]" MAIL
		    "mx postfix/smtps/smtpd[7]: 1A2B" ANN_REFUSED,
		    "--\n1 mx" ANN "465 implicit unknown 1\n");
	assert_told("mx postfix/smtps/smtpd[7]: NOQUEUE" REFUSED_MAIL(
			    " sasl_method=LOGIN sasl_username=ann lee sasl_sender=bob"),
		    "--\n1 mx ann lee LOGIN 192.0.2.7 465 implicit unknown 1\n");
	/* Nobody else can say so. */
	assert_told("mx postfix/smtpd[7]: NOQUEUE" REFUSED_MAIL(
			    "") "mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from "
				"unknown[192.0.2.7]: 554 5.7.1 "
				"<x>: Relay access denied; from=<\" helo=<x> sasl_method=PLAIN "
				"sasl_username=ann sasl_sender=\"@example.net> to=<x> proto=SMTP\n",
		    "--\n");
	/* Nor who has a password of his own. */
	assert_told("mx postfix/smtps/smtpd[7]: NOQUEUE" REFUSED_MAIL(
			    " sasl_method=PLAIN sasl_username=eve sasl_sender=\"x> "
			    "sasl_method=PLAIN sasl_username=ann@example.org sasl_sender=\""),
		    "--\n");
}

/* Of what is no port of mail programs alone, nobody can say whose they were. */
static void test_no_common_tls(void **state)
{
	static const char *const problems[] = {
		"error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1:",
		"error:1408A0C1:SSL routines:ssl3_get_client_hello:version too low:x.c:1:",
		"error:0A00042E:SSL routines::tlsv1 alert protocol version:x.c:1:SSL alert number "
		"70:",
	};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	(void)state;

	for (size_t i = 0; i < COUNT(problems); i++) {
		char *text = g_strconcat(
			"mx postfix/smtps/smtpd[7]: warning: TLS library problem: ", problems[i],
			NULL);

		assert_int_equal(read_line(smtpd, text, 1), SMTPD_NO_COMMON_TLS);
		g_free(text);
	}
	assert_int_equal(read_line(smtpd,
				   "mx postfix/smtpd[7]: warning: TLS library problem: "
				   "error:0A000102:SSL routines::unsupported protocol:x.c:1:",
				   1),
			 SMTPD_PASSED_OVER);
	assert_int_equal(read_line(smtpd,
				   "mx postfix/smtps/smtpd[7]: warning: TLS library problem: "
				   "error:0A00010B:SSL routines::wrong version number:x.c:1:",
				   1),
			 SMTPD_PASSED_OVER);
	postfix_smtpd_free(smtpd);
}

/* Whoever is not logged in writes parts of these lines. */
static void test_passed_over(void **state)
{
	static const char *const messages[] = {
		"1A2B: client=unknown[192.0.2.7]",
		"warning: hostname a.example.net does not resolve to address 192.0.2.7",
		"warning: Illegal address syntax from unknown[192.0.2.7] in RCPT command: "
		"<a[1]: SASL PLAIN authentication failed: , sasl_username=ann>",
		"NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <x>: Relay access "
		"denied; from=<x: client=a[192.0.2.1], sasl_method=PLAIN, sasl_username=ann> "
		"to=<x> proto=ESMTP helo=<x>",
		"warning: unknown[192.0.2.7]: SASL PLAIN authentication aborted",
		"lost connection after AUTH from unknown[192.0.2.7]",
		"timeout after AUTH from unknown[192.0.2.7]",
		"too many errors after AUTH from unknown[192.0.2.7]",
		"improper command pipelining after EHLO from unknown[192.0.2.7]: "
		"client=a[192.0.2.7], sasl_method=PLAIN, sasl_username=ann",
		"improper command pipelining after EHLO from unknown[192.0.2.7]: "
		"a b from a[192.0.2.7]> sasl_method=PLAIN sasl_username=ann",
		"unknown[192.0.2.7]: client=a[192.0.2.7], sasl_method=PLAIN, sasl_username=ann",
		"setting up TLS connection from unknown[192.0.2.7]",
		"",
	};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	(void)state;

	for (size_t i = 0; i < COUNT(messages); i++) {
		char *line = g_strconcat("mx postfix/smtpd[7]: ", messages[i], NULL);

		assert_int_equal(read_line(smtpd, line, 1), SMTPD_PASSED_OVER);
		g_free(line);
	}
	postfix_smtpd_end(smtpd);
	assert_false(postfix_smtpd_next(smtpd, &(struct log_login){0}));
	postfix_smtpd_free(smtpd);
}

static void test_unknown(void **state)
{
	static const char *const messages[] = {
		"connect from unknown",
		"disconnect from unknown 192.0.2.7 [x]",
		"disconnect from unknown[192.0.2.7",
		"SSL_accept error from unknown: -1",
		"Anonymous TLS connection established from unknown[192.0.2.7] with cipher x",
		"Anonymous TLS connection established from unknown[192.0.2.7]",
		"Anonymous TLS connection refused to unknown[192.0.2.7]: x",
		"1A2B: client=unknown",
		"1A2B: client=unknown[192.0.2.7], sasl_method=PLAIN",
		"1A2B: client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=",
		"1A2B: reject: RCPT from unknown: 554 x; helo=<x> sasl_method=PLAIN "
		"sasl_username=a",
	};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	struct smtpd_line line = {
		.program = log_slice("postfix/smtpd"),
		.message = {"1A: client=a[192.0.2.7], sasl_method=PLAIN, sasl_username=a\0b", 62},
		.count = 1,
	};
	(void)state;

	for (size_t i = 0; i < COUNT(messages); i++) {
		char *text = g_strconcat("mx postfix/smtpd[7]: ", messages[i], NULL);

		assert_int_equal(read_line(smtpd, text, 1), SMTPD_UNKNOWN);
		g_free(text);
	}
	assert_int_equal(postfix_smtpd_read(smtpd, &line), SMTPD_UNKNOWN);
	postfix_smtpd_free(smtpd);
}

/* A program may send for weeks without a new login. */
static void test_days_of_one_connection(void **state)
{
	static const char mail[] = "mx postfix/submission/smtpd[7]: 1A: client=a[192.0.2.7], "
				   "sasl_method=PLAIN, sasl_username=ann@example.org";
	static const int times[] = {1000, 86399999, 86400000, 86400001, 3 * 86400000 + 5};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	GString *told = g_string_new(NULL);
	(void)state;

	for (size_t i = 0; i < COUNT(times); i++)
		assert_int_equal(read_line(smtpd, mail, times[i]), SMTPD_READ);
	postfix_smtpd_end(smtpd);
	take_logins(smtpd, told);
	assert_string_equal(told->str, "1000 mx" ANN "587 ? unknown 2\n"
				       "86400000 mx" ANN "587 ? unknown 2\n"
				       "259200005 mx" ANN "587 ? unknown 1\n");
	g_string_free(told, TRUE);
	postfix_smtpd_free(smtpd);
}

/* The name is cut, the mechanism left out. */
static void test_long_texts(void **state)
{
	char *name = g_strnfill(1000, 'x'), *cut_name = g_strnfill(320, 'x');
	char *mechanism = g_strnfill(100, 'M');
	char *line = g_strdup_printf("mx postfix/smtps/smtpd[7]: 1A: client=a[192.0.2.7], "
				     "sasl_method=%s, sasl_username=%s\n",
				     mechanism, name);
	char *expected =
		g_strdup_printf("--\n1 mx %s - 192.0.2.7 465 implicit unknown 1\n", cut_name);
	(void)state;

	assert_told(line, expected);
	g_free(expected);
	g_free(line);
	g_free(mechanism);
	g_free(cut_name);
	g_free(name);
}

/* Connections without an end, services without number: each login comes out once. */
/* Of a provider, whose lines come together. */
static void test_many_hosts(void **state)
{
	static const char *const messages[] = {
		"4Zx1: client=a[192.0.2.7], sasl_method=PLAIN, sasl_username=ann",
		"disconnect from a[192.0.2.7] ehlo=2 starttls=1 auth=1 mail=1 commands=5",
	};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	struct log_login login;
	int count = 0;
	(void)state;

	for (size_t i = 0; i < COUNT(messages); i++) {
		for (int host = 0; host < 1000; host++) {
			char line[200];

			g_snprintf(line, sizeof(line), "mx%d postfix/submission/smtpd[7]: %s", host,
				   messages[i]);
			assert_int_equal(read_line(smtpd, line, 1), SMTPD_READ);
			for (; postfix_smtpd_next(smtpd, &login); count++)
				assert_int_equal(login.tls, LOG_TLS_STARTTLS);
		}
	}
	assert_int_equal(count, 1000);
	postfix_smtpd_free(smtpd);
}

static void test_bounds(void **state)
{
	static const char *const forms[] = {
		"mx postfix/submission/smtpd[%d]: 1A: client=a[192.0.2.7], sasl_method=PLAIN, "
		"sasl_username=ann",
		"mx%d postfix/submission/smtpd[7]: 1A: client=a[192.0.2.7], sasl_method=PLAIN, "
		"sasl_username=ann",
		"mx postfix/submission/smtpd[7]: 1A: client=a[192.0.2.7], sasl_method=PLAIN, "
		"sasl_username=ann%d",
		"mx postfix/smtpd[%d]: SSL_accept error from a[192.0.2.7]: -1",
	};
	static const char end[] = "mx postfix/submission/smtpd[%d]: disconnect from a[192.0.2.7] "
				  "auth=1 mail=1 commands=2";
	const int number = 20000;
	(void)state;

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
		struct log_login login;
		int count = 0;

		for (int j = 0; j < number; j++) {
			char line[200];

			g_snprintf(line, sizeof(line), forms[i], j);
			assert_int_equal(read_line(smtpd, line, j), SMTPD_READ);
			for (; postfix_smtpd_next(smtpd, &login); count++)
				assert_int_equal(login.count, 1);
			/* These wait for what others show. */
			g_snprintf(line, sizeof(line), end, j);
			if (i == 0 && j % 2 == 0)
				assert_int_equal(read_line(smtpd, line, j), SMTPD_READ);
		}
		postfix_smtpd_end(smtpd);
		for (; postfix_smtpd_next(smtpd, &login); count++)
			assert_int_equal(login.count, 1);
		assert_int_equal(count, i == 3 ? 0 : number);
		postfix_smtpd_free(smtpd);
	}
}

/* ---- handed on ---- */

static const char *keep(GStringChunk *texts, const char *text)
{
	return text == NULL ? NULL : g_string_chunk_insert(texts, text);
}

struct kept {
	GArray *connections, *services;
	GStringChunk *texts;
};

static bool keep_connection(void *context, const struct store_log_connection *connection)
{
	struct kept *kept = context;
	struct store_log_connection copy = *connection;

	copy.host = keep(kept->texts, copy.host);
	copy.program = keep(kept->texts, copy.program);
	copy.user = keep(kept->texts, copy.user);
	copy.client = keep(kept->texts, copy.client);
	copy.mechanism = keep(kept->texts, copy.mechanism);
	g_array_append_val(kept->connections, copy);
	return true;
}

static bool keep_service(void *context, const struct store_log_service *service)
{
	struct kept *kept = context;
	const struct store_log_service copy = {.host = keep(kept->texts, service->host),
					       .program = keep(kept->texts, service->program),
					       .logs_tls = service->logs_tls,
					       .wraps = service->wraps};

	g_array_append_val(kept->services, copy);
	return true;
}

/* Another one, which goes on where this stops. Services are kept for good. */
static struct postfix_smtpd *hand_on(struct postfix_smtpd *smtpd, GArray *services,
				     GStringChunk *texts)
{
	struct kept kept = {g_array_new(FALSE, FALSE, sizeof(struct store_log_connection)),
			    services, texts};
	struct postfix_smtpd *next = postfix_smtpd_create(NULL);

	assert_true(postfix_smtpd_each_connection(smtpd, keep_connection, &kept));
	assert_true(postfix_smtpd_each_service(smtpd, keep_service, &kept));
	postfix_smtpd_decide_at_once(next, postfix_smtpd_seed(smtpd));
	for (guint i = 0; i < kept.connections->len; i++)
		postfix_smtpd_add_connection(
			next, &g_array_index(kept.connections, struct store_log_connection, i));
	for (guint i = 0; i < services->len; i++)
		postfix_smtpd_add_service(next,
					  &g_array_index(services, struct store_log_service, i));
	g_array_unref(kept.connections);
	postfix_smtpd_free(smtpd);
	return next;
}

/* Lines of connections that overlap, some of which never end. */
static void write_line(GRand *chance, unsigned int clients, GString *line)
{
	static const char *const messages[] = {
		"connect from %s",
		"Anonymous TLS connection established from %s: TLSv1.2 with cipher X (256/256 "
		"bits)",
		"4Zx1: client=%s, sasl_method=PLAIN, sasl_username=user%u@example.org",
		"4Zx1: client=%s, sasl_method=LOGIN, sasl_username=user%u@example.org",
		"warning: %s: SASL PLAIN authentication failed: reason, sasl_username=user%u",
		"SSL_accept error from %s: lost connection",
		"disconnect from %s ehlo=1 auth=1 mail=1 commands=6",
		"disconnect from %s ehlo=2 starttls=1 auth=1 mail=1 commands=8",
	};
	static const char *const services[] = {"postfix", "postfix/submission", "postfix/smtps",
					       "postfix/own"};
	unsigned int number = (unsigned int)g_rand_int_range(chance, 0, (gint32)clients);
	char *client = g_strdup_printf("c%u.example.net[192.0.2.%u]", number, number % 250);

	g_string_printf(line, "mx%u %s/smtpd[%u]: ", number % 3, services[number % 4], number);
	g_string_append_printf(
		line, messages[g_rand_int_range(chance, 0, (gint32)G_N_ELEMENTS(messages))], client,
		number % 7);
	g_free(client);
}

static void assert_handed_on(guint32 seed, unsigned int clients, int lines, int each)
{
	GRand *chance = g_rand_new_with_seed(seed);
	struct postfix_smtpd *whole = postfix_smtpd_create(NULL);
	struct postfix_smtpd *parts = postfix_smtpd_create(NULL);
	GString *line = g_string_new(NULL), *told = g_string_new(NULL),
		*expected = g_string_new(NULL);
	GArray *services = g_array_new(FALSE, FALSE, sizeof(struct store_log_service));
	GStringChunk *texts = g_string_chunk_new(1024);

	postfix_smtpd_decide_at_once(whole, 0);
	postfix_smtpd_decide_at_once(parts, postfix_smtpd_seed(whole));
	for (int i = 1; i <= lines; i++) {
		write_line(chance, clients, line);
		read_line(whole, line->str, i);
		take_logins(whole, expected);
		read_line(parts, line->str, i);
		take_logins(parts, told);
		if (i % each == 0)
			parts = hand_on(parts, services, texts);
	}
	postfix_smtpd_end(whole);
	take_logins(whole, expected);
	postfix_smtpd_end(parts);
	take_logins(parts, told);
	assert_string_equal(told->str, expected->str);
	assert_true(expected->len > 0);
	postfix_smtpd_free(whole);
	postfix_smtpd_free(parts);
	g_string_free(line, TRUE);
	g_string_free(told, TRUE);
	g_string_free(expected, TRUE);
	g_array_unref(services);
	g_string_chunk_free(texts);
	g_rand_free(chance);
}

static void test_handed_on(void **state)
{
	(void)state;
	for (guint32 seed = 0; seed < 10; seed++)
		assert_handed_on(seed, 30, rounds(1000), 1 + (int)seed % 5);
	/* More than there is room for. */
	assert_handed_on(20, 20000, rounds(60000), 5000);
}

/* What is not heard of any more is given out; what lasts, by and by. */
static void test_silence(void **state)
{
	static const char mail[] =
		"mx postfix/submission/smtpd[7]: 4Zx1: client=unknown[192.0.2.7]" MAIL;
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	GString *told = g_string_new(NULL);
	(void)state;

	postfix_smtpd_decide_at_once(smtpd, 0);
	read_line(smtpd, mail, 1000);
	read_line(smtpd, mail, 2000);
	postfix_smtpd_end_silent(smtpd, 2000);
	take_logins(smtpd, told);
	assert_string_equal(told->str, "");
	postfix_smtpd_end_silent(smtpd, 2001);
	take_logins(smtpd, told);
	assert_non_null(strstr(told->str, "587 ? unknown 2\n"));
	g_string_truncate(told, 0);
	read_line(smtpd, mail, 5000);
	read_line(smtpd, mail, 5000 + 3600 * 1000);
	take_logins(smtpd, told);
	assert_string_equal(told->str, "");
	read_line(smtpd, mail, 5001 + 3600 * 1000);
	take_logins(smtpd, told);
	assert_non_null(strstr(told->str, "587 ? unknown 2\n"));
	/* Lines of TLS that came meanwhile say nothing of one that was under way. */
	g_string_truncate(told, 0);
	read_line(smtpd,
		  "mx postfix/submission/smtpd[8]: Anonymous TLS connection established from "
		  "unknown[192.0.2.8]: TLSv1.3 with cipher X (256/256 bits)",
		  5002 + 3600 * 1000);
	read_line(smtpd, mail, 6000 + 7200 * 1000);
	postfix_smtpd_end(smtpd);
	take_logins(smtpd, told);
	assert_null(strstr(told->str, "none"));
	postfix_smtpd_free(smtpd);
	g_string_free(told, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handed_on),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_starttls),
		cmocka_unit_test(test_tls_lines),
		cmocka_unit_test(test_without_tls),
		cmocka_unit_test(test_old_postfix),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_of_several_ports),
		cmocka_unit_test(test_several_mails),
		cmocka_unit_test(test_days_of_one_connection),
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_lost_end),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_login_before_tls),
		cmocka_unit_test(test_behind_a_proxy),
		cmocka_unit_test(test_more_in_a_mails_line),
		cmocka_unit_test(test_mail_turned_away),
		cmocka_unit_test(test_no_common_tls),
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
