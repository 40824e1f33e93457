#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "admin/logs/dovecot-login.h"

/* What servers wrote: 2.3.19 and 2.4.1 in the end-to-end tests, 2.2 by its source. */

#define FROM "rip=78.46.5.205, lip=192.0.2.10"
#define SESSION "session=<2xl1O25hz4NOLgXN>"
#define SESSION_BEGAN UINT64_C(107126071826907)

static struct dovecot_login login;

/* Nothing of the line before may shine through. */
static enum dovecot_answer read_line(const char *line)
{
	memset(&login, 'x', sizeof(login));
	return dovecot_login_read(log_slice(line), &login);
}

static void assert_login(const char *line)
{
	if (read_line(line) != DOVECOT_LOGIN)
		fail_msg("%s", line);
	assert_ptr_equal(login.login.user, login.user);
	assert_ptr_equal(login.login.mechanism, login.mechanism);
	assert_string_equal(login.login.host, "");
	assert_string_equal(login.login.client_id, "");
	assert_int_equal(login.login.source, SOURCE_DOVECOT);
}

static void assert_client(const char *address)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(&login.login.client, text);
	assert_string_equal(text, address);
}

static void test_logins(void **state)
{
	static const struct {
		const char *line;
		enum service service;
		enum log_tls tls;
		enum dovecot_series series;
	} lines[] = {
		{"imap-login: Info: Login: user=<alice@example.org>, method=PLAIN, " FROM
		 ", mpid=16, " SESSION,
		 SERVICE_IMAP, LOG_TLS_UNMENTIONED, DOVECOT_2_3},
		{"pop3-login: Login: user=<alice@example.org>, method=PLAIN, " FROM
		 ", mpid=24, TLS, " SESSION,
		 SERVICE_POP3, LOG_TLS_SOME, DOVECOT_2_3},
		{"submission-login: Info: Logged in: user=<alice@example.org>, method=PLAIN, " FROM
		 ", mpid=24, TLS, " SESSION,
		 SERVICE_SUBMISSION, LOG_TLS_SOME, DOVECOT_2_4},
		{"managesieve-login: Logged in: user=<alice@example.org>, method=PLAIN, " FROM
		 ", mpid=32, " SESSION,
		 SERVICE_SIEVE, LOG_TLS_UNMENTIONED, DOVECOT_2_4},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_login(lines[i].line);
		assert_int_equal(login.login.series, lines[i].series);
		assert_int_equal(login.login.service, lines[i].service);
		assert_int_equal(login.login.tls, lines[i].tls);
		assert_int_equal(login.login.tls_version, TLS_VERSION_UNKNOWN);
		assert_int_equal(login.login.port, 0);
		assert_client("78.46.5.205");
		assert_string_equal(login.user, "alice@example.org");
		assert_string_equal(login.mechanism, "PLAIN");
		assert_true(login.login.verified);
		assert_int_equal(login.login.count, 1);
		assert_true(login.session == SESSION_BEGAN);
	}
}

static void test_ipv6(void **state)
{
	(void)state;
	assert_login("imap-login: Login: user=<a@b>, method=LOGIN, rip=2a01:4f8:1:2::3, "
		     "lip=2001:db8::10, mpid=38, TLS, session=<z9V5O25hY5kqAQT4AAEAAgAAAAAAAAAD>");
	assert_client("2a01:4f8:1:2::3");
	assert_true(login.session == UINT64_C(107126072137167));
}

/* A session id of somebody else's making, or none. */
static void test_foreign_sessions(void **state)
{
	static const char *const sessions[] = {
		"",
		", session=<2xl1O25hz4NOLgXO>",
		", session=<2xl1O25hz4NOLgX*>",
		", session=<>",
		", session=2xl1O25hz4NOLgXN-2",
		", session=<z9V5O25hY5kqAQT4AAEAAgAAAAAAAAAD>",
		", session=<2xl1O25hz4NOLgXN",
	};
	char line[200];

	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		snprintf(line, sizeof(line), "imap-login: Login: user=<a@b>, rip=78.46.5.205%s",
			 sessions[i]);
		assert_login(line);
		assert_true(login.session == LOG_SESSION_NONE);
		assert_string_equal(login.user, "a@b");
	}
}

