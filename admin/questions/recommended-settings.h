#ifndef PORTCULLIS_RECOMMENDED_SETTINGS_H
#define PORTCULLIS_RECOMMENDED_SETTINGS_H

#include "policy/config.h"

/* Reports, as "FILE:LINE: ...", what mails and page recommend by client-settings although a
   rule with a notify or enforce date refuses it. Countries are left out: they are not a matter
   of settings. */
void recommended_settings_check(const struct policy *policy, config_report *report, void *context);

#endif
