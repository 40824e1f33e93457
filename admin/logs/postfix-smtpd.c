#define _GNU_SOURCE /* memmem(), memrchr() */
#include "postfix-smtpd.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/fnv.h"

#include "smtpd-connections.h"
#include "smtpd-service.h"

struct postfix_smtpd {
	char *port_25_name;
	struct smtpd_services services;
	struct smtpd_connections *connections;
	struct smtpd_login given; /* what was handed out last */
};

struct postfix_smtpd *postfix_smtpd_create(const char *port_25_name)
{
	struct postfix_smtpd *smtpd = g_new0(struct postfix_smtpd, 1);

	smtpd->port_25_name = g_strdup(port_25_name != NULL ? port_25_name : "postfix");
	smtpd->services.port_25_name = smtpd->port_25_name;
	/* Without entropy the hash is only easier to guess. */
	if (getrandom(&smtpd->services.seed, sizeof(smtpd->services.seed), GRND_NONBLOCK) < 0)
		smtpd->services.seed = (uint64_t)(uintptr_t)smtpd;
	smtpd->connections = smtpd_connections_create();
	return smtpd;
}

void postfix_smtpd_free(struct postfix_smtpd *smtpd)
{
	if (smtpd == NULL)
		return;
	smtpd_services_forget(&smtpd->services);
	smtpd_connections_free(smtpd->connections);
	g_free(smtpd->port_25_name);
	g_free(smtpd);
}

bool postfix_smtpd_is(struct log_slice program)
{
	return log_slice_ends(program, "/smtpd");
}

/* ---- parts of messages ---- */

static inline bool skip(struct log_slice *rest, const char *text)
{
	if (!log_slice_begins(*rest, text))
		return false;
	*rest = log_slice_behind(*rest, strlen(text));
	return true;
}

/* Where a text stands in a slice; NULL: nowhere. */
static const char *find(struct log_slice slice, const char *text)
{
	return memmem(slice.text, slice.length, text, strlen(text));
}

/* The part before a letter, or all. */
static struct log_slice before(struct log_slice slice, char letter)
{
	const char *end = memchr(slice.text, letter, slice.length);

	return end == NULL ? slice : (struct log_slice){slice.text, (size_t)(end - slice.text)};
}

/* The part behind a letter; nothing, where it is missing. */
static struct log_slice behind(struct log_slice slice, char letter)
{
	size_t length = before(slice, letter).length;

	return log_slice_behind(slice, MIN(length + 1, slice.length));
}

/* The part behind the last of a letter; nothing, where it is missing. */
static struct log_slice behind_last(struct log_slice slice, char letter)
{
	const char *found = memrchr(slice.text, letter, slice.length);

	return log_slice_behind(slice,
				found == NULL ? slice.length : (size_t)(found + 1 - slice.text));
}

/* The part before a text, or all. */
static struct log_slice before_text(struct log_slice slice, const char *text)
{
	const char *end = find(slice, text);

	return end == NULL ? slice : (struct log_slice){slice.text, (size_t)(end - slice.text)};
}

struct client {
	struct log_slice text; /* NAME[ADDRESS], and :PORT where smtpd_client_port_logging is on */
	struct log_slice address;
};

/* Names hold neither spaces nor brackets. */
static bool take_client(struct log_slice *rest, struct client *client_r)
{
	const char *open = memchr(rest->text, '[', rest->length);
	const char *end = rest->text + rest->length;
	const char *close;

	if (open == NULL || memchr(rest->text, ' ', (size_t)(open - rest->text)) != NULL)
		return false;
	close = memchr(open, ']', (size_t)(end - open));
	if (close == NULL)
		return false;
	client_r->address = (struct log_slice){open + 1, (size_t)(close - open - 1)};
	client_r->text.text = rest->text;
	close++;
	if (end - close >= 2 && close[0] == ':' && g_ascii_isdigit(close[1])) {
		for (close++; close < end && g_ascii_isdigit(*close);)
			close++;
	}
	client_r->text.length = (size_t)(close - rest->text);
	*rest = log_slice_behind(*rest, client_r->text.length);
	return true;
}

/* Cut where there is no room for all. False: there is a NUL in it. */
static bool copy_text(struct log_slice slice, char *text_r, size_t size)
{
	size_t length = MIN(slice.length, size - 1);

	memcpy(text_r, slice.text, length);
	text_r[length] = '\0';
	return strlen(text_r) == length;
}

static void parse_address(struct log_slice slice, struct address *address_r)
{
	char text[ADDRESS_TEXT_SIZE];

	*address_r = (struct address){0};
	if (slice.length < sizeof(text) && copy_text(slice, text, sizeof(text)))
		address_parse(text, address_r);
}