/* What is configured beyond the defaults, in any order and by any name. */
static void test_ports_and_versions(void **state)
{
	static const struct {
		const char *elements;
		uint16_t port;
		enum log_tls tls;
		enum tls_version version;
	} lines[] = {
		{"user=<a@b>, method=PLAIN, " FROM ", lport=993, mpid=16, TLS, TLSv1.3 with cipher "
		 "TLS_AES_256_GCM_SHA384 (256/256 bits), " SESSION,
		 993, LOG_TLS_SOME, TLS_V1_3},
		{"user=<a@b>, " FROM ", lport=993, TLS, TLSv1 with cipher ECDHE-ECDSA-AES256-SHA "
		 "(256/256 bits)",
		 993, LOG_TLS_SOME, TLS_V1},
		{"TLSv1.1 with cipher AES256-SHA (256/256 bits) DEFLATE, TLS, local_port=143, "
		 "rip=78.46.5.205, user=a@b",
		 143, LOG_TLS_SOME, TLS_V1_1},
		{"user=<a@b> rip=78.46.5.205 lport=995 TLS TLSv1.2 with cipher X (256/256 bits)",
		 995, LOG_TLS_SOME, TLS_V1_2},
		{"user=<a@b>, rip=78.46.5.205:40123, lip=192.0.2.10:143, tls=TLS", 143,
		 LOG_TLS_SOME, TLS_VERSION_UNKNOWN},
		{"remote_ip=[78.46.5.205]:1, local_ip=[2001:db8::10]:993, ssl=SSLv3 with cipher X "
		 "(1/1 bits), user=<a@b>",
		 993, LOG_TLS_SOME, TLS_SSLV3},
		{"user=<a@b>, rip=78.46.5.205, lip=2001:db8::10, secured", 0, LOG_TLS_NONE,
		 TLS_VERSION_UNKNOWN},
		{"user=<a@b>, rip=78.46.5.205, TLS, (proxied)", 0, LOG_TLS_SOME,
		 TLS_VERSION_UNKNOWN},
		{"user=<a@b>, rip=78.46.5.205, TSL", 0, LOG_TLS_SOME, TLS_VERSION_UNKNOWN},
		{"user=<a@b>, rip=78.46.5.205, TLS: Connection closed", 0, LOG_TLS_SOME,
		 TLS_VERSION_UNKNOWN},
		/* These are not what they look like. */
		{"user=<a@b>, rip=78.46.5.205, lport=66000, rport=993, TLSv2 with cipher X", 0,
		 LOG_TLS_UNMENTIONED, TLS_VERSION_UNKNOWN},
		{"user=<a@b>, rip=78.46.5.205, lport=, ja3=771,4865-4866,0-23, cn=TLS Inc", 0,
		 LOG_TLS_UNMENTIONED, TLS_VERSION_UNKNOWN},
	};
	char line[300];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		snprintf(line, sizeof(line), "imap-login: Login: %s", lines[i].elements);
		assert_login(line);
		assert_int_equal(login.login.port, lines[i].port);
		assert_int_equal(login.login.tls, lines[i].tls);
		assert_int_equal(login.login.tls_version, lines[i].version);
		assert_client("78.46.5.205");
		assert_string_equal(login.user, "a@b");
	}
}

/* login_log_format_elements = %r %m <%u> %c */
static void test_other_names(void **state)
{
	static const char *const lines[] = {
		"imap-login: Login: user=<a@b>, mech=CRAM-MD5, remote_ip=78.46.5.205:4711",
		"imap-login: Login: mechanism=CRAM-MD5 rip=78.46.5.205 user=<a@b>",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_login(lines[i]);
		assert_string_equal(login.user, "a@b");
		assert_string_equal(login.mechanism, "CRAM-MD5");
		assert_client("78.46.5.205");
	}
}

