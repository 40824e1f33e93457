#ifndef PORTCULLIS_OPEN_ORDERS_H
#define PORTCULLIS_OPEN_ORDERS_H

#include <jansson.h>

#include "admin/store/store-orders.h"

/* What hosts still have to forget, as store-orders.h says; whom, nobody is told. */

/* An array of {"order", "made", "hosts"}, the earliest first; NULL when the store fails. */
json_t *open_orders(struct store *store);

/* A line for each. */
void open_orders_print(const json_t *orders);

#endif
