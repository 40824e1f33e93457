/* Whatever stands in a log, what is told of a login stands there. */

#define _GNU_SOURCE /* memmem() */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "admin/logs/dovecot-login.h"

static bool has(struct log_slice line, const char *words)
{
	return memmem(line.text, line.length, words, strlen(words)) != NULL;
}

static void look_at_strings(const struct dovecot_login *login)
{
	require(login->login.user == login->user);
	require(memchr(login->user, '\0', sizeof(login->user)) != NULL);
	require(login->login.mechanism == login->mechanism);
	require(memchr(login->mechanism, '\0', sizeof(login->mechanism)) != NULL);
	for (const char *c = login->mechanism; *c != '\0'; c++)
		require(*c < 'a' || *c > 'z');
	require(*login->login.host == '\0' && *login->login.client_id == '\0');
}

static void look_at_tls(const struct log_login *login, struct log_slice line)
{
	require(login->tls == LOG_TLS_UNMENTIONED || login->tls == LOG_TLS_NONE ||
		login->tls == LOG_TLS_SOME);
	require(login->tls != LOG_TLS_NONE || has(line, "secured"));
	if (login->tls_version != TLS_VERSION_UNKNOWN)
		require(has(line, login->tls_version == TLS_SSLV3
					  ? "SSLv"
					  : tls_version_name(login->tls_version)));
}

static void look_at_client(const struct log_login *login, struct log_slice line)
{
	char port[sizeof("65535")];

	snprintf(port, sizeof(port), "%u", login->port);
	require(login->port == 0 || has(line, port));
	require(!login->client.known || has(line, "rip=") || has(line, "remote_ip="));
}

static void look_at_password(const struct log_login *login, struct log_slice line)
{
	require(login->count > 0);
	require(!login->verified || has(line, "Login: ") || has(line, "Logged in: ") ||
		has(line, "tarted proxying to ") || has(line, " successful auths") ||
		has(line, "mail_max_userip_connections=") || has(line, "(pid="));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dovecot_login login;
	struct log_slice line = {(const char *)data, size};
	enum dovecot_answer answer;

	memset(&login, 'x', sizeof(login));
	answer = dovecot_login_read(line, &login);
	if (answer != DOVECOT_LOGIN && answer != DOVECOT_NO_COMMON_TLS)
		return 0;
	require(has(line, "-login: "));
	require(login.session == LOG_SESSION_NONE || login.session < UINT64_C(1) << 48);
	look_at_strings(&login);
	look_at_tls(&login.login, line);
	look_at_client(&login.login, line);
	look_at_password(&login.login, line);
	return 0;
}
