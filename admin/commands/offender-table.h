#ifndef PORTCULLIS_OFFENDER_TABLE_H
#define PORTCULLIS_OFFENDER_TABLE_H

#include "admin/questions/offender-list.h"
#include "admin/terminal/listing.h"

/* Prints a list of offenders. */
void offender_table_print(const GArray *offenders, enum listing_format format);

#endif
