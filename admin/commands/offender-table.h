#ifndef PORTCULLIS_OFFENDER_TABLE_H
#define PORTCULLIS_OFFENDER_TABLE_H

#include "admin/questions/offender-list.h"
#include "admin/terminal/listing.h"

/* Prints a list of offenders. if_none: what a table says where there is none. */
void offender_table_print(const GArray *offenders, enum listing_format format, const char *if_none);

#endif
