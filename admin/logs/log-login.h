#ifndef PORTCULLIS_LOG_LOGIN_H
#define PORTCULLIS_LOG_LOGIN_H

#include "policy/policy.h"

/* How much a log tells of a login's TLS. */
enum log_tls {
	LOG_TLS_UNKNOWN, /* nothing */
	LOG_TLS_NONE,
	LOG_TLS_SOME, /* there was TLS; which kind is not told */
	LOG_TLS_STARTTLS,
	LOG_TLS_IMPLICIT,
	/* The line names no TLS, where it would stand if there was any and the format has it:
	   none, if lines of the same server and service have named it before. */
	LOG_TLS_UNMENTIONED,
};

/* Which Dovecot has written a line, as far as its words tell: 2.3 stands for 2.2, too. */
enum dovecot_series { DOVECOT_ANY, DOVECOT_2_3, DOVECOT_2_4 };

/* One login, or one mail that was sent after one, as a log tells of it. What the log does not
   say is not guessed. Strings belong to the reader, until it is asked for the next one; they
   are a stranger's, and hold no NUL. */
struct log_login {
	int64_t time;     /* milliseconds since 1970, UTC */
	const char *host; /* "" unknown */
	enum source source;
	enum dovecot_series series; /* DOVECOT_ANY also of Postfix */
	enum service service;
	enum log_tls tls;
	enum tls_version tls_version; /* TLS_VERSION_UNKNOWN where it is not told */
	uint16_t port;                /* local; 0 where it is not told */
	struct address client;        /* not known where it is not told */
	const char *user;             /* as logged; "" none */
	const char *mechanism;        /* in capitals; "" not told */
	const char *client_id;        /* HELO name, or what an ID command said; "" not told */
	bool verified;                /* the password was right */
	uint32_t count;               /* logins that this one stands for; at least 1 */
};

/* Whether it shows that its server names TLS where there is any. A name that somebody tries may
   look like TLS. */
static inline bool log_login_names_tls(const struct log_login *login)
{
	return login->verified && (login->tls == LOG_TLS_SOME || login->tls == LOG_TLS_STARTTLS ||
				   login->tls == LOG_TLS_IMPLICIT);
}

/* What is known of a login's TLS, as the gate has it. names_tls: whether lines of the same server
   and service have named TLS before. */
enum tls_state log_login_tls(enum log_tls tls, uint16_t port, bool names_tls,
			     const struct policy *policy);

#endif
