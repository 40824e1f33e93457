#ifndef PORTCULLIS_EXEMPTION_LIST_H
#define PORTCULLIS_EXEMPTION_LIST_H

#include "exemption-file.h"

/* Prints the exemptions that are right, in the order of the file, and whether they
   hold at a moment. only: a user, or NULL for all. */
void exemption_list_print(const struct exemption_file *file, const char *only, time_t at,
			  bool json);

#endif
