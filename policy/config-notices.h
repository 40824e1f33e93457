#ifndef PORTCULLIS_CONFIG_NOTICES_H
#define PORTCULLIS_CONFIG_NOTICES_H

#include "config-value.h"

/* What may stand in the sections notices { } and client-settings { }. */
extern const struct config_option config_notice_options[];
extern const struct config_option config_client_options[];

/* Read the sections into the policy, or the defaults where there are none, and
   report what is wrong. The top of the file has been read before. */
void config_notices_read(struct config_reader *reader);
void config_client_settings_read(struct config_reader *reader);

#endif
