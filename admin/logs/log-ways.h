#ifndef PORTCULLIS_LOG_WAYS_H
#define PORTCULLIS_LOG_WAYS_H

#include <glib.h>

#include "log-index.h"
#include "log-login.h"

/* The ways by which logins came, each once. */
struct log_way {
	enum source source;
	enum service service;
	enum log_tls tls;
	enum tls_version tls_version;
	uint16_t port;
	/* Of the server, where whether there was TLS depends on what else it logs: that of
	   LOG_TLS_UNMENTIONED; otherwise 0. */
	uint32_t server;
	const char *mechanism, *client_id;
};

struct log_ways {
	GArray *ways; /* of struct log_way */
	struct log_index index;
	GStringChunk *texts;
};

void log_ways_init(struct log_ways *ways_r);
void log_ways_clear(struct log_ways *ways);

/* The number of a login's way; without the program where asked, or where there are too many
   of them. */
uint32_t log_ways_find(struct log_ways *ways, const struct log_login *login, uint32_t server,
		       bool with_program);

static inline const struct log_way *log_ways_get(const struct log_ways *ways, uint32_t way)
{
	return &g_array_index(ways->ways, struct log_way, way);
}

#endif
