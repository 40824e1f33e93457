#ifndef PORTCULLIS_STORE_VIEW_H
#define PORTCULLIS_STORE_VIEW_H

#include "store.h"

/* A store of sightings that somebody holds in memory already, so that they can be asked the
   same questions as those on a disk. It answers questions only, nothing may be written to it;
   nobody was told anything. */

/* Who holds them. Each function goes on until the visit returns false. */
struct store_view_holder {
	/* As store_each_sighting() without a filter: all of them with their names, in the
	   order of user_id. Habits and rule sets are those that were added. */
	void (*each_sighting)(void *holder, store_visit_sighting *visit, void *context);
	/* In the order of the days. */
	void (*each_day)(void *holder, store_visit_day *visit, void *context);
	void (*each_writer)(void *holder, store_visit_writer *visit, void *context);
};

/* Both must outlive the store, which store_close() frees. */
struct store *store_view_create(const struct store_view_holder *functions, void *holder);

/* Takes a copy, which lives until the store is closed, with its index set. */
const struct store_habit *store_view_add_habit(struct store *view, const struct store_habit *habit);
const struct store_rule_set *store_view_add_rule_set(struct store *view,
						     const struct store_rule_set *rule_set);

#endif
