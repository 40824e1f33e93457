#ifndef PORTCULLIS_NOTIFY_REPORT_H
#define PORTCULLIS_NOTIFY_REPORT_H

#include "notify-run.h"

/* People who, when the run began, were to be expected to come again in a way that breaks a
   rule in its notify or enforce phase; and those of them who were ever told of one. */
struct open_people {
	uint64_t all, told;
	uint64_t by_rule[RULES_MAX];
};

/* What a run did, in words for the operator: who was told, what could not be
   handed over, who is still open. The caller frees it with g_free(). */
char *notify_report(const struct policy *policy, const struct notify_results *results,
		    const struct open_people *open);

/* Mails the report to the operator, by the transport of the run; the subject has its
   numbers. False, after saying on standard error what is wrong, when it was not taken. */
bool notify_report_mail(const struct notify_setup *setup, const struct notify_results *results,
			const struct open_people *open, const char *report);

#endif
