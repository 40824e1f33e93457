/* For the tests: what Dovecot's log tells of logins, one by one.

   log-tool < log     prints each login as JSON, one a line; and {"unknown": line} */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/logs/dovecot-login.h"
#include "admin/logs/log-prefix.h"

static const char *tls_name(enum log_tls tls)
{
	static const char *const names[] = {
		[LOG_TLS_UNKNOWN] = "unknown",   [LOG_TLS_NONE] = "none",
		[LOG_TLS_SOME] = "tls",          [LOG_TLS_STARTTLS] = "starttls",
		[LOG_TLS_IMPLICIT] = "implicit", [LOG_TLS_UNMENTIONED] = "unmentioned",
	};

	return names[tls];
}

static json_t *describe(const struct log_login *login)
{
	char client[ADDRESS_TEXT_SIZE];

	address_format(&login->client, client);
	return json_pack("{ss ss ss ss si ss ss sb si}", "user", login->user, "service",
			 service_name(login->service), "mechanism", login->mechanism, "tls",
			 tls_name(login->tls), "port", login->port, "tls_version",
			 tls_version_name(login->tls_version), "client", client, "verified",
			 login->verified, "count", (int)login->count);
}

static void print_line(const struct log_line *line)
{
	static struct dovecot_login login;
	enum dovecot_answer answer = dovecot_login_read(line->message, &login);
	json_t *object = NULL;

	if (answer == DOVECOT_LOGIN)
		object = describe(&login.login);
	else if (answer == DOVECOT_NO_COMMON_TLS)
		object = json_pack("{si}", "no_common_tls", login.login.port);
	else if (answer == DOVECOT_UNKNOWN)
		object = json_pack("{ss%}", "unknown", line->message.text, line->message.length);
	if (object != NULL) {
		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	}
}

int main(void)
{
	struct log_prefix *prefix = log_prefix_create();
	struct log_line line;
	char *text = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&text, &size, stdin)) > 0) {
		if (text[length - 1] == '\n')
			length--;
		if (log_prefix_read(prefix, text, (size_t)length, false, &line) == LOG_LINE_READ)
			print_line(&line);
	}
	free(text);
	log_prefix_free(prefix);
	return fflush(stdout) == 0 ? 0 : 1;
}
