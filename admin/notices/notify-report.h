#ifndef PORTCULLIS_NOTIFY_REPORT_H
#define PORTCULLIS_NOTIFY_REPORT_H

#include "notify-run.h"

/* What a run did, in words for the operator: who was told, what could not be
   handed over, who is still open. The caller frees it with g_free(). */
char *notify_report(const struct notify_run *run);

/* One line of it, the subject of the mail. */
char *notify_report_subject(const struct notify_run *run);

/* How many mails were handed over. */
uint64_t notify_told(const struct notify_run *run);

#endif
