#include "attempt.h"

#include <string.h>
#include <strings.h>

static const char *const service_names[SERVICE_COUNT] = {
	[SERVICE_IMAP] = "imap",   [SERVICE_POP3] = "pop3",
	[SERVICE_SIEVE] = "sieve", [SERVICE_SUBMISSION] = "submission",
	[SERVICE_SMTP] = "smtp",
};

static const char *const tls_state_names[] = {
	[TLS_NONE] = "none", [TLS_STARTTLS] = "starttls", [TLS_IMPLICIT] = "implicit",
	[TLS_SOME] = "tls",  [TLS_UNTOLD] = "unknown",
};

static const char *const tls_version_names[] = {
	[TLS_VERSION_UNKNOWN] = "unknown",
	[TLS_SSLV3] = "SSLv3",
	[TLS_V1] = "TLSv1",
	[TLS_V1_1] = "TLSv1.1",
	[TLS_V1_2] = "TLSv1.2",
	[TLS_V1_3] = "TLSv1.3",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The index of a name, or -1. */
static int name_index(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

const char *service_name(enum service service)
{
	return service_names[service];
}

bool service_from_name(const char *name, enum service *service_r)
{
	int index = name_index(service_names, COUNT(service_names), name);

	if (index < 0)
		return false;
	*service_r = (enum service)index;
	return true;
}

const char *source_name(enum source source)
{
	return source == SOURCE_DOVECOT ? "dovecot" : "postfix";
}

const char *tls_state_name(enum tls_state state)
{
	return tls_state_names[state];
}

bool tls_state_from_name(const char *name, enum tls_state *state_r)
{
	int index = name_index(tls_state_names, COUNT(tls_state_names), name);

	if (index < 0)
		return false;
	*state_r = (enum tls_state)index;
	return true;
}

const char *tls_version_name(enum tls_version version)
{
	return tls_version_names[version];
}

bool tls_version_from_name(const char *name, enum tls_version *version_r)
{
	int index = name_index(tls_version_names, COUNT(tls_version_names), name);

	if (strcmp(name, "SSLv2") == 0)
		index = TLS_SSLV3;
	if (index <= TLS_VERSION_UNKNOWN)
		return false;
	*version_r = (enum tls_version)index;
	return true;
}

/* Appends what there is room for, and a NUL. Returns the length that it would
   have with room for all. */
static size_t append_lower_case(const char *text, char *user_r, size_t size, size_t length)
{
	for (; *text != '\0'; text++, length++) {
		/* By hand, because tolower() follows the locale. */
		bool capital = *text >= 'A' && *text <= 'Z';

		if (length < size - 1)
			user_r[length] = (char)(capital ? *text - 'A' + 'a' : *text);
	}
	user_r[length < size ? length : size - 1] = '\0';
	return length;
}

bool user_normalise(const char *user, const char *default_domain, char *user_r, size_t size)
{
	bool add_domain = default_domain != NULL && user[0] != '\0' && strchr(user, '@') == NULL;
	size_t length = append_lower_case(user, user_r, size, 0);

	if (add_domain) {
		length = append_lower_case("@", user_r, size, length);
		length = append_lower_case(default_domain, user_r, size, length);
	}
	return length < size;
}
