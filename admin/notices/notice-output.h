#ifndef PORTCULLIS_NOTICE_OUTPUT_H
#define PORTCULLIS_NOTICE_OUTPUT_H

#include "admin/store/store-notices.h"

/* When a notice came to what it is, or was intended, in milliseconds. */
int64_t notice_time(const struct store_notice *notice);

#endif
