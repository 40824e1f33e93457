#ifndef PORTCULLIS_LOADED_GRACE_H
#define PORTCULLIS_LOADED_GRACE_H

#include "loaded-policy.h"

/* Who is given grace, of a policy whose other files are loaded: as the file has it that servers
   read or, for whoever may not look into the journal's directory, as the store knows it. NULL,
   nobody: no rule gives any, there is no such file yet, or, after saying so, that is not known. */
struct exemptions *loaded_grace_read(struct loaded_policy *loaded);

#endif
