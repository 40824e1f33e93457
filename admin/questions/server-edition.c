#include "server-edition.h"

#include <glib.h>
#include <string.h>

/* A changed file is read within seconds, and lines are of the time that they begin. */
#define CHANGE_MILLISECONDS 120000

/* Since when it is so, by the clock of the server's host; INT64_MAX: nobody knows what is so. */
static int64_t find_expected(const struct loaded_policy *loaded, const struct host_standings *hosts,
			     const struct store_writer *writer, struct server_edition *edition)
{
	const struct host_standing *host;

	if (edition->is_here) {
		g_strlcpy(edition->expected, loaded_edition(loaded).id, sizeof(edition->expected));
		return (int64_t)loaded_changed(loaded) * 1000;
	}
	host = host_standings_of(hosts, writer->importer);
	if (host == NULL)
		return INT64_MAX;
	g_strlcpy(edition->expected, host->host.edition, sizeof(edition->expected));
	return host->host.edition_since + host->host.clock_offset;
}

struct server_edition server_edition(const struct loaded_policy *loaded,
				     const struct host_standings *hosts, const struct store *store,
				     const struct store_writer *writer)
{
	struct server_edition edition = {
		.is_here = writer->importer == NULL ||
			   strcmp(writer->importer, store_host_name(store)) == 0};
	int64_t since = find_expected(loaded, hosts, writer, &edition);

	edition.differs = since != INT64_MAX && writer->edition[0] != '\0' &&
			  strcmp(writer->edition, edition.expected) != 0 &&
			  writer->last_seen / 1000 > (since + CHANGE_MILLISECONDS) / 1000;
	return edition;
}
