#ifndef PORTCULLIS_DOVECOT_H
#define PORTCULLIS_DOVECOT_H

#include <stdint.h>

#include "setting.h"

/* The configuration of the Dovecot of this host, as doveconf tells it. What differs between its
   versions stands in dovecot.c, and nowhere else. */
struct dovecot {
	char *problem;       /* why it is not known; NULL: it is */
	bool installed;      /* false: there is no doveconf */
	bool is_2_4;         /* 2.4 or later; else 2.3 */
	char *config;        /* the path of its first file */
	struct setting *all; /* of those that are asked for, also defaults */
	struct setting
		*set; /* as `doveconf -n` has it: no defaults, but what holds for some only */
	GPtrArray *protocols; /* those with passdbs of their own, of struct setting: the section
				 of all passdbs of one, and its name as the value */
};

void dovecot_read(struct dovecot *dovecot_r);
void dovecot_clear(struct dovecot *dovecot);

struct passdb {
	const char *driver;
	bool gate;
	bool master;
	bool lets_in;       /* a right password ends the chain there */
	const char *config; /* of a gate: its portcullis.conf */
};

/* In the order in which they are asked; of struct passdb, whose strings are the setting's.
   section: all, or one of the protocols. The caller frees it with g_array_unref(). */
GArray *dovecot_passdbs(const struct setting *section);

/* Whether one of those of all protocols is the gate. */
bool dovecot_has_gate(const struct dovecot *dovecot);

struct dovecot_listener {
	const char *service; /* "imap-login" */
	uint16_t port;
	bool tls;   /* from the first byte */
	bool proxy; /* it speaks the PROXY protocol, which tells another port */
};

/* Those of the login processes that are switched on; of struct dovecot_listener. The caller frees
   it with g_array_unref(). */
GArray *dovecot_listeners(const struct dovecot *dovecot);

/* SASL mechanisms, in capitals. As of setting_list(). */
char **dovecot_mechanisms(const struct dovecot *dovecot);

/* The line of its configuration that offers these. The caller frees it with g_free(). */
char *dovecot_mechanisms_line(char *const *mechanisms);

/* Whether it takes a password without TLS, the line by which it does, and the setting's name. */
bool dovecot_allows_cleartext(const struct dovecot *dovecot);
const char *dovecot_cleartext_setting(const struct dovecot *dovecot);
const char *dovecot_cleartext_line(const struct dovecot *dovecot);

/* Lines of a section of its configuration, each but the last with \n behind it: a gate. The
   caller frees it with g_free(). */
char *dovecot_gate_lines(const struct dovecot *dovecot, const char *config, bool master);

/* A setting of auth_policy, such as "server_url". "" where nothing is set. */
const char *dovecot_auth_policy(const struct dovecot *dovecot, const char *name);

/* The folder of the examples for it: "dovecot-2.4". */
const char *dovecot_examples(const struct dovecot *dovecot);

/* The time zone that its processes are given whatever their master has; "" none. */
char *dovecot_time_zone(const struct dovecot *dovecot);
/* A line of its configuration that gives them the master's. */
char *dovecot_time_zone_line(const struct dovecot *dovecot);

/* A line that has the auth process in these groups. The caller frees all three with g_free(). */
char *dovecot_auth_groups_line(const struct dovecot *dovecot, char *const *groups);

/* Where its modules lie. */
const char *dovecot_module_folder(const struct dovecot *dovecot);

/* Groups of the account of the auth process, beside its own. As of setting_list(). */
char **dovecot_auth_groups(const struct dovecot *dovecot);
/* The account itself. */
const char *dovecot_auth_account(const struct dovecot *dovecot);

#endif
