#ifndef PORTCULLIS_SMTPD_TLS_H
#define PORTCULLIS_SMTPD_TLS_H

#include "log-login.h"
#include "smtpd-connections.h"

/* What is known of a connection, by what lines told of it and its service. The tables stand in
   docs/survey-lines.md. */
enum log_tls smtpd_tls(const struct smtpd_connection *connection);

/* What the service's name says, unless the connection says that it is not true. */
uint16_t smtpd_port(const struct smtpd_connection *connection);

/* It has ended, and nothing was said of TLS. There was none then, unless lines of other
   connections show that some begin with it. */
bool smtpd_tls_is_undecided(const struct smtpd_connection *connection);

/* It began with TLS, or would have, though the service's name does not say so. */
bool smtpd_shows_wrapping(const struct smtpd_connection *connection);

#endif
