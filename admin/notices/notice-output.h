#ifndef PORTCULLIS_NOTICE_OUTPUT_H
#define PORTCULLIS_NOTICE_OUTPUT_H

#include "admin/store/store-notices.h"
#include "admin/terminal/json-output.h"

/* How what people were told is shown. */

/* An array of titles, from "encryption,country". */
json_t *notice_rules_json(const char *titles);

/* An object with user, recipient, reason, rules, state, time, attempts, message_id
   and error. */
json_t *notice_json(const struct store_notice *notice);

/* The local time of what came of it, or of the intention. */
const char *notice_time(const struct store_notice *notice, char text_r[static DATE_TEXT_SIZE]);

#endif
