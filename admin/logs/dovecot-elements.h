#ifndef PORTCULLIS_DOVECOT_ELEMENTS_H
#define PORTCULLIS_DOVECOT_ELEMENTS_H

#include "dovecot-login.h"

/* Reads the part of a line that login_log_format_elements makes. What is in none of them is
   not told; what nothing here knows is passed over. */
void dovecot_elements_read(struct log_slice text, struct dovecot_login *login);

#endif
