#ifndef PORTCULLIS_POSTFIX_H
#define PORTCULLIS_POSTFIX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The configuration of the Postfix of this host, as postconf tells it. */
struct postfix {
	char *problem;          /* why it is not known; NULL: it is */
	bool installed;         /* false: there is no postconf */
	GHashTable *parameters; /* of main.cf, with defaults: texts by name */
	GHashTable *own;        /* of master.cf: by "SERVICE/PARAMETER" */
	GArray *services;       /* those that smtpd serves, of struct postfix_service */
};

struct postfix_service {
	char *name;    /* "submission/inet" */
	uint16_t port; /* 25 for what postscreen hands over; 0: none that is known */
	bool chroot;
};

void postfix_read(struct postfix *postfix_r);
void postfix_clear(struct postfix *postfix);

/* What holds for a service, NULL: for none that says otherwise. "" where nothing is set. */
const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *parameter);

/* Whether master.cf says it of a service. */
bool postfix_is_own(const struct postfix *postfix, const struct postfix_service *service,
		    const char *parameter);

/* The elements of a list of restrictions: names, and arguments, which may stand in braces. Ends
   with NULL; the caller frees it with g_strfreev(). */
char **postfix_list(const char *value);

#endif
