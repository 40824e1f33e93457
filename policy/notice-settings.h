#ifndef PORTCULLIS_NOTICE_SETTINGS_H
#define PORTCULLIS_NOTICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* How a finished mail leaves. */
enum transport_kind { TRANSPORT_SENDMAIL, TRANSPORT_SMTP, TRANSPORT_LMTP };

struct transport_settings {
	enum transport_kind kind;
	/* The program, or the Unix socket of an LMTP server, or NULL. */
	char *path;
	char *host; /* NULL with a path; an IPv6 address is without brackets */
	uint16_t port;
};

/* Where the address of a user stands. */
enum address_map_kind { ADDRESS_MAP_NONE, ADDRESS_MAP_FILE, ADDRESS_MAP_COMMAND };

/* From begin to end, minutes since local midnight; begin > end goes past
   midnight; begin == end: never quiet. */
struct quiet_hours {
	unsigned int begin;
	unsigned int end;
};

/* The notices { } section of portcullis.conf, with its defaults filled in. Times
   are in seconds. */
struct notice_settings {
	unsigned int line; /* 0: the file has no such section */
	char *from;        /* address; NULL: nothing can be sent */
	char *from_name;   /* the organisation unless set; may be NULL */
	char *reply_to;    /* address or NULL */
	char *contact;     /* where help is besides help-url; may be NULL */
	char **languages;  /* "de", "en"; never none */
	size_t language_count;
	time_t remind_every; /* 0: no reminders */
	time_t *last_calls;  /* before enforcement, the longest first */
	size_t last_call_count;
	bool confirm_fixed;
	unsigned int max_per_run;  /* 0: no limit */
	unsigned int max_per_hour; /* 0: no limit */
	struct quiet_hours quiet_hours;
	struct transport_settings transport; /* valid also without the section */
	enum address_map_kind address_map_kind;
	char *address_map; /* path; NULL: none */
	/* Whose accounts are written to. Neither of the three: those of default-domain. */
	bool any_domain;
	char *domains_file; /* path; NULL: none */
	char **domains;
	size_t domain_count;
	char *texts; /* folder of the operator's texts; never NULL */
};

/* The client-settings { } section: what people enter into their programs. A
   server that is NULL is not offered; texts then speak in general. The line is that of
   the port, or else of the server or the section. */
struct client_settings {
	unsigned int line; /* 0: the file has no such section */
	char *imap_server;
	uint16_t imap_port;
	unsigned int imap_line;
	char *pop3_server;
	uint16_t pop3_port;
	unsigned int pop3_line;
	char *smtp_server;
	uint16_t smtp_port;
	unsigned int smtp_line;
	/* What the user name is, in words: none, one for all languages, or one for each, in
	   the order of the notices' languages. */
	char **user_names;
	size_t user_name_count;
	char *webmail_url;  /* may be NULL */
	char *vpn_url;      /* may be NULL */
	char *password_url; /* where people change their passwords; may be NULL */
};

void notice_settings_free(struct notice_settings *settings);
void client_settings_free(struct client_settings *settings);

/* Whether a moment lies in the quiet hours, local time. */
bool quiet_hours_contain(const struct quiet_hours *hours, time_t now);

/* Whether notices can be sent: there is a section, and it has a sender. */
bool notices_are_configured(const struct notice_settings *settings);

#endif
