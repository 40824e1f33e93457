#ifndef PORTCULLIS_FORECAST_GROUPS_H
#define PORTCULLIS_FORECAST_GROUPS_H

#include <glib.h>

#include "admin/store/store.h"

/* What people who would be rejected have in common: a service, a program, a country. */
enum grouping { GROUPED_BY_SERVICE, GROUPED_BY_PROGRAM, GROUPED_BY_COUNTRY, GROUPING_COUNT };

struct forecast_group {
	char *name;   /* "" unknown */
	double users; /* to be expected */
};

struct forecast_groups {
	GArray *groups[GROUPING_COUNT]; /* of struct forecast_group */

	/* What is known of them while people are counted. */
	const struct store *store;
	GHashTable *known[GROUPING_COUNT]; /* 1 + index, by name */
	GArray *of_habit[GROUPING_COUNT];  /* of guint: likewise; 0 not looked up yet */
};

/* Of the habits of a store that is being read, and is borrowed. */
struct forecast_groups forecast_groups_create(const struct store *store);
void forecast_groups_free(struct forecast_groups *groups);

/* The index of the group that a habit belongs to. */
guint forecast_group_of(struct forecast_groups *groups, enum grouping grouping, size_t habit);

/* Those that at least one person is in, the largest first; no habit may be asked for then. */
void forecast_groups_sort(struct forecast_groups *groups);

#endif