static void test_without_names(void **state)
{
	(void)state;
	assert_login("imap-login: Login: 78.46.5.205, CRAM-MD5, <a@b>, TLS, name=a@b, lst=imap");
	assert_string_equal(login.user, "a@b");
	assert_string_equal(login.mechanism, "CRAM-MD5");
	assert_int_equal(login.login.tls, LOG_TLS_SOME);
	/* It might be the server's. */
	assert_client("");
	/* A session is not a user. */
	assert_login("imap-login: Login: <2xl1O25hz4NOLgXN>, <a@b>, PLAIN");
	assert_string_equal(login.user, "a@b");
	assert_login("imap-login: Login: <2xl1O25hz4NOLgXN>, rip=78.46.5.205");
	assert_string_equal(login.user, "");
	/* One with as many letters is. */
	assert_login("imap-login: Login: <sixteencharacter>, rip=78.46.5.205");
	assert_string_equal(login.user, "sixteencharacter");
}

static void test_refused(void **state)
{
	static const struct {
		const char *reason;
		unsigned int count;
		bool verified;
	} lines[] = {
		/* 2.2 */
		{"Aborted login (auth failed, 1 attempts in 17 secs)", 1, false},
		{"Disconnected (auth failed, 2 attempts)", 2, false},
		{"Disconnected: Inactivity (auth failed, 1 attempts in 180 secs)", 1, false},
		{"Aborted login (tried to use disallowed plaintext auth)", 1, false},
		{"Internal login failure (pid=7 id=1) (internal failure, 1 successful auths)", 1,
		 true},
		{"Maximum number of connections from user+IP exceeded "
		 "(mail_max_userip_connections=10)",
		 1, true},
		/* 2.3 */
		{"Disconnected: Connection closed (auth failed, 12 attempts in 9 secs)", 12, false},
		{"Disconnected: Aborted login by logging out (auth failed, 2 attempts in 1 secs)",
		 2, false},
		{"Disconnected: Connection closed (authorization failed, 1 attempts in 0 secs)", 1,
		 false},
		{"Disconnected: Connection closed (client didn't finish SASL auth, waited 0 secs)",
		 1, false},
		{"Disconnected: Connection closed (proxy dest auth failed)", 1, false},
		{"Disconnected: Connection closed (user disabled)", 1, false},
		{"Disconnected: Connection closed (disconnected while authenticating, waited 0 "
		 "secs)",
		 1, false},
		{"Disconnected: Connection closed (disconnected while finishing login, waited 0 "
		 "secs)",
		 1, false},
		{"Disconnected: Connection closed (aborted authentication)", 1, false},
		{"Disconnected: Connection closed (tried to use disabled plaintext auth)", 1,
		 false},
		{"Disconnected: Connection closed (tried to use unsupported auth mechanism)", 1,
		 false},
		{"Disconnected: Connection closed (auth process communication failure)", 1, false},
		{"Disconnected: Connection closed (auth service reported temporary failure)", 1,
		 false},
		{"Disconnected: Connection closed (password expired)", 1, false},
		{"Disconnected: Connection closed (login disabled)", 1, false},
		{"Disconnected: Connection closed (sent invalid base64 in response)", 1, false},
		{"Disconnected: Connection closed: read(size=416) failed: Connection reset by peer "
		 "(auth failed, 1 attempts in 0 secs)",
		 1, false},
		{"Disconnected: Connection closed (internal failure, 1 successful auths)", 1,
		 false},
		{"Disconnected: Maximum number of connections from user+IP exceeded "
		 "(mail_max_userip_connections=1)",
		 1, true},
		{"Disconnected: Internal login failure (pid=7 id=1)", 1, true},
		/* 2.4 */
		{"Login aborted: Connection closed (auth failed, 1 attempts in 0 secs) "
		 "(auth_failed)",
		 1, false},
		{"Login aborted: Logged out (client didn't finish SASL auth, 2 attempts in 0 secs) "
		 "(auth_waiting_client)",
		 2, false},
		{"Login aborted: Connection closed (login disabled, 1/1 successful auths in 0 "
		 "secs) (login_disabled)",
		 1, true},
		{"Login aborted: Connection closed (login disabled, 2/13 successful auths in 0 "
		 "secs) (login_disabled)",
		 13, false},
		{"Login aborted: Maximum number of connections from user+IP exceeded "
		 "(mail_max_userip_connections=1) (connection limit reached, 1/1 successful auths "
		 "in 0 secs) (connection_limit)",
		 1, true},
		{"Login aborted: Connection closed (proxy dest authentication failure, 1/1 "
		 "successful auths in 0 secs) (proxy_dest_auth_failed)",
		 1, false},
	};
	char line[400];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		snprintf(line, sizeof(line), "pop3-login: Info: %s: user=<a@b>, method=PLAIN, %s",
			 lines[i].reason, FROM ", TLS: Connection closed, " SESSION);
		assert_login(line);
		if (login.login.count != lines[i].count ||
		    login.login.verified != lines[i].verified)
			fail_msg("%s: %u", lines[i].reason, login.login.count);
		assert_int_equal(login.login.service, SERVICE_POP3);
		assert_int_equal(login.login.tls, LOG_TLS_SOME);
		assert_client("78.46.5.205");
		assert_string_equal(login.user, "a@b");
		assert_true(login.session ==
			    (lines[i].verified ? SESSION_BEGAN : LOG_SESSION_NONE));
	}
}

