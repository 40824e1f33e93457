#include "smtpd-parts.h"

#include <glib.h>
#include <string.h>

#include "openssl-text.h"

/* NAME[ADDRESS] */
static enum smtpd_answer read_connect(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	struct smtpd_client client;

	if (!smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	smtpd_join_begin(smtpd, line, &client);
	return SMTPD_READ;
}

/* One of "COMMAND=SUCCESSES" or "COMMAND=SUCCESSES/TRIALS". */
static void read_command(struct smtpd_connection *connection, struct log_slice command)
{
	if (smtpd_skip(&command, "starttls=")) {
		connection->tried_starttls = true;
		connection->starttls = command.length > 0 && *command.text != '0';
	} else if (log_slice_begins(command, "xclient=")) {
		/* Postfix counts it among those without success. */
		connection->xclient = true;
	} else if (log_slice_begins(command, "commands=")) {
		connection->counted = true;
	}
}

/* Each stands behind a space. */
static void read_commands(struct smtpd_connection *connection, struct log_slice commands)
{
	while (smtpd_skip(&commands, " ")) {
		struct log_slice command = smtpd_before(commands, ' ');

		read_command(connection, command);
		commands = log_slice_behind(commands, command.length);
	}
}

/* NAME[ADDRESS] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
   Before Postfix 3.0 it tells no commands. */
static enum smtpd_answer read_disconnect(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
					 struct log_slice rest)
{
	struct smtpd_connection *connection;
	struct smtpd_client client;

	if (!smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	connection = smtpd_join_find(smtpd, line, &client);
	if (connection != NULL) {
		read_commands(connection, rest);
		smtpd_join_end(smtpd, connection);
	}
	return SMTPD_READ;
}

/* established from NAME[ADDRESS]: TLSv1.3 with cipher ..., or
   established from NAME[ADDRESS] to SERVER: TLSv1.3 with cipher ... */
static enum smtpd_answer read_tls(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				  struct log_slice rest)
{
	struct smtpd_connection *connection;
	struct smtpd_login *login;
	struct smtpd_client client;

	if (!(smtpd_skip(&rest, "established from ") || smtpd_skip(&rest, "reused from ")) ||
	    !smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	if (smtpd_skip(&rest, " to "))
		rest = log_slice_behind(rest, smtpd_before(rest, ':').length);
	if (!smtpd_skip(&rest, ": "))
		return SMTPD_UNKNOWN;
	connection = smtpd_join_find_or_add(smtpd, line, &client);
	connection->tls = true;
	connection->tls_version = smtpd_tls_version(smtpd_before(rest, ' '));
	connection->service->logs_tls = true;
	for (login = TAILQ_FIRST(&connection->logins); login != NULL;
	     login = TAILQ_NEXT(login, in_order))
		login->before_tls = true;
	return SMTPD_READ;
}

/* NAME[ADDRESS]: ... */
static enum smtpd_answer read_tls_error(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
					struct log_slice rest)
{
	struct smtpd_client client;

	if (!smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	smtpd_join_find_or_add(smtpd, line, &client)->tls_error = true;
	return SMTPD_READ;
}

/* What OpenSSL says. To port 25, other servers come as well. */
static enum smtpd_answer read_tls_problem(struct postfix_smtpd *smtpd,
					  const struct smtpd_line *line, struct log_slice rest)
{
	const struct smtpd_service *service = smtpd_join_service(smtpd, line);

	if (service->port != 587 && service->port != 465)
		return SMTPD_PASSED_OVER;
	return openssl_says_no_common_version(rest) ? SMTPD_NO_COMMON_TLS : SMTPD_PASSED_OVER;
}

/* NAME[ADDRESS]: SASL LOGIN authentication failed: ..., sasl_username=USER
   Others are of no interest. */
static enum smtpd_answer read_warning(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	struct smtpd_login login = {.time = line->time, .count = line->count};
	struct smtpd_client client;
	struct log_slice method;
	const char *user;

	if (smtpd_skip(&rest, "TLS library problem: "))
		return read_tls_problem(smtpd, line, rest);
	if (!smtpd_take_client(&rest, &client) || !smtpd_skip(&rest, ": SASL "))
		return SMTPD_PASSED_OVER;
	method = smtpd_before(rest, ' ');
	rest = log_slice_behind(rest, method.length);
	if (!smtpd_skip(&rest, " authentication failed"))
		return SMTPD_PASSED_OVER;
	smtpd_copy_mechanism(method, login.mechanism);
	user = smtpd_find(rest, ", sasl_username=");
	if (user != NULL) {
		rest = log_slice_behind(rest,
					(size_t)(user - rest.text) + strlen(", sasl_username="));
		if (!log_slice_equals(rest, "(unavailable)") &&
		    !smtpd_copy_text(rest, login.user, sizeof(login.user)))
			return SMTPD_UNKNOWN;
	}
	smtpd_join_add_login(smtpd, line, &client, &login);
	return SMTPD_READ;
}

/* What may stand behind it comes from clients that say more. */
static struct log_slice user_in(struct log_slice rest)
{
	static const char *const others[] = {
		", sasl_sender=", ", orig_queue_id=", ", orig_client="};

	/* Nearly none has a comma. */
	for (size_t i = 0; i < G_N_ELEMENTS(others) && smtpd_before(rest, ',').length < rest.length;
	     i++)
		rest = smtpd_before_text(rest, others[i]);
	return rest;
}

/* A login that Postfix took for right. */
static enum smtpd_answer add_mail(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				  const struct smtpd_client *client, struct log_slice method,
				  struct log_slice user, uint32_t count)
{
	struct smtpd_login login = {.time = line->time, .count = count};

	if (user.length == 0 || !smtpd_copy_text(user, login.user, sizeof(login.user)))
		return SMTPD_UNKNOWN;
	smtpd_copy_mechanism(method, login.mechanism);
	/* Whoever is anonymous has shown that he is nobody. */
	login.verified = strcmp(login.mechanism, "ANONYMOUS") != 0;
	smtpd_join_add_login(smtpd, line, client, &login);
	return SMTPD_READ;
}

/* NAME[ADDRESS], sasl_method=PLAIN, sasl_username=USER, and then perhaps
   , sasl_sender=..., orig_queue_id=..., orig_client=... */
static enum smtpd_answer read_mail(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				   struct log_slice rest)
{
	struct smtpd_client client;
	struct log_slice method;

	if (!smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	if (!smtpd_skip(&rest, ", sasl_method="))
		return SMTPD_PASSED_OVER;
	method = smtpd_before(rest, ',');
	rest = log_slice_behind(rest, method.length);
	if (!smtpd_skip(&rest, ", sasl_username="))
		return SMTPD_UNKNOWN;
	return add_mail(smtpd, line, &client, method, user_in(rest), line->count);
}

/* reject: RCPT from NAME[ADDRESS]: 554 ...; from=<...> to=<...> proto=ESMTP helo=<...>
   sasl_method=PLAIN sasl_username=USER, and then perhaps sasl_sender=...
   Before Postfix 3.10 it ends behind helo. */
static enum smtpd_answer read_refusal(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	static const char begin[] = " sasl_method=";
	/* What strangers say of themselves stands in brackets. */
	struct log_slice login = smtpd_behind_last(rest, '>'), before = rest, method;
	struct smtpd_client client;

	before.length -= login.length;
	/* Whoever has logged in may write a whole further login into sasl_sender. */
	if (!smtpd_skip(&login, begin) || smtpd_find(before, begin) != NULL)
		return SMTPD_PASSED_OVER;
	method = smtpd_before(login, ' ');
	login = log_slice_behind(login, method.length);
	/* The action and the command. */
	rest = smtpd_behind(smtpd_behind(rest, ' '), ' ');
	if (!smtpd_skip(&login, " sasl_username=") || !smtpd_skip(&rest, "from ") ||
	    !smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	/* There is one for each recipient, and perhaps the mail's own line beside it. */
	return add_mail(smtpd, line, &client, method, smtpd_before_text(login, " sasl_sender="), 0);
}

static const struct {
	const char *begin;
	enum smtpd_answer (*read)(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				  struct log_slice rest);
} kinds[] = {
	{"connect from ", read_connect},
	{"disconnect from ", read_disconnect},
	{"warning: ", read_warning},
	{"Anonymous TLS connection ", read_tls},
	{"Untrusted TLS connection ", read_tls},
	{"Trusted TLS connection ", read_tls},
	{"Verified TLS connection ", read_tls},
	{"TLS connection ", read_tls},
	{"SSL_accept error from ", read_tls_error},
};

/* What is told of a mail has it, or NOQUEUE. In other lines a stranger's text may follow a
   colon. */
static bool skip_queue_id(struct log_slice *rest)
{
	size_t length = 0;

	while (length < rest->length && g_ascii_isalnum(rest->text[length]))
		length++;
	*rest = log_slice_behind(*rest, length);
	return length > 0 && smtpd_skip(rest, ": ");
}

enum smtpd_answer smtpd_message_read(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	struct log_slice rest = line->message;

	if (rest.length == 0)
		return SMTPD_PASSED_OVER;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (*rest.text == *kinds[i].begin && smtpd_skip(&rest, kinds[i].begin))
			return kinds[i].read(smtpd, line, rest);
	}
	if (!skip_queue_id(&rest))
		return SMTPD_PASSED_OVER;
	return smtpd_skip(&rest, "client=") ? read_mail(smtpd, line, rest)
					    : read_refusal(smtpd, line, rest);
}
