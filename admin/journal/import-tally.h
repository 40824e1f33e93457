#ifndef PORTCULLIS_IMPORT_TALLY_H
#define PORTCULLIS_IMPORT_TALLY_H

#include "journal-line.h"

/* Counts lines by day and by writer in memory, so that the store is not asked
   for each line. */
struct import_tally {
	struct store_totals totals; /* since the last import_tally_store() */
	struct store_day days[64];  /* day N at N modulo 64; day 0: free */
	struct store_writer writer; /* the last one; host NULL: none */
	char host[256];
	int64_t covered_from; /* by the writer's lines, of one day */
};

/* All false when the store fails. */
bool import_tally_add(struct import_tally *tally, struct store *store,
		      const struct journal_line *line);
/* Logins that a log told. */
struct import_login {
	int64_t time;
	uint64_t count;
	bool unknown_country; /* of a client that should have one */
};
bool import_tally_add_login(struct import_tally *tally, struct store *store,
			    const struct import_login *login);
/* A line that cannot be understood; its own time is not known. */
bool import_tally_add_set_aside(struct import_tally *tally, struct store *store, int64_t now);
/* Hands over what was counted, and begins anew. */
bool import_tally_store(struct import_tally *tally, struct store *store, int64_t now);

#endif
