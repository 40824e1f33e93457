#include "open-orders.h"

#include <glib.h>
#include <string.h>

#include "admin/terminal/json-output.h"
#include "admin/terminal/wrapped-text.h"

static bool add(void *context, const struct store_order *order)
{
	json_t *orders = context;
	size_t count = json_array_size(orders);
	json_t *last = count == 0 ? NULL : json_array_get(orders, count - 1);
	char made[UTC_TEXT_SIZE];

	if (last == NULL || json_integer_value(json_object_get(last, "order")) != order->id) {
		last = json_pack("{s:I, s:s, s:[]}", "order", (json_int_t)order->id, "made",
				 utc_format(order->made, made), "hosts");
		json_array_append_new(orders, last);
	}
	json_array_append_new(json_object_get(last, "hosts"), json_string(order->host));
	return true;
}

json_t *open_orders(struct store *store)
{
	json_t *orders = json_array();

	if (store_each_order(store, add, orders))
		return orders;
	json_decref(orders);
	return NULL;
}

void open_orders_print(const json_t *orders)
{
	for (size_t i = 0; i < json_array_size(orders); i++) {
		const json_t *order = json_array_get(orders, i);
		const json_t *hosts = json_object_get(order, "hosts");
		GString *names = g_string_new(NULL);

		for (size_t j = 0; j < json_array_size(hosts); j++)
			g_string_append_printf(names, "%s%s", j == 0 ? "" : ", ",
					       json_string_value(json_array_get(hosts, j)));
		wrapped_line_print(2,
				   "Order %" JSON_INTEGER_FORMAT
				   " to forget somebody, made at %s, waits for: %s",
				   json_integer_value(json_object_get(order, "order")),
				   json_string_value(json_object_get(order, "made")), names->str);
		g_string_free(names, TRUE);
	}
}
