#ifndef PORTCULLIS_SERVER_EDITION_H
#define PORTCULLIS_SERVER_EDITION_H

#include "host-standing.h"

/* By which edition a server judged, against what the files of its host say. */
struct server_edition {
	bool differs;                   /* it judged after these had changed, and not by them */
	bool is_here;                   /* its host is this one */
	char expected[EDITION_ID_SIZE]; /* ""; nobody has told */
};

struct server_edition server_edition(const struct loaded_policy *loaded,
				     const struct host_standings *hosts, const struct store *store,
				     const struct store_writer *writer);

#endif
