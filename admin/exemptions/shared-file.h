#ifndef PORTCULLIS_SHARED_FILE_H
#define PORTCULLIS_SHARED_FILE_H

#include <glib.h>

#include "admin/store/store-shared.h"

/* The file of exemptions as an importer writes it for its servers: what the store has, behind
   a line that says so. */

/* The caller frees it with g_string_free(). */
GString *shared_file_text(const struct store_shared *shared);

/* What the first line says. */
struct shared_head {
	int64_t version;
	size_t length;  /* of the line, newline included */
	bool is_intact; /* what follows is what Portcullis wrote */
};

/* False for a text that has no such line: an operator's own. */
bool shared_head_read(const char *text, size_t length, struct shared_head *head_r);

/* What becomes of the store's text when an operator's own is taken in: lines that it has not are
   added. What is wrong with them, as the policy has it, makes comments of them: nobody could
   mend them in the store. NULL: there is none to be added; otherwise *added_r says how many,
   and the caller frees it with g_string_free(). */
GString *shared_file_merge(const struct store_shared *shared, const char *own, size_t length,
			   const struct policy *policy, size_t *added_r);

#endif
