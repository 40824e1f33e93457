#ifndef PORTCULLIS_SIGHTING_TEXT_H
#define PORTCULLIS_SIGHTING_TEXT_H

#include "admin/store/store.h"

/* "imap:143" */
#define SERVICE_TEXT_SIZE sizeof("submission:65535")
const char *service_format(const struct store_habit *habit, char text_r[static SERVICE_TEXT_SIZE]);

/* "starttls", with the version where it is recorded: "starttls TLSv1.2" */
#define TLS_TEXT_SIZE sizeof("starttls TLSv1.3")
const char *tls_format(const struct store_habit *habit, char text_r[static TLS_TEXT_SIZE]);

/* Name and version of a program, or all that it says of itself when it tells no
   name; "?" when it says nothing. The caller frees it with g_free(). */
char *program_format(const char *client_id);

#endif
