#ifndef PORTCULLIS_IMPORTERS_H
#define PORTCULLIS_IMPORTERS_H

#include "admin/journal/forgetting.h"
#include "admin/journal/importer.h"
#include "admin/journal/log-importer.h"
#include "admin/questions/loaded-policy.h"
#include "admin/questions/own-host.h"

/* What takes all there is into the store: the journal, and the logs that a configuration
   names. */
struct importers {
	struct loaded_policy loaded;
	struct edition edition;
	struct importer *journal;
	struct log_importer *logs; /* NULL: the configuration names none */
	struct own_host *host;
	struct forgetting *forgetting;
};

/* Store and policy are borrowed. */
void importers_begin(struct importers *importers_r, struct store *store, struct policy *policy,
		     const struct importer_options *options);
void importers_end(struct importers *importers);

/* Takes all that there is by now, as importer_pass() does, and goes on with what other hosts
   have ordered to forget. *problems_r: files that there is trouble with. NULL, or why the
   store fails. */
const struct store_failure *importers_pass(const struct importers *importers, uint64_t rotate_size,
					   struct importer_rest *rest_r, size_t *problems_r);

#endif