static enum tls_version parse_version(struct log_slice slice)
{
	enum tls_version version = TLS_VERSION_UNKNOWN;
	char text[sizeof("TLSv1.2")];

	if (slice.length < sizeof(text) && copy_text(slice, text, sizeof(text)) &&
	    !tls_version_from_name(text, &version))
		version = TLS_VERSION_UNKNOWN;
	return version;
}

/* In capitals; "" where it is none that could be offered, but a stranger's text. */
static void copy_mechanism(struct log_slice method, char mechanism_r[static SMTPD_MECHANISM_SIZE])
{
	size_t i;

	for (i = 0; i < method.length && i < SMTPD_MECHANISM_SIZE; i++) {
		char letter = method.text[i];

		if (!g_ascii_isalnum(letter) && letter != '-' && letter != '_')
			break;
		mechanism_r[i] = g_ascii_toupper(letter);
	}
	mechanism_r[i == method.length && i < SMTPD_MECHANISM_SIZE ? i : 0] = '\0';
}

/* ---- which connection ---- */

static uint64_t hash_service(const struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	return smtpd_service_hash(&smtpd->services, line->host, line->program);
}

/* A process has one connection at a time. The client is in the key, too, because processes in
   containers may have the same id; and where XCLIENT gives another client it is another
   connection, as far as is known. */
static uint64_t connection_key(uint64_t service_hash, const struct smtpd_line *line,
			       const struct client *client)
{
	uint64_t hash = fnv_hash_words(service_hash, line->process.text, line->process.length);

	return fnv_hash_words(hash ^ line->process.length, client->text.text, client->text.length);
}

static struct smtpd_connection *find_connection(struct postfix_smtpd *smtpd,
						const struct smtpd_line *line,
						const struct client *client)
{
	uint64_t key = connection_key(hash_service(smtpd, line), line, client);

	return smtpd_connections_find(smtpd->connections, key);
}

static struct smtpd_connection *find_or_add_connection(struct postfix_smtpd *smtpd,
						       const struct smtpd_line *line,
						       const struct client *client)
{
	uint64_t service_hash = hash_service(smtpd, line);
	uint64_t key = connection_key(service_hash, line, client);
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, key);

	if (connection != NULL)
		return connection;
	return smtpd_connections_add(
		smtpd->connections, key,
		smtpd_service_of(&smtpd->services, service_hash, line->host, line->program));
}

/* ---- what is known of a connection ---- */

/* Where nothing is said of TLS there was none, unless the service has connections that begin
   with it, and does not log that. */
static bool says_nothing(const struct smtpd_connection *connection)
{
	return !connection->xclient && !connection->starttls && !connection->tls &&
	       !connection->no_tls && connection->service->port != 465;
}

static enum log_tls tls_of(const struct smtpd_connection *connection)
{
	/* What there was lay between Postfix and the proxy. */
	if (connection->xclient)
		return LOG_TLS_UNKNOWN;
	if (connection->starttls)
		return LOG_TLS_STARTTLS;
	if (connection->service->port == 465)
		return LOG_TLS_IMPLICIT;
	if (connection->tls)
		return connection->counted ? LOG_TLS_IMPLICIT : LOG_TLS_SOME;
	if (connection->no_tls || (connection->counted && !connection->service->wraps))
		return LOG_TLS_NONE;
	return LOG_TLS_UNKNOWN;
}

/* What the service's name says, unless the connection says that it is not true. */
static uint16_t port_of(const struct smtpd_connection *connection)
{
	const struct smtpd_service *service = connection->service;

	if (connection->xclient || service->wraps || (connection->starttls && service->port == 465))
		return 0;
	return service->port;
}

/* Where a connection that began with TLS, or would have, has a name that does not say so. */
static bool shows_wrapping(const struct smtpd_connection *connection)
{
	return connection->counted && !connection->tried_starttls && !connection->xclient &&
	       (connection->tls || connection->tls_error) && connection->service->port != 465;
}

static void end_connection(struct postfix_smtpd *smtpd, struct smtpd_connection *connection)
{
	struct smtpd_service *service = connection->service;

	service->wraps |= shows_wrapping(connection);
	/* Later lines may show it. */
	if (connection->counted && says_nothing(connection) && !service->wraps)
		smtpd_connections_set_aside(smtpd->connections, connection);
	else
		smtpd_connections_end(smtpd->connections, connection);
}

/* ---- logins ---- */

