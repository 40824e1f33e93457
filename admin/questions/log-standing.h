#ifndef PORTCULLIS_LOG_STANDING_H
#define PORTCULLIS_LOG_STANDING_H

#include "inquiry.h"

/* How far a log is read that the configuration has followed. */
struct log_standing {
	const char *log;  /* as there; "journal" is systemd's */
	int error;        /* why it cannot be read; 0: it can */
	bool known;       /* something of it was read already */
	uint64_t waiting; /* bytes that were not; 0 of a packed log, and of the journal */
	int64_t read;     /* when something was read of it last, in milliseconds; 0 never */
};

/* One for each of them, policy->log_count. False when the store fails. */
bool log_standings_find(struct log_standing *standings_r, const struct inquiry *inquiry);

/* What is wrong with the first of them that something is wrong with, fit for a terminal; NULL:
   nothing. late: nothing was imported for a while; only_asks: this account need not be able to
   read them. The caller frees it with g_free(). */
char *log_standings_problem(const struct log_standing *standings, size_t count, bool late,
			    bool only_asks);

#endif
