#ifndef PORTCULLIS_POLICY_H
#define PORTCULLIS_POLICY_H

#include "attempt.h"
#include "network.h"
#include "notice-settings.h"
#include "schedule.h"

/* What is being retired. Each kind's meaning, options and defaults stand in
   portcullis.conf(5). */
enum kind {
	KIND_ENCRYPTION,
	KIND_IMPLICIT_TLS,
	KIND_MECHANISM,
	KIND_COUNTRY,
	KIND_PROTOCOL,
	KIND_SUBMISSION_PORT,
	KIND_RELAY,
	KIND_COUNT
};

/* Rising in strength, so that the strongest outcome is the largest. */
enum outcome { OUTCOME_ALLOW, OUTCOME_REJECT_AFTER, OUTCOME_REJECT_BEFORE };

/* A country's ISO 3166-1 alpha-2 code as text; "" is no country. */
struct country {
	char code[3];
};

/* A verdict names its rules by a bit each. */
#define RULES_MAX 64

struct rule {
	char *title;
	enum kind kind;
	unsigned int services; /* SERVICE_BIT()s of the services in its scope */
	struct schedule schedule;
	struct network except;
	enum outcome reject; /* OUTCOME_REJECT_BEFORE or OUTCOME_REJECT_AFTER */
	char *message;       /* one line of printable ASCII for the client */
	/* Seconds from the first notice for who was first seen later than that before the
	   date; 0: none. There is a date then. */
	time_t grace;
	unsigned int index; /* in struct policy's rules */

	/* Options of the kinds; empty where the kind does not take them. */
	enum tls_version minimum; /* encryption; TLS_VERSION_UNKNOWN: any */
	char **mechanisms;        /* mechanism: allowed ones in capitals */
	size_t mechanism_count;
	struct country *countries; /* country: allowed ones, in their order */
	size_t country_count;
	bool reject_unknown; /* country: the database has no answer */
	uint16_t *ports;     /* submission-port: allowed ones */
	size_t port_count;
	struct network networks; /* submission-port: client-networks;
	                              relay: allow-networks */
};

struct named_network {
	char *name;
	struct network network;
};

/* One portcullis.conf, checked. Never changes once config_load() returned it,
   so threads may share it. Strings that were not set are NULL unless said. */
struct policy {
	char *file; /* never NULL */
	char *text; /* the file's, so that its dates can be read again in another time zone */
	size_t text_length;
	uint64_t digest; /* of the file, and of when the rules' phases begin */
	char *organisation;
	char *help_url;
	char *default_domain;
	char *country_database;
	char *exemptions;
	/* The store has them, and an importer writes that file. */
	bool exemptions_in_store;
	char *journal; /* never NULL */
	char *store;   /* never NULL */
	char *host;    /* which one this is of those that share the store */
	/* Mail logs that are followed: paths, and "journal" for systemd's; ends with NULL. */
	char **logs;
	size_t log_count;
	char *grace_file; /* the file of who is given grace; NULL: no rule gives any */
	/* Equal sightings within so many seconds become one line; 0: each has its own. */
	time_t combine_seconds;
	/* Of those whose password was not right, so many a minute name user and client. */
	unsigned int unverified_per_minute;
	/* Seconds for which the store keeps clients' addresses, and sightings. */
	time_t keep_addresses;
	time_t keep_sightings;
	uint16_t *implicit_tls_ports;
	size_t implicit_tls_port_count;
	/* smtp-enforcement = "auth": Dovecot rejects Postfix's logins by itself,
	   before the password, because there is no policy daemon. */
	bool smtp_enforced_at_auth;
	struct named_network *networks;
	size_t network_count;
	struct rule *rules;
	size_t rule_count;
	struct notice_settings notices;
	struct client_settings client_settings;
};

void policy_free(struct policy *policy);

const struct rule *policy_rule(const struct policy *policy, const char *title);
bool policy_port_is_implicit_tls(const struct policy *policy, uint16_t port);
/* Whether a rule says, for any date, that a service goes as a whole. */
bool policy_retires_service(const struct policy *policy, enum service service);
/* Whether a rule of kind mechanism allows one, named in capitals. */
bool rule_allows_mechanism(const struct rule *rule, const char *mechanism);

/* What client-settings say of the user name in a language of the notices, and in the first
   of them where it is another one; NULL when they say nothing. */
const char *policy_user_name(const struct policy *policy, const char *language);

const char *kind_name(enum kind kind);
bool kind_from_name(const char *name, enum kind *kind_r);

/* True for an officially assigned code of ISO 3166-1, and for XK (Kosovo),
   which the country databases use. Capitals only. */
bool country_code_exists(const char *code);

#endif
