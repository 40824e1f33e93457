#ifndef PORTCULLIS_FINDING_H
#define PORTCULLIS_FINDING_H

#include <glib.h>
#include <stdbool.h>

/* What can be found, the worst first: first what locks people out, then what lets them in or
   hides them from the records, then what is advice. */
enum finding_id {
	FINDING_MODULE_MISSING,
	FINDING_MODULE_ABI,
	FINDING_MECHANISMS_ALL_REFUSED,
	FINDING_IMPLICIT_TLS_PORT_MISSING,
	FINDING_POLICY_SERVICE_CLASS_MISSING,
	FINDING_POLICY_SERVICE_DEFAULT_ACTION,
	FINDING_ENFORCED_UNTOLD,
	FINDING_SSL_REQUIRED,
	FINDING_CLEARTEXT_REFUSED,
	FINDING_MECHANISM_NOT_OFFERED,
	FINDING_GATE_MISSING,
	FINDING_GATE_NOT_FIRST,
	FINDING_GATE_MISSING_IN_PROTOCOL,
	FINDING_GATE_MISSING_FOR_MASTERS,
	FINDING_MECHANISM_AROUND_GATE,
	FINDING_IMPLICIT_TLS_PORT_WITHOUT_TLS,
	FINDING_FEW_CLIENT_ADDRESSES,
	FINDING_POLICY_SERVICE_MISSING,
	FINDING_POLICY_SERVICE_HIDDEN,
	FINDING_POLICY_SERVICE_LATE,
	FINDING_POLICY_SOCKET_OUTSIDE_CHROOT,
	FINDING_POLICY_SOCKET_MISSING,
	FINDING_POLICY_SOCKET_FORBIDDEN,
	FINDING_DOVECOT_NOT_RESTARTED,
	FINDING_POLICY_FILES,
	FINDING_POLICY_FILE_FORBIDDEN,
	FINDING_AUTH_NOT_IN_GROUP,
	FINDING_JOURNAL_NOT_WRITABLE,
	FINDING_SELINUX_MODULE_MISSING,
	FINDING_SELINUX_DENIALS,
	FINDING_NOBODY_IMPORTS,
	FINDING_CLOCK_BEHIND,
	FINDING_TIME_ZONE,
	FINDING_NOT_LOOKED_AT,
	FINDING_LOGIN_TRUSTED_NETWORKS,
	FINDING_ADVICE = FINDING_LOGIN_TRUSTED_NETWORKS, /* this one, and all behind it */
	FINDING_AUTH_POLICY,
	FINDING_SASL_ON_PORT_25,
	FINDING_EXEMPTION_OF_NOBODY,
	FINDING_COUNTRY_DATABASE_OLD,
	FINDING_NOT_INSTALLED,
	FINDING_COUNT
};

struct doctor_finding {
	enum finding_id id;
	char *text; /* a sentence without its end */
	/* A command for root's shell, or a line and its file; and where the reason stands: a
	   file with its line, or a setting. */
	char *mend, *where;
};

/* "gate-missing" */
const char *finding_name(enum finding_id id);
/* Something is wrong; else it is advice. */
bool finding_is_wrong(enum finding_id id);

/* All are UTF-8, and fit for a terminal. */
struct findings {
	GPtrArray *list;  /* of struct doctor_finding */
	GPtrArray *right; /* subjects of which nothing was found: static texts */
};

void findings_begin(struct findings *findings_r);
void findings_clear(struct findings *findings);

/* Takes mend over, which g_malloc() made; where is copied. */
void finding_add(struct findings *findings, enum finding_id id, const char *where, char *mend,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The worst first, and otherwise as they came. */
void findings_sort(struct findings *findings);

bool findings_are_healthy(const struct findings *findings);

#endif
