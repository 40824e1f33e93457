#include "log-tally-parts.h"

#include <string.h>

#include "admin/store/store-limits.h"

/* Whoever writes hosts into a log cannot fill the memory; those beyond are taken for one. */
#define SERVERS_MAX 4096

/* Of a person: those beyond are taken for the last one. */
#define ROWS_MAX (4 * VERIFIED_ROWS_MAX)

struct log_tally *log_tally_create(const struct edition *edition)
{
	struct log_tally *tally = g_new0(struct log_tally, 1);

	tally->edition = edition;
	log_people_init(&tally->people);
	log_ways_init(&tally->ways);
	tally->places = log_places_create(edition);
	tally->servers = g_array_new(FALSE, FALSE, sizeof(struct log_server));
	tally->hosts = g_array_new(FALSE, FALSE, sizeof(const char *));
	tally->days = g_array_new(FALSE, FALSE, sizeof(struct log_day));
	return tally;
}

void log_tally_free(struct log_tally *tally)
{
	if (tally == NULL)
		return;
	log_tally_show_no_more(tally);
	log_people_clear(&tally->people);
	log_ways_clear(&tally->ways);
	log_places_free(tally->places);
	for (guint i = 0; i < tally->servers->len; i++)
		g_free(g_array_index(tally->servers, struct log_server, i).host);
	g_array_unref(tally->servers);
	g_array_unref(tally->hosts);
	g_array_unref(tally->days);
	g_free(tally);
}

/* ---- servers ---- */

static struct log_server *server_at(const struct log_tally *tally, guint i)
{
	return &g_array_index(tally->servers, struct log_server, i);
}

static bool is_server(const struct log_tally *tally, guint i, const struct log_login *login)
{
	const struct log_server *server = server_at(tally, i);

	return server->source == login->source && strcmp(server->host, login->host) == 0;
}

static void note_host(struct log_tally *tally, const char *host)
{
	if (host[0] == '\0')
		return;
	for (guint i = 0; i < tally->hosts->len; i++) {
		if (strcmp(g_array_index(tally->hosts, const char *, i), host) == 0)
			return;
	}
	g_array_append_val(tally->hosts, host);
}

/* Its lines mostly follow each other. */
static struct log_server *find_server(struct log_tally *tally, const struct log_login *login)
{
	const guint count = tally->servers->len;

	if (tally->server < count && is_server(tally, tally->server, login))
		return server_at(tally, tally->server);
	for (tally->server = 0; tally->server < count; tally->server++) {
		if (is_server(tally, tally->server, login))
			return server_at(tally, tally->server);
	}
	if (count < SERVERS_MAX) {
		const struct log_server server = {.host = g_strdup(login->host),
						  .source = login->source};

		g_array_append_val(tally->servers, server);
		note_host(tally, server.host);
		tally->server = count;
	} else {
		tally->server = count - 1;
	}
	return server_at(tally, tally->server);
}

static void note_server(struct log_tally *tally, const struct log_login *login)
{
	struct log_server *server = find_server(tally, login);
	int64_t *since = &server->names_tls[login->service];

	server->logins += login->count;
	server->last = MAX(server->last, login->time);
	if (log_login_names_tls(login))
		*since = *since == 0 ? login->time : MIN(*since, login->time);
}

/* ---- days ---- */

static struct log_day *day_at(const struct log_tally *tally, guint i)
{
	return &g_array_index(tally->days, struct log_day, i);
}

static struct log_day *find_day(struct log_tally *tally, int64_t day)
{
	const struct log_day none = {.day = day};
	guint i = tally->day;

	while (i > 0 && (i >= tally->days->len || day_at(tally, i)->day > day))
		i--;
	while (i < tally->days->len && day_at(tally, i)->day < day)
		i++;
	if (i == tally->days->len || day_at(tally, i)->day != day)
		g_array_insert_val(tally->days, i, none);
	tally->day = i;
	return day_at(tally, i);
}

