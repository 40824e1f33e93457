#ifndef PORTCULLIS_NOTIFY_REPORT_H
#define PORTCULLIS_NOTIFY_REPORT_H

#include "notify-run.h"

/* What a run did, in words for the operator: who was told, what could not be
   handed over, who is still open. The caller frees it with g_free(). */
char *notify_report(const struct policy *policy, const struct notify_results *results);

/* Mails the report to the operator, by the transport of the run; the subject has its
   numbers. False, after saying on standard error what is wrong, when it was not taken. */
bool notify_report_mail(const struct notify_setup *setup, const struct notify_results *results,
			const char *report);

#endif