static bool is_same(const struct smtpd_login *login, const struct smtpd_login *other)
{
	return login->verified == other->verified && login->before_tls == other->before_tls &&
	       strcmp(login->mechanism, other->mechanism) == 0 &&
	       strcmp(login->user, other->user) == 0;
}

static struct smtpd_login *last_login(struct smtpd_connection *connection)
{
	return TAILQ_LAST(&connection->logins, smtpd_login_list);
}

/* The login's count is added to that of an equal one before it. */
static void add_login(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
		      const struct client *client, const struct smtpd_login *login)
{
	struct smtpd_connection *connection = find_or_add_connection(smtpd, line, client);
	struct smtpd_login *last = last_login(connection), *added;

	/* What a proxy calls a login that it has seen to itself. */
	connection->xclient |= strcmp(login->mechanism, "XCLIENT") == 0;
	if (last == NULL)
		connection->no_tls = !connection->tls && connection->service->logs_tls;
	if (last != NULL && is_same(last, login)) {
		last->count += login->count;
		return;
	}
	added = smtpd_connections_add_login(smtpd->connections, connection);
	added->time = line->time;
	added->count = 1;
	added->verified = login->verified;
	memcpy(added->mechanism, login->mechanism, sizeof(added->mechanism));
	strcpy(added->user, login->user);
	parse_address(client->address, &added->client);
}

/* ---- the lines ---- */