/* Whoever is anonymous has shown that he is nobody. */
static void test_anonymous(void **state)
{
	(void)state;
	assert_login("imap-login: Login: user=<anonymous>, method=ANONYMOUS, " FROM ", TLS");
	assert_false(login.login.verified);
}

/* ssl = required: nobody's name is known, or somebody's without a mechanism. */
static void test_refused_without_names(void **state)
{
	(void)state;
	assert_login("managesieve-login: Disconnected: Connection closed (auth failed, 1 attempts "
		     "in 0 secs): user=<>, method=PLAIN, " FROM ", " SESSION);
	assert_string_equal(login.user, "");
	assert_login("imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 0 "
		     "secs): user=<alice>, " FROM ", " SESSION);
	assert_string_equal(login.user, "alice");
	assert_string_equal(login.mechanism, "");
	assert_false(login.login.verified);
}

static void test_proxied(void **state)
{
	static const char *const lines[] = {
		"imap-login: proxy(a@b): started proxying to 192.0.2.10:143: user=<a@b>, "
		"method=PLAIN, " FROM ", TLS, " SESSION,
		"imap-login: Info: proxy(a@b): started proxying to 2001:db8::1:143/c@d (master e): "
		"user=<a@b>, method=PLAIN, " FROM ", TLS, " SESSION,
		"imap-login: Info: proxy(a@b,192.0.2.10:143): Started proxying to <192.0.2.10> as "
		"user c@d (0.032 secs): user=<a@b>, method=PLAIN, " FROM ", TLS, " SESSION,
		"imap-login: Info: proxy(a@b,192.0.2.10:143): Started proxying to remote host as "
		"user c@d (0.029 secs): user=<a@b>, method=PLAIN, " FROM ", TLS, " SESSION,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_login(lines[i]);
		assert_string_equal(login.user, "a@b");
		assert_string_equal(login.mechanism, "PLAIN");
		assert_int_equal(login.login.tls, LOG_TLS_SOME);
		assert_client("78.46.5.205");
		assert_true(login.login.verified);
	}
}

static void test_no_common_tls(void **state)
{
	static const char *const lines[] = {
		"pop3-login: Info: Disconnected: Connection closed: SSL_accept() failed: "
		"error:0A000102:SSL routines::unsupported protocol (no auth attempts in 0 secs): "
		"user=<>, " FROM ", lport=995, TLS handshaking: SSL_accept() failed: "
		"error:0A000102:SSL routines::unsupported protocol, " SESSION,
		"pop3-login: Login aborted: Connection closed: SSL_accept() failed: "
		"error:0A000102:SSL routines::unsupported protocol (disconnected during TLS "
		"handshake) (tls_handshake_not_finished): user=<>, " FROM ", lport=995, TLS "
		"handshaking: SSL_accept() failed: error:0A000102:SSL routines::unsupported "
		"protocol, " SESSION,
		"pop3-login: Disconnected (no auth attempts in 0 secs): user=<>, " FROM
		", lport=995, TLS handshaking: SSL_accept() failed: error:1417D18C:SSL routines:"
		"tls_process_client_hello:version too low, " SESSION,
		"pop3-login: Disconnected (disconnected during TLS handshake): user=<>, " FROM
		", lport=995, TLS handshaking: SSL_accept() failed: error:0A00042E:SSL routines::"
		"tlsv1 alert protocol version, " SESSION,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(read_line(lines[i]), DOVECOT_NO_COMMON_TLS);
		assert_int_equal(login.login.service, SERVICE_POP3);
		assert_int_equal(login.login.port, 995);
		assert_int_equal(login.login.tls, LOG_TLS_UNMENTIONED);
		assert_client("78.46.5.205");
		assert_string_equal(login.user, "");
		assert_false(login.login.verified);
		assert_true(login.session == LOG_SESSION_NONE);
	}
}

