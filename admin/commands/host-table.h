#ifndef PORTCULLIS_HOST_TABLE_H
#define PORTCULLIS_HOST_TABLE_H

#include <jansson.h>

#include "admin/questions/host-standing.h"

/* A line a host. */
void host_table_print(const struct host_standings *hosts);

/* An array with an object a host. */
json_t *host_table_json(const struct host_standings *hosts);

#endif
