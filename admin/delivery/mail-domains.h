#ifndef PORTCULLIS_MAIL_DOMAINS_H
#define PORTCULLIS_MAIL_DOMAINS_H

#include "policy/config.h"

/* The domains whose accounts are written to: domains of portcullis.conf(5), or else
   default-domain. A name that was recorded with another one is no account of this site's,
   whoever typed it, and may be somebody's address all the same. */
struct mail_domains;

/* Reads the file, and reports wrong lines of it as "FILE:LINE: ..."; those are left out.
   NULL, after a report, when it cannot be read, or the policy names no domain. */
struct mail_domains *mail_domains_open(const struct policy *policy, config_report *error,
				       void *context);
void mail_domains_close(struct mail_domains *domains);

/* user: as user_normalise() makes it. True also for a name without a domain, which is
   nobody's address. */
bool mail_domains_have(const struct mail_domains *domains, const char *user);

#endif