static void test_passed_over(void **state)
{
	static const char *const lines[] = {
		"",
		"imap(alice)<16><2xl1O25hz4NOLgXN>: Info: Disconnected: Logged out in=1 out=2",
		"auth: Info: passwd-file(alice,78.46.5.205): Password mismatch",
		"imap-urlauth-login: Info: Login: user=<alice>",
		"imap-login: Info: Disconnected: Connection closed (no auth attempts in 3 secs): "
		"user=<>, " FROM ", TLS handshaking: Connection closed, " SESSION,
		"imap-login: Info: Disconnected: Connection closed: SSL_accept() failed: "
		"error:0A00010B:SSL routines::wrong version number (no auth attempts in 0 secs): "
		"user=<>, " FROM ", " SESSION,
		"imap-login: Login aborted: Connection closed (no auth attempts in 0 secs) "
		"(no_auth_attempts): user=<>, " FROM ", " SESSION,
		"imap-login: Login aborted: Connection closed (disconnected before auth was ready, "
		"waited 0 secs) (auth_process_not_ready): user=<>, " FROM ", " SESSION,
		"imap-login: Login aborted: Input buffer full (client_limit and process_limit was "
		"hit and this login session was killed.) (process_full): user=<>, " FROM,
		"imap-login: Info: proxy(a@b,192.0.2.10:143): Disconnected by client (0s idle, "
		"in=236, out=798): user=<a@b>, " FROM,
		"imap-login: Info: proxy(a@b,192.0.2.10:143): Login failed as user nobody: "
		"[AUTHENTICATIONFAILED] Authentication failed.: user=<a@b>, " FROM,
		"imap-login: Error: proxy(a@b,192.0.2.10:1): connect(192.0.2.10, 1) failed: "
		"Connection refused (after 3 secs): user=<a@b>, " FROM,
		"imap-login: Info: ID sent: name=Thunderbird, version=115.3, x: y: user=<>, " FROM,
		"imap-login: Info: Pre-login ID sent: name=Thunderbird: user=<>, " FROM,
		"imap-login: Info: Authenticate PLAIN failed: Invalid base64 in response: user=<>",
		"imap-login: Login failed: SSL required for authentication: user=<>, " FROM,
		"pop3-login: Info: APOP failed: Invalid challenge: user=<>, " FROM,
		"imap-login: Info: Disconnected (disconnected during TLS handshake): "
		"user=<>, " FROM,
		"imap-login: Info: Disconnected: (client didn't send a cert): user=<>, " FROM,
		"imap-login: Warning: Login: user=<alice>, method=PLAIN, " FROM,
		"imap-login: Debug: Login: user=<alice>, method=PLAIN, " FROM,
		"imap-login: Info: SSL is disabled: user=<>, " FROM,
		"imap-login: Info: Valid certificate: /CN=alice: user=<>, " FROM,
		"imap-login: Info: Invalid certificate: self signed: /CN=alice: user=<>, " FROM,
		"lmtp(8): Info: Connect from local",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (read_line(lines[i]) != DOVECOT_PASSED_OVER)
			fail_msg("%s", lines[i]);
	}
}

