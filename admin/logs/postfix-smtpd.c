#include "postfix-smtpd.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "admin/store/store.h"
#include "policy/fnv.h"

#include "openssl-text.h"
#include "smtpd-service.h"
#include "smtpd-text.h"
#include "smtpd-tls.h"

struct postfix_smtpd {
	char *port_25_name;
	struct smtpd_services services;
	struct smtpd_connections *connections;
	bool at_once;             /* no connection waits for what others will tell */
	struct smtpd_login given; /* what was handed out last */
};

/* A connection that lasts for longer is given out by and by, where nothing waits. */
#define TOLD_AFTER (INT64_C(3600) * 1000)

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

/* ---- which connection ---- */

static uint64_t hash_service(const struct postfix_smtpd *smtpd, const struct smtpd_line *line)
{
	return smtpd_service_hash(&smtpd->services, line->host, line->program);
}

/* A process has one connection at a time. The client is in the key, too, because processes in
   containers may have the same id; and where XCLIENT gives another client it is another
   connection, as far as is known. */
static uint64_t connection_key(uint64_t service_hash, const struct smtpd_line *line,
			       const struct smtpd_client *client)
{
	uint64_t hash = fnv_hash_words(service_hash, line->process.text, line->process.length);

	return fnv_hash_words(hash ^ line->process.length, client->text.text, client->text.length);
}

static struct smtpd_connection *find_connection(struct postfix_smtpd *smtpd,
						const struct smtpd_line *line,
						const struct smtpd_client *client)
{
	uint64_t key = connection_key(hash_service(smtpd, line), line, client);
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, key);

	if (connection != NULL)
		connection->heard = line->time;
	return connection;
}

static struct smtpd_connection *find_or_add_connection(struct postfix_smtpd *smtpd,
						       const struct smtpd_line *line,
						       const struct smtpd_client *client)
{
	uint64_t service_hash = hash_service(smtpd, line);
	uint64_t key = connection_key(service_hash, line, client);
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, key);

	if (connection == NULL)
		connection = smtpd_connections_add(smtpd->connections, key,
						   smtpd_service_of(&smtpd->services, service_hash,
								    line->host, line->program));
	connection->heard = line->time;
	return connection;
}

static void end_connection(struct postfix_smtpd *smtpd, struct smtpd_connection *connection)
{
	connection->service->wraps |= smtpd_shows_wrapping(connection);
	if (!smtpd->at_once && smtpd_tls_is_undecided(connection))
		smtpd_connections_set_aside(smtpd->connections, connection);
	else
		smtpd_connections_end(smtpd->connections, connection);
}

/* ---- logins ---- */

/* A connection may last for days, of which each is to be told. */
static bool is_same(const struct smtpd_login *login, const struct smtpd_login *other)
{
	return login->verified == other->verified && login->before_tls == other->before_tls &&
	       login->time / MILLISECONDS_A_DAY == other->time / MILLISECONDS_A_DAY &&
	       strcmp(login->mechanism, other->mechanism) == 0 &&
	       strcmp(login->user, other->user) == 0;
}

static struct smtpd_login *last_login(struct smtpd_connection *connection)
{
	return TAILQ_LAST(&connection->logins, smtpd_login_list);
}

/* Gives out what was told of a connection, which goes on. */
static struct smtpd_connection *begin_anew(struct postfix_smtpd *smtpd,
					   struct smtpd_connection *connection)
{
	struct smtpd_connection *next;

	smtpd_connections_end(smtpd->connections, connection);
	next = smtpd_connections_add(smtpd->connections, connection->key, connection->service);
	next->heard = connection->heard;
	next->tls_version = connection->tls_version;
	next->tls = connection->tls;
	next->no_tls = connection->no_tls;
	next->tls_error = connection->tls_error;
	next->xclient = connection->xclient;
	return next;
}

