#define _GNU_SOURCE /* memrchr() */
#include "dovecot-elements.h"
#include "dovecot-session.h"

/* One of them: "rip=192.0.2.1", or without a name, "TLS". */
struct element {
	struct log_slice name; /* "" none */
	struct log_slice value;
};

/* ---- taking them apart ---- */

static size_t name_length(struct log_slice text)
{
	/* The characters of names. */
	static const bool of_name[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
		['_'] = true,         ['-'] = true,
	};
	size_t length = 0;

	while (length < text.length && of_name[(unsigned char)text.text[length]])
		length++;
	return length < text.length && text.text[length] == '=' ? length : 0;
}

/* Of a value in "<>": what strangers call themselves may hold any of the separators. */
static size_t bracketed_length(struct log_slice text)
{
	const char *end = text.text + text.length, *bracket = text.text;

	while ((bracket = memchr(bracket, '>', (size_t)(end - bracket))) != NULL) {
		bracket++;
		if (bracket == end || *bracket == ',' || *bracket == ' ')
			return (size_t)(bracket - text.text);
	}
	return 0;
}

/* Dovecot puts ", " between them; rewritten lines may have spaces alone. */
static size_t unbracketed_length(struct log_slice text, bool commas)
{
	const char *end = text.text + text.length, *at = text.text;

	while ((at = memchr(at, commas ? ',' : ' ', (size_t)(end - at))) != NULL) {
		if (!commas || (at + 1 < end && at[1] == ' '))
			return (size_t)(at - text.text);
		at++;
	}
	return text.length;
}

static size_t value_length(struct log_slice text, bool commas)
{
	size_t length = text.length > 0 && text.text[0] == '<' ? bracketed_length(text) : 0;

	return length > 0 ? length : unbracketed_length(text, commas);
}

static void take_element(struct log_slice *rest, bool commas, struct element *element_r)
{
	size_t length = name_length(*rest);

	element_r->name = (struct log_slice){rest->text, length};
	*rest = log_slice_behind(*rest, length > 0 ? length + 1 : 0);
	length = value_length(*rest, commas);
	element_r->value = (struct log_slice){rest->text, length};
	*rest = log_slice_behind(*rest, length);
	/* It ends at one of them, or where the text does. */
	if (log_slice_begins(*rest, ","))
		*rest = log_slice_behind(*rest, 1);
	if (log_slice_begins(*rest, " "))
		*rest = log_slice_behind(*rest, 1);
}

/* ---- reading values ---- */

/* False when there is no room for all: text_r is cut then. */
static bool copy(struct log_slice value, char *text_r, size_t size)
{
	size_t length = value.length < size ? value.length : size - 1;
	char *nul;

	memcpy(text_r, value.text, length);
	text_r[length] = '\0';
	while ((nul = memchr(text_r, '\0', length)) != NULL)
		*nul = '?';
	return length == value.length;
}

static struct log_slice without_brackets(struct log_slice value)
{
	if (value.length >= 2 && value.text[0] == '<' && value.text[value.length - 1] == '>')
		return (struct log_slice){value.text + 1, value.length - 2};
	return value;
}

/* The first one counts. It stands before what a stranger's name may pretend. */
static void read_user(struct log_slice value, struct dovecot_login *login)
{
	if (login->user[0] == '\0')
		(void)copy(without_brackets(value), login->user, sizeof(login->user));
}

