#include "import-tally.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "admin/store/store-logs.h"
#include "server-host.h"

static bool store_one_day(struct import_tally *tally, struct store *store, size_t i)
{
	if (tally->days[i].day != 0 && !store_add_day(store, &tally->days[i]))
		return false;
	tally->days[i] = (struct store_day){0};
	return true;
}

/* NULL when the store fails. */
static struct store_day *find_day(struct import_tally *tally, struct store *store, int64_t time)
{
	int64_t day = time / MILLISECONDS_A_DAY;
	size_t i = (size_t)day % 64;

	if (tally->days[i].day != day && !store_one_day(tally, store, i))
		return NULL;
	tally->days[i].day = day;
	return &tally->days[i];
}

static bool add_to_day(struct import_tally *tally, struct store *store,
		       const struct journal_line *line)
{
	struct store_day *day = find_day(tally, store, line->time);

	if (day == NULL)
		return false;
	day->lines++;
	day->last_line = (int64_t)tally->totals.lines;
	day->lost += line->lost;
	/* Of whom strangers can send any number, and no country is known. */
	if (journal_line_names_nobody(line))
		return true;
	day->sightings += line->count;
	if (line->habit.country.code[0] == '\0' && !address_is_local(&line->client))
		day->unknown_country += line->count;
	return true;
}

/* What its log tells of that time need not be counted. */
static bool cover(const struct import_tally *tally, struct store *store)
{
	char *host = server_host(tally->writer.host);
	struct store_server server = {
		.host = host, .source = tally->writer.source, .witness = WITNESS_SERVER};
	bool fine = store_find_server(store, &server) &&
		    store_cover(store, server.id, tally->covered_from, tally->writer.last_seen);

	g_free(host);
	return fine;
}

static bool store_last_writer(struct import_tally *tally, struct store *store)
{
	if (tally->writer.host != NULL &&
	    (!store_add_writer(store, &tally->writer) || !cover(tally, store)))
		return false;
	tally->writer.host = NULL;
	return true;
}

static bool add_to_writer(struct import_tally *tally, struct store *store,
			  const struct journal_line *line)
{
	struct store_writer *writer = &tally->writer;

	if (writer->host == NULL || writer->source != line->habit.source ||
	    writer->last_seen / MILLISECONDS_A_DAY != line->time / MILLISECONDS_A_DAY ||
	    strncmp(writer->host, line->host, sizeof(tally->host) - 1) != 0) {
		if (!store_last_writer(tally, store))
			return false;
		snprintf(tally->host, sizeof(tally->host), "%s", line->host);
		*writer = (struct store_writer){.host = tally->host, .source = line->habit.source};
		tally->covered_from = line->time;
	}
	tally->covered_from = MIN(tally->covered_from, line->time);
	writer->lines++;
	writer->lost += line->lost;
	if (line->until > writer->last_seen)
		writer->last_seen = line->until;
	if (line->edition[0] != '\0' && strcmp(line->edition, writer->edition) != 0 &&
	    line->until >= writer->edition_since) {
		snprintf(writer->edition, sizeof(writer->edition), "%s", line->edition);
		writer->edition_since = line->until;
	}
	return true;
}

bool import_tally_add(struct import_tally *tally, struct store *store,
		      const struct journal_line *line)
{
	tally->totals.lines++;
	tally->totals.lost += line->lost;
	return add_to_day(tally, store, line) && add_to_writer(tally, store, line);
}

bool import_tally_add_login(struct import_tally *tally, struct store *store,
			    const struct import_login *login)
{
	struct store_day *day;

	tally->totals.lines++;
	day = find_day(tally, store, login->time);
	if (day == NULL)
		return false;
	day->lines++;
	day->last_line = (int64_t)tally->totals.lines;
	day->sightings += login->count;
	day->unknown_country += login->unknown_country ? login->count : 0;
	return true;
}

bool import_tally_add_set_aside(struct import_tally *tally, struct store *store, int64_t now)
{
	struct store_day *day = find_day(tally, store, now);

	tally->totals.set_aside++;
	if (day != NULL)
		day->set_aside++;
	return day != NULL;
}

bool import_tally_store(struct import_tally *tally, struct store *store, int64_t now)
{
	for (size_t i = 0; i < 64; i++) {
		if (!store_one_day(tally, store, i))
			return false;
	}
	tally->totals.last_import = now;
	if (!store_last_writer(tally, store) || !store_add_totals(store, &tally->totals))
		return false;
	*tally = (struct import_tally){0};
	return true;
}