/* The login's count is added to that of an equal one before it. */
static void add_login(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
		      const struct smtpd_client *client, const struct smtpd_login *login)
{
	struct smtpd_connection *connection = find_or_add_connection(smtpd, line, client);
	struct smtpd_login *first = TAILQ_FIRST(&connection->logins), *last, *added;

	if (smtpd->at_once && first != NULL && line->time - first->time > TOLD_AFTER)
		connection = begin_anew(smtpd, connection);
	last = last_login(connection);

	/* What a proxy calls a login that it has seen to itself. */
	connection->xclient |= strcmp(login->mechanism, "XCLIENT") == 0;
	if (last == NULL)
		connection->no_tls = !connection->tls && connection->service->logs_tls;
	if (last != NULL && is_same(last, login)) {
		last->count = (uint32_t)MIN((uint64_t)last->count + login->count, UINT32_MAX);
		return;
	}
	added = smtpd_connections_add_login(smtpd->connections, connection);
	added->time = login->time;
	added->count = MAX(login->count, 1);
	added->verified = login->verified;
	memcpy(added->mechanism, login->mechanism, sizeof(added->mechanism));
	strcpy(added->user, login->user);
	smtpd_address(client->address, &added->client);
}

/* ---- the lines ---- */

/* NAME[ADDRESS] */
static enum smtpd_answer read_connect(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
				      struct log_slice rest)
{
	struct smtpd_connection *connection;
	struct smtpd_client client;

	if (!smtpd_take_client(&rest, &client))
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
	struct smtpd_client client;

	if (!(smtpd_skip(&rest, "established from ") || smtpd_skip(&rest, "reused from ")) ||
	    !smtpd_take_client(&rest, &client))
		return SMTPD_UNKNOWN;
	if (smtpd_skip(&rest, " to "))
		rest = log_slice_behind(rest, smtpd_before(rest, ':').length);
	if (!smtpd_skip(&rest, ": "))
		return SMTPD_UNKNOWN;
	connection = find_or_add_connection(smtpd, line, &client);
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
	find_or_add_connection(smtpd, line, &client)->tls_error = true;
	return SMTPD_READ;
}

/* What OpenSSL says. To port 25, other servers come as well. */
static enum smtpd_answer read_tls_problem(struct postfix_smtpd *smtpd,
					  const struct smtpd_line *line, struct log_slice rest)
{
	const struct smtpd_service *service = smtpd_service_of(
		&smtpd->services, hash_service(smtpd, line), line->host, line->program);

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
	add_login(smtpd, line, &client, &login);
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
	add_login(smtpd, line, client, &login);
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

static enum smtpd_answer read_message(struct postfix_smtpd *smtpd, const struct smtpd_line *line)
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

/* A table that is full is emptied before the next line. */
static void make_room(struct postfix_smtpd *smtpd)
{
	smtpd_connections_make_room(smtpd->connections);
	if (smtpd->services.count == SMTPD_SERVICES_MAX)
		smtpd_connections_end_all(smtpd->connections);
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
	make_room(smtpd);
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
		.tls = given->before_tls ? LOG_TLS_NONE : smtpd_tls(connection),
		.tls_version = given->before_tls || connection->xclient ? TLS_VERSION_UNKNOWN
									: connection->tls_version,
		.port = smtpd_port(connection),
		.client = given->client,
		.user = given->user,
		.mechanism = strcmp(given->mechanism, "XCLIENT") == 0 ? "" : given->mechanism,
		.client_id = "",
		.verified = given->verified,
		.count = given->count,
	};
	return true;
}

/* ---- for who goes on later ---- */

/* What lines told of TLS, in struct store_log_connection. */
enum { KEPT_TLS = 1, KEPT_NO_TLS = 2, KEPT_TLS_ERROR = 4, KEPT_XCLIENT = 8 };

void postfix_smtpd_decide_at_once(struct postfix_smtpd *smtpd, uint64_t seed)
{
	smtpd->at_once = true;
	if (seed != 0)
		smtpd->services.seed = seed;
}

uint64_t postfix_smtpd_seed(const struct postfix_smtpd *smtpd)
{
	return smtpd->services.seed;
}

bool postfix_smtpd_each_service(struct postfix_smtpd *smtpd, store_visit_log_service *visit,
				void *context)
{
	for (unsigned int i = 0; i < smtpd->services.count; i++) {
		struct smtpd_service *service = &smtpd->services.all[i];
		const struct store_log_service told = {.host = service->host,
						       .program = service->program,
						       .logs_tls = service->logs_tls,
						       .wraps = service->wraps};

		if (service->kept_logs_tls == service->logs_tls &&
		    service->kept_wraps == service->wraps)
			continue;
		if (!visit(context, &told))
			return false;
		service->kept_logs_tls = service->logs_tls;
		service->kept_wraps = service->wraps;
	}
	return true;
}

struct keeping {
	store_visit_log_connection *visit;
	void *context;
};