static void read_mechanism(struct log_slice value, struct dovecot_login *login)
{
	char *c = login->mechanism;

	if (!copy(value, login->mechanism, sizeof(login->mechanism)))
		*c = '\0';
	for (; *c != '\0'; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
}

static void read_port(struct log_slice value, struct dovecot_login *login)
{
	char text[sizeof("65535")];

	if (copy(value, text, sizeof(text)))
		(void)port_parse(text, &login->login.port);
}

/* Splits "192.0.2.1:143" and "[2001:db8::1]:143"; without a port, port_r is "". */
static void split_port(struct log_slice value, struct log_slice *address_r,
		       struct log_slice *port_r)
{
	const char *colon = memrchr(value.text, ':', value.length);
	size_t length = colon == NULL ? value.length : (size_t)(colon - value.text);

	*address_r = value;
	*port_r = log_slice("");
	if (length > 2 && value.text[0] == '[' && value.text[length - 1] == ']')
		*address_r = (struct log_slice){value.text + 1, length - 2};
	else if (colon != NULL && memchr(value.text, ':', length) == NULL)
		address_r->length = length;
	else
		return;
	if (colon != NULL)
		*port_r = log_slice_behind(value, length + 1);
}

static void read_client(struct log_slice value, struct dovecot_login *login)
{
	char text[ADDRESS_TEXT_SIZE];
	struct log_slice address, port;

	split_port(value, &address, &port);
	if (copy(address, text, sizeof(text)))
		(void)address_parse(text, &login->login.client);
}

static void read_local_address(struct log_slice value, struct dovecot_login *login)
{
	struct log_slice address, port;

	split_port(value, &address, &port);
	if (port.length > 0)
		read_port(port, login);
}

/* "TLSv1.2 with cipher ... (256/256 bits)" */
static void read_tls_version(struct log_slice value, struct dovecot_login *login)
{
	char text[sizeof("TLSv1.3")];

	value.length = unbracketed_length(value, false);
	if (copy(value, text, sizeof(text)) &&
	    tls_version_from_name(text, &login->login.tls_version))
		login->login.tls = LOG_TLS_SOME;
}

/* What %c and %k make, 2.4's %{secured} and %{ssl_security}. It is known by itself,
   whatever its name. A handshake under way is no TLS yet. */
static bool read_security(struct log_slice value, struct dovecot_login *login)
{
	if (value.length == 0 || strchr("TSs(", value.text[0]) == NULL)
		return false;
	if (log_slice_begins(value, "TLSv") || log_slice_begins(value, "SSLv"))
		read_tls_version(value, login);
	else if (log_slice_equals(value, "secured"))
		login->login.tls = LOG_TLS_NONE;
	else if (log_slice_equals(value, "TLS") || log_slice_begins(value, "TLS: ") ||
		 log_slice_equals(value, "TSL") /* 2.4 writes that, too */ ||
		 log_slice_equals(value, "(proxied)"))
		login->login.tls = LOG_TLS_SOME;
	else
		return false;
	return true;
}

static bool is_mechanism(struct log_slice value)
{
	static const char *const mechanisms[] = {
		"PLAIN",
		"LOGIN",
		"CRAM-MD5",
		"DIGEST-MD5",
		"SCRAM-SHA-1",
		"SCRAM-SHA-256",
		"SCRAM-SHA-1-PLUS",
		"SCRAM-SHA-256-PLUS",
		"XOAUTH2",
		"OAUTHBEARER",
		"EXTERNAL",
		"GSSAPI",
		"GSS-SPNEGO",
		"NTLM",
		"APOP",
		"OTP",
		"SKEY",
		"RPA",
		"ANONYMOUS",
		"DOVECOT-TOKEN",
	};

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++) {
		if (log_slice_equals(value, mechanisms[i]))
			return true;
	}
	return false;
}

/* ---- which is which ---- */

/* An address without a name may be the server's, so it is nobody's. */
static void read_unnamed(struct log_slice value, struct dovecot_login *login)
{
	if (!read_security(value, login) && is_mechanism(value))
		read_mechanism(value, login);
}

typedef void read_value(struct log_slice value, struct dovecot_login *login);

/* By length, because every element of millions of lines is looked up. */
static read_value *find_reader(struct log_slice name)
{
	switch (name.length) {
	case 3:
		if (log_slice_equals(name, "rip"))
			return read_client;
		return log_slice_equals(name, "lip") ? read_local_address : NULL;
	case 4:
		if (log_slice_equals(name, "user"))
			return read_user;
		return log_slice_equals(name, "mech") ? read_mechanism : NULL;
	case 5:
		return log_slice_equals(name, "lport") ? read_port : NULL;
	case 6:
		return log_slice_equals(name, "method") ? read_mechanism : NULL;
	case 8:
		return log_slice_equals(name, "local_ip") ? read_local_address : NULL;
	case 9:
		if (log_slice_equals(name, "remote_ip"))
			return read_client;
		return log_slice_equals(name, "mechanism") ? read_mechanism : NULL;
	case 10:
		return log_slice_equals(name, "local_port") ? read_port : NULL;
	default:
		return NULL;
	}
}

static void read_named(const struct element *element, struct dovecot_login *login)
{
	read_value *read = find_reader(element->name);

	if (read != NULL)
		read(element->value, login);
	else
		(void)read_security(element->value, login);
}

static bool is_session(struct log_slice id, const struct dovecot_login *login)
{
	uint64_t began;

	return dovecot_session_read(id, &login->login.client, &began);
}

/* "<alice>", where nothing is called "user". */
static void find_user(struct log_slice text, bool commas, struct dovecot_login *login)
{
	struct element element;

	while (text.length > 0 && login->user[0] == '\0') {
		take_element(&text, commas, &element);
		if (element.name.length == 0 && log_slice_begins(element.value, "<") &&
		    !is_session(without_brackets(element.value), login))
			read_user(element.value, login);
	}
}

void dovecot_elements_read(struct log_slice text, struct dovecot_login *login)
{
	bool commas = unbracketed_length(text, true) < text.length;
	struct log_slice rest = text, session = {"", 0};
	struct element element;

	while (rest.length > 0) {
		take_element(&rest, commas, &element);
		if (log_slice_equals(element.name, "session"))
			session = without_brackets(element.value);
		else if (element.name.length > 0)
			read_named(&element, login);
		else
			read_unnamed(element.value, login);
	}
	(void)dovecot_session_read(session, &login->login.client, &login->session);
	if (login->user[0] == '\0')
		find_user(text, commas, login);
}
