#ifndef PORTCULLIS_SHARED_FILES_H
#define PORTCULLIS_SHARED_FILES_H

#include "admin/store/store-shared.h"

/* The files that this host's servers read, as the importer keeps them: what the store has is
   written down; exemptions that an operator wrote before they were shared are taken in; what
   somebody edited by hand is kept beside. While the store cannot be reached, they stay.

   What is to be said goes to standard error, once, and again after ten minutes. */
struct shared_files;

/* Whether a policy's servers read anything of that kind. */
bool shared_files_are_wanted(const struct policy *policy);

/* The policy must live as long. */
struct shared_files *shared_files_create(const struct policy *policy);
/* NULL is allowed. */
void shared_files_free(struct shared_files *files);

/* Looks once, which costs little where nothing has changed. *settled_r: nothing is left to be
   done that can be done now. False when the store fails. */
bool shared_files_look(struct shared_files *files, struct store *store, bool *settled_r);

#endif
