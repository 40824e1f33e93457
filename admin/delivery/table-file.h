#ifndef PORTCULLIS_TABLE_FILE_H
#define PORTCULLIS_TABLE_FILE_H

#include "policy/config.h"

/* Takes a line without blanks around it, which may be changed. Returns what is wrong with
   it, or NULL. */
typedef const char *table_file_line(void *table, char *line);

/* Goes through a file of the operator's, one entry a line; empty lines and those that begin
   with "#" are left out. Wrong ones are reported as "FILE:LINE: ...". False, after a report,
   when it cannot be read. */
bool table_file_read(const char *path, table_file_line *take, void *table, config_report *error,
		     void *context);

#endif
