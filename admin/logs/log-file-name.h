#ifndef PORTCULLIS_LOG_FILE_NAME_H
#define PORTCULLIS_LOG_FILE_NAME_H

#include <stdbool.h>

/* How logs are named, and what a rotation and a packing program add to that:

   mail.log maillog mail.info dovecot*.log postfix*.log
   mail.log.1 mail.log.2.gz mail.log-20261129 mail.log-20261129.xz mail.log-1795910400.zst */

/* Whether a file of that name is a mail log. */
bool log_file_name_fits(const char *name);

/* Whether it is what a syslog daemon writes all messages of the mail system to, with or
   without what was added; or, false, where it writes those of a priority once more. */
bool log_file_name_is_whole(const char *name);
bool log_file_name_is_part(const char *name);

/* Whether two paths are of one log. */
bool log_file_names_match(const char *path, const char *other);

/* For those of one log, by age: below 0 where the first file is older than the other. */
int log_file_name_compare(const char *path, const char *other);

#endif
