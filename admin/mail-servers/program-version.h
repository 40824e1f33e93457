#ifndef PORTCULLIS_PROGRAM_VERSION_H
#define PORTCULLIS_PROGRAM_VERSION_H

/* The first word that a program prints about its version, as the mail servers do. Each waits at
   most some seconds. NULL: there is no such program, or it does not answer. The caller frees it
   with g_free(). */

/* arguments: as of execv(), the first is the path. */
char *program_version(const char *const arguments[]);

char *dovecot_version(void);
char *postfix_version(void);

#endif
