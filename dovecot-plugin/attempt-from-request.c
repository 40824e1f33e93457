#include "dovecot-compat.h"
#include "attempt-from-request.h"

enum secured { SECURED_NONE, SECURED_SOMEHOW, SECURED_TLS };

/* What Dovecot knows of a login, in the same words for requests and events. */
struct login {
	const char *service;
	const char *mechanism;
	const char *user;
	const char *client_id;
	const char *session;
	struct ip_addr client;
	in_port_t local_port;
	enum secured secured;
};

/* The services of Dovecot's own login processes. */
static const struct {
	const char *name;
	enum service service;
} login_services[] = {
	{"imap", SERVICE_IMAP},
	{"pop3", SERVICE_POP3},
	{"sieve", SERVICE_SIEVE},
	{"submission", SERVICE_SUBMISSION},
};

/* What Postfix calls itself: "smtp", unless smtpd_sasl_service (2.11 and later)
   says otherwise. It sends no port, so the name has to tell it. */
static const struct {
	const char *name;
	in_port_t port;
	enum tls_state tls;
} postfix_services[] = {
	{"smtp", 0, TLS_STARTTLS},
	{"submission", 587, TLS_STARTTLS},
	{"submissions", 465, TLS_IMPLICIT},
	{"smtps", 465, TLS_IMPLICIT},
};

static bool find_dovecot_service(const struct login *login, struct attempt *attempt_r)
{
	for (unsigned int i = 0; i < N_ELEMENTS(login_services); i++) {
		if (strcmp(login_services[i].name, login->service) != 0)
			continue;
		attempt_r->source = SOURCE_DOVECOT;
		attempt_r->service = login_services[i].service;
		attempt_r->port = login->local_port;
		/* Both call it by this name; only Dovecot tells the port. */
		return attempt_r->service != SERVICE_SUBMISSION || login->local_port != 0;
	}
	return FALSE;
}

/* "smtp", or "submission:2587" where the port is another. */
static bool find_postfix_service(const struct login *login, struct attempt *attempt_r)
{
	size_t length = strcspn(login->service, ":");
	const char *port = login->service + length;

	for (unsigned int i = 0; i < N_ELEMENTS(postfix_services); i++) {
		if (strlen(postfix_services[i].name) != length ||
		    strncmp(postfix_services[i].name, login->service, length) != 0)
			continue;
		attempt_r->source = SOURCE_POSTFIX;
		attempt_r->service = SERVICE_SUBMISSION;
		attempt_r->tls = postfix_services[i].tls;
		attempt_r->port =
			login->local_port != 0 ? login->local_port : postfix_services[i].port;
		return *port == '\0' || net_str2port(port + 1, &attempt_r->port) == 0;
	}
	return FALSE;
}

static enum tls_state find_tls(const struct login *login, const struct policy *policy,
			       const struct attempt *attempt)
{
	/* Postfix says "secured" for TLS alone. From Dovecot, anything but
	   "tls" means loopback, a trusted network, or on 2.4 whatever came by
	   the PROXY protocol. */
	if (login->secured == SECURED_NONE ||
	    (login->secured != SECURED_TLS && attempt->source == SOURCE_DOVECOT))
		return TLS_NONE;
	if (policy_port_is_implicit_tls(policy, attempt->port))
		return TLS_IMPLICIT;
	return attempt->source == SOURCE_POSTFIX ? attempt->tls : TLS_STARTTLS;
}

static void address_from_dovecot(const struct ip_addr *ip, struct address *address_r)
{
	if (IPADDR_IS_V4(ip))
		address_from_ipv4(&ip->u.ip4, address_r);
	else if (IPADDR_IS_V6(ip))
		address_from_ipv6(&ip->u.ip6, address_r);
	else
		address_r->known = FALSE;
}

/* Takes an IMAP string off the list that the login process makes of the ID
   command's arguments: "name" "Thunderbird" "os" NIL. */
static const char *next_id_string(const char **list, string_t *string)
{
	const char *text = *list;

	str_truncate(string, 0);
	if (*text == '"') {
		for (text++; *text != '\0' && *text != '"'; text++) {
			if (*text == '\\' && text[1] != '\0')
				text++;
			str_append_c(string, *text);
		}
		if (*text == '"')
			text++;
	} else {
		/* NIL */
		while (*text != '\0' && *text != ' ')
			text++;
	}
	*list = text + strspn(text, " ");
	return str_c(string);
}