static bool keep_connection(void *context, const struct smtpd_connection *connection)
{
	const struct keeping *keeping = context;
	const struct smtpd_login *login = TAILQ_FIRST(&connection->logins);
	char client[ADDRESS_TEXT_SIZE] = "";
	struct store_log_connection kept = {
		.key = connection->key,
		.host = connection->service->host,
		.program = connection->service->program,
		.heard = connection->heard,
		.tls_version = connection->tls_version,
		.tls = (connection->tls ? KEPT_TLS : 0U) | (connection->no_tls ? KEPT_NO_TLS : 0U) |
		       (connection->tls_error ? KEPT_TLS_ERROR : 0U) |
		       (connection->xclient ? KEPT_XCLIENT : 0U),
		.client = client,
		.mechanism = "",
	};

	if (login == NULL)
		return keeping->visit(keeping->context, &kept);
	for (; login != NULL; login = TAILQ_NEXT(login, in_order)) {
		address_format(&login->client, client);
		kept.user = login->user;
		kept.time = login->time;
		kept.count = login->count;
		kept.verified = login->verified;
		kept.before_tls = login->before_tls;
		kept.mechanism = login->mechanism;
		if (!keeping->visit(keeping->context, &kept))
			return false;
	}
	return true;
}

bool postfix_smtpd_each_connection(const struct postfix_smtpd *smtpd,
				   store_visit_log_connection *visit, void *context)
{
	struct keeping keeping = {.visit = visit, .context = context};

	return smtpd_connections_each(smtpd->connections, keep_connection, &keeping);
}

static struct smtpd_service *find_service(struct postfix_smtpd *smtpd, const char *host,
					  const char *program)
{
	const struct log_slice host_slice = {host, strlen(host)};
	const struct log_slice program_slice = {program, strlen(program)};

	return smtpd_service_of(&smtpd->services,
				smtpd_service_hash(&smtpd->services, host_slice, program_slice),
				host_slice, program_slice);
}

static struct smtpd_connection *take_up(struct postfix_smtpd *smtpd,
					const struct store_log_connection *kept)
{
	struct smtpd_connection *connection = smtpd_connections_add(
		smtpd->connections, kept->key, find_service(smtpd, kept->host, kept->program));

	connection->heard = kept->heard;
	connection->tls_version = kept->tls_version;
	connection->tls = (kept->tls & KEPT_TLS) != 0;
	connection->no_tls = (kept->tls & KEPT_NO_TLS) != 0;
	connection->tls_error = (kept->tls & KEPT_TLS_ERROR) != 0;
	connection->xclient = (kept->tls & KEPT_XCLIENT) != 0;
	return connection;
}

void postfix_smtpd_add_connection(struct postfix_smtpd *smtpd,
				  const struct store_log_connection *kept)
{
	struct smtpd_connection *connection = smtpd_connections_find(smtpd->connections, kept->key);
	struct smtpd_login *login;

	/* Whoever wrote it had room for no more; and a program is one of smtpd. */
	if (smtpd->services.count == SMTPD_SERVICES_MAX ||
	    !g_str_has_suffix(kept->program, "/smtpd"))
		return;
	if (connection == NULL)
		connection = take_up(smtpd, kept);
	if (kept->user != NULL) {
		login = smtpd_connections_add_login(smtpd->connections, connection);
		login->time = kept->time;
		login->count = kept->count;
		login->verified = kept->verified;
		login->before_tls = kept->before_tls;
		address_parse(kept->client, &login->client);
		g_strlcpy(login->mechanism, kept->mechanism, sizeof(login->mechanism));
		g_strlcpy(login->user, kept->user, sizeof(login->user));
	}
	make_room(smtpd);
}

void postfix_smtpd_add_service(struct postfix_smtpd *smtpd, const struct store_log_service *kept)
{
	struct smtpd_service *service;

	/* Half of the table is left for others. */
	if (smtpd->services.count >= SMTPD_SERVICES_MAX / 2 ||
	    !g_str_has_suffix(kept->program, "/smtpd"))
		return;
	service = find_service(smtpd, kept->host, kept->program);
	service->logs_tls |= kept->logs_tls;
	service->wraps |= kept->wraps;
	service->kept_logs_tls |= kept->logs_tls;
	service->kept_wraps |= kept->wraps;
}

void postfix_smtpd_end_silent(struct postfix_smtpd *smtpd, int64_t since)
{
	smtpd_connections_end_silent(smtpd->connections, since);
}
