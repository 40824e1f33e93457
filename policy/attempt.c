#include "attempt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const service_names[SERVICE_COUNT] = {
	[SERVICE_IMAP] = "imap",   [SERVICE_POP3] = "pop3",
	[SERVICE_SIEVE] = "sieve", [SERVICE_SUBMISSION] = "submission",
	[SERVICE_SMTP] = "smtp",
};

static const char *const tls_state_names[] = {
	[TLS_NONE] = "none",
	[TLS_STARTTLS] = "starttls",
	[TLS_IMPLICIT] = "implicit",
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

bool user_normalise(const char *user, const char *default_domain, char *user_r, size_t size)
{
	bool add_domain = default_domain != NULL && user[0] != '\0' && strchr(user, '@') == NULL;
	int length = snprintf(user_r, size, "%s%s%s", user, add_domain ? "@" : "",
			      add_domain ? default_domain : "");

	/* By hand, because tolower() follows the locale. */
	for (char *c = user_r; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	}
	return length >= 0 && (size_t)length < size;
}
