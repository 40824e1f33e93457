#ifndef PORTCULLIS_SMTPD_PARTS_H
#define PORTCULLIS_SMTPD_PARTS_H

#include "postfix-smtpd.h"
#include "smtpd-connections.h"
#include "smtpd-service.h"

/* What the files behind postfix-smtpd.h share: smtpd-message.c reads lines, smtpd-join.c joins
   those of a connection, smtpd-keep.c keeps what is open for another day. */
struct postfix_smtpd {
	char *port_25_name;
	struct smtpd_services services;
	struct smtpd_connections *connections;
	bool at_once;             /* no connection waits for what others will tell */
	struct smtpd_login given; /* what was handed out last */
};

/* Begins the connection of a line, and ends the one before, whose end was not logged. */
void smtpd_join_begin(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
		      const struct smtpd_client *client);

/* The connection that a line is of; NULL: there is none yet. */
struct smtpd_connection *smtpd_join_find(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
					 const struct smtpd_client *client);
struct smtpd_connection *smtpd_join_find_or_add(struct postfix_smtpd *smtpd,
						const struct smtpd_line *line,
						const struct smtpd_client *client);

/* The service that a line is of. */
struct smtpd_service *smtpd_join_service(struct postfix_smtpd *smtpd,
					 const struct smtpd_line *line);

void smtpd_join_end(struct postfix_smtpd *smtpd, struct smtpd_connection *connection);

/* The login's count is added to that of an equal one before it. */
void smtpd_join_add_login(struct postfix_smtpd *smtpd, const struct smtpd_line *line,
			  const struct smtpd_client *client, const struct smtpd_login *login);

/* A table that is full is emptied before the next line. */
void smtpd_join_make_room(struct postfix_smtpd *smtpd);

/* Reads a line's message. */
enum smtpd_answer smtpd_message_read(struct postfix_smtpd *smtpd, const struct smtpd_line *line);

#endif