static void note_time(struct log_tally *tally, const struct log_login *login)
{
	find_day(tally, login->time / MILLISECONDS_A_DAY)->logins += login->count;
	if (tally->first == 0 || login->time < tally->first)
		tally->first = login->time;
	tally->last = MAX(tally->last, login->time);
}

/* ---- logins ---- */

static void add_to_person(struct log_tally *tally, const struct log_login *login)
{
	uint32_t place = log_places_find(tally->places, &login->client);
	uint32_t way = log_ways_find(&tally->ways, login, tally->server, true);
	char name[USER_SIZE];
	struct log_person *person;
	struct log_row *row;

	user_normalise(login->user, tally->edition->policy->default_domain, name, sizeof(name));
	person = log_people_find(&tally->people, name);
	row = log_people_find_row(&tally->people, person, way, place);
	if (row == NULL && person->rows >= VERIFIED_ROWS_MAX) {
		way = log_ways_find(&tally->ways, login, tally->server, false);
		row = log_people_find_row(&tally->people, person, way, place);
	}
	/* Nobody has so many ways; to look for one of them would take ever longer. */
	if (row == NULL && person->rows >= ROWS_MAX)
		row = log_people_row(&tally->people, person->row);
	tally->with_client[login->source] += login->client.known ? login->count : 0;
	tally->series |= 1U << login->series;
	if (row != NULL)
		log_row_add(row, login);
	else
		log_row_begin(log_people_add_row(&tally->people, person, way, place), login);
}

void log_tally_add(struct log_tally *tally, const struct log_login *login)
{
	if (login->time < 0)
		return;
	note_server(tally, login);
	note_time(tally, login);
	if (login->verified && login->user[0] != '\0')
		add_to_person(tally, login);
	else
		tally->unverified += login->count;
}

/* ---- what is known of it ---- */

enum tls_state log_tally_tls(const struct log_tally *tally, const struct log_row *row)
{
	const struct log_way *way = log_ways_get(&tally->ways, row->way);
	int64_t since = way->tls == LOG_TLS_UNMENTIONED
				? server_at(tally, way->server)->names_tls[way->service]
				: 0;

	return log_login_tls(way->tls, way->port, since != 0 && row->last >= since,
			     tally->edition->policy);
}

static void count_row(const struct log_tally *tally, const struct log_row *row,
		      struct log_told told[])
{
	const struct log_way *way = log_ways_get(&tally->ways, row->way);
	enum tls_state tls = log_tally_tls(tally, row);
	bool with_tls = tls == TLS_STARTTLS || tls == TLS_IMPLICIT || tls == TLS_SOME;

	told += way->source;
	told->logins += row->count;
	told->port += way->port == 0 ? 0 : row->count;
	told->tls += tls == TLS_UNTOLD ? 0 : row->count;
	told->tls_kind += tls == TLS_UNTOLD || tls == TLS_SOME ? 0 : row->count;
	told->with_tls += with_tls ? row->count : 0;
	told->tls_version += with_tls && way->tls_version != TLS_VERSION_UNKNOWN ? row->count : 0;
}

void log_tally_count(const struct log_tally *tally, struct log_tally_counts *counts_r)
{
	*counts_r = (struct log_tally_counts){.people = tally->people.people->len,
					      .unverified = tally->unverified,
					      .series = tally->series,
					      .first = tally->first,
					      .last = tally->last};
	for (guint i = 0; i < tally->people.rows->len; i++)
		count_row(tally, log_people_row(&tally->people, i), counts_r->told);
	for (int source = 0; source < 2; source++) {
		counts_r->told[source].client = tally->with_client[source];
		counts_r->verified += counts_r->told[source].logins;
	}
}

size_t log_tally_hosts(const struct log_tally *tally)
{
	return tally->hosts->len;
}

const char *log_tally_host(const struct log_tally *tally, size_t index)
{
	return g_array_index(tally->hosts, const char *, index);
}
