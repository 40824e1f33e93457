#ifndef PORTCULLIS_EXEMPTION_FILE_PARTS_H
#define PORTCULLIS_EXEMPTION_FILE_PARTS_H

#include "exemption-file.h"

/* What the parts of exemption-file.h share. */

/* Says it of the file. Returns status. */
int exemption_file_complain(const struct exemption_file *file, int status, const char *reason);

/* Whether the servers would read what was meant; after, which is freed: what they would read,
   NULL: nothing. Returns 0 or an exit status, having said so. */
int exemption_file_check(const struct exemption_file *file, struct exemptions *after);

/* exemption-in-store.c: as exemption_file_open() and exemption_file_save(). */
int exemption_file_read_store(struct exemption_file *file);
int exemption_file_save_in_store(struct exemption_file *file);

#endif
