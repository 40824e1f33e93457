#ifndef PORTCULLIS_MEND_H
#define PORTCULLIS_MEND_H

#include "doctor.h"

/* Commands for root's shell, which the caller frees with g_free(). */

/* A word of a command, in quotes if need be. */
char *mend_word(const char *text);

/* Has a line hold in Dovecot's configuration, whatever stands in its other files; \n begins
   another one. */
char *mend_dovecot(const struct doctor *doctor, const char *line);

/* Changes the policy's file by a script of sed, or by two of them in one go, and has all read it
   again. */
char *mend_policy(const struct doctor *doctor, const char *script);
char *mend_policy_twice(const struct doctor *doctor, const char *first, const char *second);

/* Whether the gate is of Debian's package. */
bool gate_is_packaged(void);

/* Installs the gate anew, for the Dovecot that is here. */
char *mend_gate(void);

/* The scripts of conf-examples/postfix. */
char *mend_postfix(const char *script);

/* The end of a command that has changed Dovecot's configuration. */
#define MEND_RESTART "doveconf -n >/dev/null && systemctl restart dovecot"

/* What commands are made of. */
#define TOOLS PORTCULLIS_DATA
#define EXAMPLES PORTCULLIS_DOCUMENTS "/conf-examples"
/* Of the package alone. */
#define GATE_TOOL TOOLS "/dovecot-gate"

/* Where a setting of Dovecot's stands: "FILE:LINE", or its name where it is a default. The caller
   frees it with g_free(). */
char *where_in_dovecot(const struct doctor *doctor, const char *setting);

#endif
