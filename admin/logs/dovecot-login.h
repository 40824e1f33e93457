#ifndef PORTCULLIS_DOVECOT_LOGIN_H
#define PORTCULLIS_DOVECOT_LOGIN_H

#include "log-login.h"
#include "log-years.h"

/* What a line of Dovecot tells. docs/survey-lines.md has all that are known. */
enum dovecot_answer {
	DOVECOT_LOGIN, /* somebody logged in, or tried to */
	/* A client had no version of TLS in common with the server, and went before it said
	   whose it is: only service, client and port are told, if these. */
	DOVECOT_NO_COMMON_TLS,
	DOVECOT_PASSED_OVER, /* it tells nothing of logins, or what another line tells */
	DOVECOT_UNKNOWN,     /* it is a login process', and not known */
};

/* Longer names of mechanisms are none. */
#define DOVECOT_MECHANISM_SIZE 24

struct dovecot_login {
	/* All but time and host. Whether TLS is STARTTLS, Dovecot never tells: there was
	   some, or none was mentioned ("secured" without TLS is none). */
	struct log_login login;
	/* The lowest 48 bits of the microseconds since 1970 when the connection began;
	   LOG_SESSION_NONE where it is not told, and of who had no right password. */
	uint64_t session;
	/* What login points to. */
	char user[USER_SIZE];
	char mechanism[DOVECOT_MECHANISM_SIZE];
};

/* Reads a message, which begins with the name of the process: "imap-login: Login: ...". For
   DOVECOT_LOGIN and DOVECOT_NO_COMMON_TLS, login_r is filled in. */
enum dovecot_answer dovecot_login_read(struct log_slice message, struct dovecot_login *login_r);

#endif
