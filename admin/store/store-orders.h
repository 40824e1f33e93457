#ifndef PORTCULLIS_STORE_ORDERS_H
#define PORTCULLIS_STORE_ORDERS_H

#include "store.h"

/* What hosts that share a store still have to do for a store_forget(): lines about the user may
   wait in each one's journal and logs, and lie among those that it has set aside.

   As long as an order is open, nothing is recorded about the user that was before it. A host
   answers it when it has gone through all that it had then, and erased it; when all have that
   were known, it is removed, with the user's name. A store that is a file has none. */
struct store_order {
	int64_t id;
	const char *user;
	int64_t made;     /* by the store's clock */
	const char *host; /* that is still to answer */
	bool is_ours;     /* this one */
};

/* Returns false to end the iteration. The strings live until it returns. */
typedef bool store_visit_order(void *context, const struct store_order *order);

/* Once for each host that is still to answer, by order and host. */
bool store_each_order(struct store *store, store_visit_order *visit, void *context);

/* For this host, and if that is the last one, removes the order. Begins and commits by itself. */
bool store_answer_order(struct store *store, int64_t id);

#endif
