#ifndef PORTCULLIS_CONFIG_NOTICES_H
#define PORTCULLIS_CONFIG_NOTICES_H

#include "config-value.h"

/* The options of the sections notices { } and client-settings { }. */
extern cfg_opt_t config_notice_options[];
extern cfg_opt_t config_client_options[];

/* Read the sections into the policy, or the defaults where there are none, and
   report what is wrong. The top of the file has been read before. */
void config_notices_read(struct config_reader *reader, cfg_t *top);
void config_client_settings_read(struct config_reader *reader, cfg_t *top);

#endif