/* "name=Thunderbird os=" */
static const char *format_client_id(pool_t pool, const char *list)
{
	string_t *text, *string;

	if (list == NULL)
		return "";
	/* What comes by a second ID command begins with a blank. */
	list += strspn(list, " ");
	if (*list == '\0')
		return "";
	if (*list != '"')
		return p_strdup(pool, list);
	/* No frame of the data stack is begun here: the pool may be the stack itself. */
	text = str_new(pool, 128);
	string = t_str_new(64);
	while (*list != '\0') {
		if (str_len(text) > 0)
			str_append_c(text, ' ');
		str_append(text, next_id_string(&list, string));
		str_append_c(text, '=');
		str_append(text, next_id_string(&list, string));
	}
	return str_c(text);
}

static bool attempt_from_login(const struct login *login, const struct policy *policy, pool_t pool,
			       struct attempt *attempt_r)
{
	char user[USER_SIZE];

	i_zero(attempt_r);
	if (login->service == NULL || login->mechanism == NULL || login->user == NULL)
		return FALSE;
	if (!find_dovecot_service(login, attempt_r) && !find_postfix_service(login, attempt_r))
		return FALSE;

	attempt_r->tls = find_tls(login, policy, attempt_r);
	address_from_dovecot(&login->client, &attempt_r->client);
	/* Cut short, a name is nobody's, and is recorded as such. */
	(void)user_normalise(login->user, policy->default_domain, user, sizeof(user));
	attempt_r->user = p_strdup(pool, user);
	attempt_r->mechanism = login->mechanism;
	attempt_r->client_id = format_client_id(pool, login->client_id);
	attempt_r->session = login->session != NULL ? login->session : "";
	return TRUE;
}

const char *request_user(const struct auth_request *request)
{
	const struct auth_request_fields *fields = &request->fields;

	return fields->master_user != NULL ? fields->master_user : fields->user;
}

bool attempt_from_request(const struct auth_request *request, const struct policy *policy,
			  struct attempt *attempt_r)
{
	const struct auth_request_fields *fields = &request->fields;
	const struct login login = {
		.service = request_service(request),
		.mechanism = fields->mech_name,
		.user = request_user(request),
		.client_id = fields->client_id,
		.session = fields->session_id,
		.client = fields->remote_ip,
		.local_port = fields->local_port,
		.secured = request_is_tls(request)       ? SECURED_TLS
			   : request_is_secured(request) ? SECURED_SOMEHOW
							 : SECURED_NONE,
	};

	return attempt_from_login(&login, policy, request->pool, attempt_r);
}

static enum secured secured_from_transport(const char *transport)
{
	if (transport == NULL || strcmp(transport, "insecure") == 0)
		return SECURED_NONE;
	return strcmp(transport, "TLS") == 0 ? SECURED_TLS : SECURED_SOMEHOW;
}

bool attempt_from_event(const struct event *event, const struct policy *policy,
			struct attempt *attempt_r)
{
	const char *transport = event_find_field_recursive_str(event, "transport");
	const char *remote_ip = event_find_field_recursive_str(event, "remote_ip");
	const char *local_port = event_find_field_recursive_str(event, "local_port");
	const char *master_user = event_find_field_recursive_str(event, "master_user");
	struct login login = {
		.service = event_find_field_recursive_str(event, REQUEST_SERVICE_FIELD),
		.mechanism = event_find_field_recursive_str(event, "mechanism"),
		.user = event_find_field_recursive_str(event, "user"),
		.client_id = event_find_field_recursive_str(event, "client_id"),
		.session = event_find_field_recursive_str(event, "session"),
		.secured = secured_from_transport(transport),
	};

	if (master_user != NULL)
		login.user = master_user;
	if (remote_ip != NULL)
		(void)net_addr2ip(remote_ip, &login.client);
	if (local_port != NULL)
		(void)net_str2port(local_port, &login.local_port);
	return attempt_from_login(&login, policy, pool_datastack_create(), attempt_r);
}
