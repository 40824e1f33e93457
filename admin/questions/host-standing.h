#ifndef PORTCULLIS_HOST_STANDING_H
#define PORTCULLIS_HOST_STANDING_H

#include "inquiry.h"

/* The hosts that share a store, as their importers told it, and which of them is not as it should
   be. Times are those of the store's clock. */
struct host_standing {
	struct store_host host; /* with texts of its own */
	/* It judges by another policy than most of those that are not silent; of two equal parts,
	   than the one that the files here are of. */
	bool differs;
	bool silent;      /* it has told nothing for HOST_MINUTES_MAX */
	bool behind;      /* the oldest of what waits has waited for so long */
	bool wrong_clock; /* its clock is HOST_CLOCK_MAX off, or more */
};

#define HOST_MINUTES_MAX 60
#define HOST_CLOCK_MAX 10000 /* milliseconds */

struct host_standings {
	struct host_standing *standings;
	size_t count;
	int64_t now;
};

/* False when the store fails. */
bool host_standings_find(struct host_standings *hosts_r, const struct inquiry *inquiry);
void host_standings_free(struct host_standings *hosts);

/* NULL where there is no host of that name. */
const struct host_standing *host_standings_of(const struct host_standings *hosts, const char *name);

/* What is wrong with it, in some words: "another policy, clock 3600 s ahead"; NULL: nothing.
   The caller frees it with g_free(). */
char *host_standing_problem(const struct host_standing *standing, int64_t now);

/* Sentences about all, fit for a terminal and no longer than some lines. *healthy_r: whether all
   are as they should be. The caller frees it with g_free(). */
char *host_standings_summary(const struct host_standings *hosts, bool *healthy_r);

#endif
