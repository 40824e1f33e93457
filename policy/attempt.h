#ifndef PORTCULLIS_ATTEMPT_H
#define PORTCULLIS_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

/* Which server saw the attempt. It decides which kinds of rule can be judged:
   submission-port and relay exist in Postfix only. */
enum source { SOURCE_DOVECOT, SOURCE_POSTFIX };

enum service {
	SERVICE_IMAP,
	SERVICE_POP3,
	SERVICE_SIEVE,
	SERVICE_SUBMISSION, /* mail sent by a logged-in user */
	SERVICE_SMTP,       /* mail from an unauthenticated client */
	SERVICE_COUNT
};

#define SERVICE_BIT(service) (1u << (service))

/* The last two are what a mail log may tell: that there was TLS, but not which kind, or nothing
   of it. The servers themselves know. */
enum tls_state { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT, TLS_SOME, TLS_UNTOLD, TLS_STATE_COUNT };

/* Versions of TLS in rising order. Older than TLSv1 is one and the same. */
enum tls_version { TLS_VERSION_UNKNOWN, TLS_SSLV3, TLS_V1, TLS_V1_1, TLS_V1_2, TLS_V1_3 };

/* One login (Dovecot) or one mail transaction (Postfix) as the policy sees it.
   The strings are borrowed: they belong to whoever made the attempt. */
struct attempt {
	enum source source;
	enum service service;
	enum tls_state tls;
	enum tls_version tls_version;
	uint16_t port; /* local port, 0 when the server does not tell */
	struct address client;
	const char *user;      /* as user_normalise() makes it; "" without login */
	const char *mechanism; /* SASL mechanism in capitals; "" without login */
	const char *client_id; /* what the program says of itself; "" if nothing */
	const char *session;   /* the server's id of the session; "" if none */
};

/* Names as they stand in portcullis.conf and in the journal. */
const char *service_name(enum service service);
bool service_from_name(const char *name, enum service *service_r);
const char *source_name(enum source source);
const char *tls_state_name(enum tls_state state);
bool tls_state_from_name(const char *name, enum tls_state *state_r);
const char *tls_version_name(enum tls_version version);
/* Reads "TLSv1.2" and the like, as Postfix and OpenSSL spell them. */
bool tls_version_from_name(const char *name, enum tls_version *version_r);

/* Writes the form under which a user is judged, recorded and exempted: ASCII
   letters in lower case, "@default_domain" appended where there is no "@"
   (unless default_domain is NULL or the name is empty). Returns false when it
   does not fit; what was written is then cut short, but terminated. */
bool user_normalise(const char *user, const char *default_domain, char *user_r, size_t size);

/* A user name that is longer is nobody's (RFC 5321 allows 64 + 1 + 255), and is
   judged and recorded cut short. */
#define USER_SIZE 1024

#endif
