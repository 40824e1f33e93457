#ifndef PORTCULLIS_SMTPD_CONNECTIONS_H
#define PORTCULLIS_SMTPD_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "smtpd-text.h"

struct smtpd_service;

/* Longer ones are nobody's (RFC 5321: 64 + 1 + 255), and cut. */
#define SMTPD_USER_MAX 320

/* Equal logins of one connection on one day. */
struct smtpd_login {
	TAILQ_ENTRY(smtpd_login) in_order;
	int64_t time; /* of the first, in milliseconds */
	uint32_t count;
	bool verified;
	bool before_tls; /* the connection's TLS began later */
	struct address client;
	char mechanism[SMTPD_MECHANISM_SIZE];
	char user[SMTPD_USER_MAX + 1];
};

TAILQ_HEAD(smtpd_login_list, smtpd_login);

/* What lines told of one connection. */
struct smtpd_connection {
	TAILQ_ENTRY(smtpd_connection) by_age;
	LIST_ENTRY(smtpd_connection) in_bucket;
	uint64_t key;
	int64_t heard; /* the time of its last line, in milliseconds */
	struct smtpd_service *service;
	enum tls_version tls_version;
	bool begun;     /* its first line was read */
	bool tls;       /* a line told of it */
	bool no_tls;    /* at the first login there was no such line, and it would stand there */
	bool tls_error; /* no TLS came about */
	bool counted;   /* its end told which commands there were: */
	bool tried_starttls, starttls, xclient;
	struct smtpd_login_list logins;
};

/* The connections that are under way, by what finds them, and those that have ended until
   they are taken. Their number is bounded: one of which no end was seen ends when there is
   no room and it has not been heard of for longest. */
struct smtpd_connections;

struct smtpd_connections *smtpd_connections_create(void);
void smtpd_connections_free(struct smtpd_connections *connections);

/* NULL: there is none. */
struct smtpd_connection *smtpd_connections_find(struct smtpd_connections *connections,
						uint64_t key);

/* Adds one that is not there; an empty login. After each of them room is to be made for the
   next one. */
struct smtpd_connection *smtpd_connections_add(struct smtpd_connections *connections, uint64_t key,
					       struct smtpd_service *service);
struct smtpd_login *smtpd_connections_add_login(struct smtpd_connections *connections,
						struct smtpd_connection *connection);
/* What it ends is to be taken before there is room. */
void smtpd_connections_make_room(struct smtpd_connections *connections);

/* Not to be found any more. */
void smtpd_connections_end(struct smtpd_connections *connections,
			   struct smtpd_connection *connection);
/* It has ended, but waits until its room is needed, or all end, to be taken. */
void smtpd_connections_set_aside(struct smtpd_connections *connections,
				 struct smtpd_connection *connection);
void smtpd_connections_end_all(struct smtpd_connections *connections);

/* Ends those that were not heard of since that time. */
void smtpd_connections_end_silent(struct smtpd_connections *connections, int64_t since);

/* Those that are under way, the one that was heard of last at the end; until a visit returns
   false, which is handed on. */
typedef bool smtpd_visit_connection(void *context, const struct smtpd_connection *connection);
bool smtpd_connections_each(const struct smtpd_connections *connections,
			    smtpd_visit_connection *visit, void *context);

/* Copies the next login of one that has ended, and forgets it. What is told of its
   connection lives until the next call of any function. False: there is none. */
bool smtpd_connections_take(struct smtpd_connections *connections, struct smtpd_login *login_r,
			    const struct smtpd_connection **connection_r);

#endif
