#ifndef PORTCULLIS_LOADED_EXEMPTIONS_H
#define PORTCULLIS_LOADED_EXEMPTIONS_H

#include "admin/store/store-shared.h"
#include "loaded-policy.h"

/* Who is let off, of a policy that names a file for it: as the file has it that servers read or,
   where the store has it and there is no such file for whoever asks, as the store has it. NULL
   when that is not known, which is reported. */
struct exemptions *loaded_exemptions_read(struct loaded_policy *loaded);

/* What servers read of what hosts share, as the store has it; the caller frees it with g_free().
   NULL: nothing, or the store cannot be asked. */
char *loaded_shared_text(const struct loaded_policy *loaded, enum store_text which,
			 size_t *length_r);

#endif
