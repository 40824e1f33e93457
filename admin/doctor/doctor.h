#ifndef PORTCULLIS_DOCTOR_H
#define PORTCULLIS_DOCTOR_H

#include "admin/mail-servers/dovecot-files.h"
#include "admin/mail-servers/dovecot-process.h"
#include "admin/mail-servers/dovecot.h"
#include "admin/mail-servers/postfix.h"
#include "admin/questions/inquiry.h"
#include "finding.h"

/* What the mail servers and the policy are, and what is found about them. */
struct doctor {
	struct inquiry *inquiry;
	const struct policy *policy;
	time_t now;
	struct dovecot dovecot;
	struct dovecot_files files;
	struct dovecot_process process;
	struct postfix postfix;
	struct findings findings;
};

/* Looks at everything. Works from then on as the account that owns the records, whose policy is
   loaded. Clear doctor_r. */
void doctor_look(struct doctor *doctor_r, struct inquiry *inquiry);
void doctor_clear(struct doctor *doctor);

/* ---- each a subject: adds what is found about it ---- */

void doctor_look_at_gate(struct doctor *doctor);
void doctor_look_at_module(struct doctor *doctor);
void doctor_look_at_refusals(struct doctor *doctor);
void doctor_look_at_listeners(struct doctor *doctor);
void doctor_look_at_clients(struct doctor *doctor);
void doctor_look_at_policy_services(struct doctor *doctor);
void doctor_look_at_accounts(struct doctor *doctor);
bool selinux_is_enforced(void);
void doctor_look_at_selinux(struct doctor *doctor);
void doctor_look_at_running(struct doctor *doctor);
/* Works as the account that owns them. */
void doctor_look_at_records(struct doctor *doctor);

/* A rule of a kind that is in one of the phases from first to last now. NULL: there is none. */
const struct rule *doctor_rule(const struct doctor *doctor, enum kind kind, enum phase first,
			       enum phase last);

#endif