/* NAME[ADDRESS] */
static enum smtpd_answer read_connect(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	struct smtpd_connection *connection;
	struct client client;

	if (!take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	/* The end of the one before was not logged. */
	connection = find_connection(smtpd, line, &client);
	if (connection != NULL)
		end_connection(smtpd, connection);
	return SMTPD_READ;
}

/* One of "COMMAND=SUCCESSES" or "COMMAND=SUCCESSES/TRIALS". */
static void read_command(struct smtpd_connection *connection, struct log_slice command)
{
	if (skip(&command, "starttls=")) {
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
	while (skip(&commands, " ")) {
		struct log_slice command = before(commands, ' ');

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
	struct client client;

	if (!take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	connection = find_connection(smtpd, line, &client);
	if (connection != NULL) {
		read_commands(connection, rest);
		end_connection(smtpd, connection);
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
	struct client client;

	if (!(skip(&rest, "established from ") || skip(&rest, "reused from ")) ||
	    !take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	if (skip(&rest, " to "))
		rest = log_slice_behind(rest, before(rest, ':').length);
	if (!skip(&rest, ": "))
		return SMTPD_UNKNOWN;
	connection = find_or_add_connection(smtpd, line, &client);
	connection->tls = true;
	connection->tls_version = parse_version(before(rest, ' '));
	connection->service->logs_tls = true;
	TAILQ_FOREACH(login, &connection->logins, in_order)
	login->before_tls = true;
	return SMTPD_READ;
}

/* NAME[ADDRESS]: ... */
static enum smtpd_answer read_tls_error(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
					struct log_slice rest)
{
	struct client client;

	if (!take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	find_or_add_connection(smtpd, line, &client)->tls_error = true;
	return SMTPD_READ;
}

/* NAME[ADDRESS]: SASL LOGIN authentication failed: ..., sasl_username=USER
   Others are of no interest. */
static enum smtpd_answer read_warning(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	struct smtpd_login login = {.count = 1};
	struct client client;
	struct log_slice method;
	const char *user;

	if (!take_client(&rest, &client) || !skip(&rest, ": SASL "))
		return SMTPD_PASSED_OVER;
	method = before(rest, ' ');
	rest = log_slice_behind(rest, method.length);
	if (!skip(&rest, " authentication failed"))
		return SMTPD_PASSED_OVER;
	copy_mechanism(method, login.mechanism);
	user = find(rest, ", sasl_username=");
	if (user != NULL) {
		rest = log_slice_behind(rest,
					(size_t)(user - rest.text) + strlen(", sasl_username="));
		if (!log_slice_equals(rest, "(unavailable)") &&
		    !copy_text(rest, login.user, sizeof(login.user)))
			return SMTPD_UNKNOWN;
	}
	add_login(smtpd, line, &client, &login);
	return SMTPD_READ;
}

/* What may stand behind it comes from clients that say more. */
static struct log_slice user_in(struct log_slice rest)
{
	static const char *const others[] = {
		", sasl_sender=", ", orig_queue_id=", ", orig_client="};

	/* Nearly none has a comma. */
	for (size_t i = 0; i < G_N_ELEMENTS(others) && before(rest, ',').length < rest.length; i++)
		rest = before_text(rest, others[i]);
	return rest;
}

/* A login that Postfix took for right. */
static enum smtpd_answer add_mail(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				  const struct client *client, struct log_slice method,
				  struct log_slice user, uint32_t count)
{
	struct smtpd_login login = {.count = count};

	if (user.length == 0 || !copy_text(user, login.user, sizeof(login.user)))
		return SMTPD_UNKNOWN;
	copy_mechanism(method, login.mechanism);
	/* Whoever is anonymous has shown that he is nobody. */
	login.verified = strcmp(login.mechanism, "ANONYMOUS") != 0;
	add_login(smtpd, line, client, &login);
	return SMTPD_READ;
}

/* NAME[ADDRESS], sasl_method=PLAIN, sasl_username=USER, and then perhaps
   , sasl_sender=..., orig_queue_id=..., orig_client=... */
static enum smtpd_answer read_mail(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				   struct log_slice rest)
{
	struct client client;
	struct log_slice method;

	if (!take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	if (!skip(&rest, ", sasl_method="))
		return SMTPD_PASSED_OVER;
	method = before(rest, ',');
	rest = log_slice_behind(rest, method.length);
	if (!skip(&rest, ", sasl_username="))
		return SMTPD_UNKNOWN;
	return add_mail(smtpd, line, &client, method, user_in(rest), 1);
}

/* reject: RCPT from NAME[ADDRESS]: 554 ...; from=<...> to=<...> proto=ESMTP helo=<...>
   sasl_method=PLAIN sasl_username=USER, and then perhaps sasl_sender=...
   Before Postfix 3.10 it ends behind helo. */
static enum smtpd_answer read_refusal(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	/* What strangers say of themselves stands in brackets. */
	struct log_slice login = behind_last(rest, '>'), method;
	struct client client;

	if (!skip(&login, " sasl_method="))
		return SMTPD_PASSED_OVER;
	method = before(login, ' ');
	login = log_slice_behind(login, method.length);
	/* The action and the command. */
	rest = behind(behind(rest, ' '), ' ');
	if (!skip(&login, " sasl_username=") || !skip(&rest, "from ") ||
	    !take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	/* There is one for each recipient, and perhaps the mail's own line beside it. */
	return add_mail(smtpd, line, &client, method, before_text(login, " sasl_sender="), 0);
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
	return length > 0 && skip(rest, ": ");
}

static enum smtpd_answer read_message(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	struct log_slice rest = line->message;
	char letter = rest.length > 0 ? *rest.text : '\0';

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (letter == *kinds[i].begin && skip(&rest, kinds[i].begin))
			return kinds[i].read(smtpd, line, rest);
	}
	if (!skip_queue_id(&rest))
		return SMTPD_PASSED_OVER;
	return skip(&rest, "client=") ? read_mail(smtpd, line, rest)
				      : read_refusal(smtpd, line, rest);
}

enum smtpd_answer postfix_smtpd_read(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	enum smtpd_answer answer;
	struct log_login lost;

	/* All is taken already, if the caller does as he shall. */
	while (postfix_smtpd_next(smtpd, &lost))
		;
	if (smtpd->services.count == SMTPD_SERVICES_MAX)
		smtpd_services_forget(&smtpd->services);
	answer = read_message(smtpd, line);
	smtpd_connections_make_room(smtpd->connections);
	if (smtpd->services.count == SMTPD_SERVICES_MAX)
		smtpd_connections_end_all(smtpd->connections);
	return answer;
}

void postfix_smtpd_end(struct postfix_smtpd *smtpd)
{
	smtpd_connections_end_all(smtpd->connections);
}

bool postfix_smtpd_next(struct postfix_smtpd *smtpd, struct log_login *login_r)
{
	const struct smtpd_connection *connection;
	struct smtpd_login *given = &smtpd->given;

	if (!smtpd_connections_take(smtpd->connections, given, &connection))
		return false;
	*login_r = (struct log_login){
		.time = given->time,
		.host = connection->service->host,
		.source = SOURCE_POSTFIX,
		.service = SERVICE_SUBMISSION,
		.tls = given->before_tls ? LOG_TLS_NONE : tls_of(connection),
		.tls_version = given->before_tls || connection->xclient ? TLS_VERSION_UNKNOWN
									: connection->tls_version,
		.port = port_of(connection),
		.client = given->client,
		.user = given->user,
		.mechanism = strcmp(given->mechanism, "XCLIENT") == 0 ? "" : given->mechanism,
		.client_id = "",
		.verified = given->verified,
		.count = given->count,
	};
	return true;
}