static void test_unknown(void **state)
{
	static const char *const lines[] = {
		"imap-login: ",
		"imap-login: Info: ",
		"imap-login: Login",
		"imap-login: Greetings: user=<alice>",
		"imap-login: Disconnected: Inactivity: user=<alice>",
		"imap-login: Disconnected: Weary (of it all): user=<alice>",
		"imap-login: Disconnected (many attempts): user=<alice>",
		/* Whoever may have any name: "bob): Started proxying to a: user=<bob>". */
		"imap-login: proxy(bob): Started proxying to a: user=<bob>,192.0.2.10:143): Login "
		"failed: no: user=<bob): Started proxying to a: user=<bob>>, " FROM,
		"imap-login: proxy(a): started proxying to",
		"imap-login: proxy(a): started proxying to x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines) - 2; i++) {
		if (read_line(lines[i]) != DOVECOT_UNKNOWN)
			fail_msg("%s", lines[i]);
	}
	assert_int_equal(read_line(lines[COUNT(lines) - 2]), DOVECOT_PASSED_OVER);
	assert_int_equal(read_line(lines[COUNT(lines) - 1]), DOVECOT_UNKNOWN);
}

/* Who tries to log in says what his name is. */
static void test_names_that_pretend(void **state)
{
	(void)state;
	assert_login("imap-login: Disconnected (auth failed, 1 attempts in 0 secs): user=<eve>, "
		     "user=<alice>, method=NTLM, rip=192.0.2.99, lport=993>, method=PLAIN, " FROM
		     ", lport=143, " SESSION);
	assert_string_equal(login.user, "eve");
	assert_string_equal(login.mechanism, "PLAIN");
	assert_client("78.46.5.205");
	assert_int_equal(login.login.port, 143);
	assert_login("imap-login: Disconnected (auth failed, 1 attempts in 0 secs): user=<a>b, c>, "
		     "method=PLAIN, " FROM);
	assert_string_equal(login.user, "a>b, c");
	assert_login("imap-login: Disconnected (auth failed, 1 attempts in 0 secs): user=<a): b>, "
		     "method=PLAIN, " FROM);
	assert_string_equal(login.user, "a): b");
	assert_client("78.46.5.205");
	assert_login(
		"imap-login: Disconnected (auth failed, 1 attempts in 0 secs): user=<a>, " SESSION
		", x=<>, method=PLAIN, " FROM);
	assert_true(login.session == LOG_SESSION_NONE);
}

/* Lines that were cut, and longer than anything should be. */
static void test_odd_lengths(void **state)
{
	static const char whole[] =
		"imap-login: Login: user=<alice@example.org>, method=PLAIN, " FROM
		", lport=993, mpid=16, TLS, TLSv1.3 with cipher X (256/256 bits), " SESSION;
	static const char nul[] = "imap-login: Login: user=<al\0ce>, method=\0, rip=\0, lport=\0";
	char line[3 * USER_SIZE];

	(void)state;
	for (size_t length = 1; length < sizeof(whole); length++) {
		/* Where the sanitizers see each byte too many that is read. */
		char *exact = malloc(length);

		memcpy(exact, whole, length);
		(void)dovecot_login_read((struct log_slice){exact, length}, &login);
		free(exact);
	}
	assert_int_equal(dovecot_login_read((struct log_slice){nul, sizeof(nul) - 1}, &login),
			 DOVECOT_LOGIN);
	assert_string_equal(login.user, "al?ce");
	assert_string_equal(login.mechanism, "?");
	assert_client("");

	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "imap-login: Login: user=<", 25);
	strcpy(line + sizeof(line) - 20, ">, method=PLAIN");
	assert_login(line);
	assert_int_equal(strlen(login.user), USER_SIZE - 1);
	assert_string_equal(login.mechanism, "PLAIN");
	memset(line, 'a', sizeof(line) - 1);
	memcpy(line, "imap-login: Login: method=", 26);
	assert_login(line);
	assert_string_equal(login.mechanism, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_foreign_sessions),
		cmocka_unit_test(test_ports_and_versions),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_without_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_refused_without_names),
		cmocka_unit_test(test_proxied),
		cmocka_unit_test(test_no_common_tls),
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_names_that_pretend),
		cmocka_unit_test(test_odd_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
