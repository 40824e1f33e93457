#ifndef PORTCULLIS_NOTIFY_LISTS_H
#define PORTCULLIS_NOTIFY_LISTS_H

#include "admin/notices/desk-list.h"
#include "admin/terminal/listing.h"

/* Prints a list of notify's for the help desk: entries is as desk_list_create() has it. */
void notify_list_print(enum desk_list list, const struct policy *policy, const GArray *entries,
		       enum listing_format format);

#endif
