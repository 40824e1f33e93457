#ifndef PORTCULLIS_POSTFIX_SMTPD_H
#define PORTCULLIS_POSTFIX_SMTPD_H

#include "admin/store/store-logs.h"

#include "log-login.h"
#include "log-slice.h"

/* What the lines of Postfix's smtpd tell of people who sent mail. A mail's line names the
   user; whether there was TLS, others of the same connection say. */
struct postfix_smtpd;

/* A line without what stands before its message. */
struct smtpd_line {
	int64_t time; /* milliseconds since 1970, UTC */
	struct log_slice host;
	struct log_slice program; /* as "postfix/submission/smtpd" */
	struct log_slice process; /* its id */
	struct log_slice message;
	uint32_t count; /* how often it came; at least 1 */
};

enum smtpd_answer {
	SMTPD_READ, /* it is understood, and told something of a login or its connection */
	/* A mail program had no version of TLS in common with the server, and went before it
	   said whose it is. */
	SMTPD_NO_COMMON_TLS,
	SMTPD_PASSED_OVER, /* it tells nothing of them */
	SMTPD_UNKNOWN,     /* it begins as one that does, and goes on in a way of its own */
};

/* port_25_name: the syslog_name of what listens on port 25; NULL is Postfix's own,
   "postfix". What has another name, and none of those that tell a port, has none. */
struct postfix_smtpd *postfix_smtpd_create(const char *port_25_name);
void postfix_smtpd_free(struct postfix_smtpd *smtpd);

/* Whether a program's lines are for postfix_smtpd_read(). */
bool postfix_smtpd_is(struct log_slice program);

/* Lines of one process come in their order. */
enum smtpd_answer postfix_smtpd_read(struct postfix_smtpd *smtpd, const struct smtpd_line *line);

/* No more lines come: connections that have not ended are given out, too. */
void postfix_smtpd_end(struct postfix_smtpd *smtpd);

/* The next login of which all is known; false: there is none now. To be asked until then
   after each line that was read, and at the end. What login_r points to lives until the
   next call of any function. */
bool postfix_smtpd_next(struct postfix_smtpd *smtpd, struct log_login *login_r);

/* ---- for who goes on later, where he stops now ---- */

/* From now on, no connection that has ended waits for what others will tell. To be called
   before any line is read. seed: that of the one that goes on; 0: any. */
void postfix_smtpd_decide_at_once(struct postfix_smtpd *smtpd, uint64_t seed);
uint64_t postfix_smtpd_seed(const struct postfix_smtpd *smtpd);

/* What is to be kept: services of which something was found out since the last call, and
   connections that have not ended. False when a visit returned false. */
bool postfix_smtpd_each_service(struct postfix_smtpd *smtpd, store_visit_log_service *visit,
				void *context);
bool postfix_smtpd_each_connection(const struct postfix_smtpd *smtpd,
				   store_visit_log_connection *visit, void *context);

/* Takes it up again: connections first, in their order. What does not fit in ends, and is to be
   asked for by postfix_smtpd_next(). */
void postfix_smtpd_add_connection(struct postfix_smtpd *smtpd,
				  const struct store_log_connection *connection);
void postfix_smtpd_add_service(struct postfix_smtpd *smtpd,
			       const struct store_log_service *service);

/* Connections end that were not heard of since that time. */
void postfix_smtpd_end_silent(struct postfix_smtpd *smtpd, int64_t since);

#endif
