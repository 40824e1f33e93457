#define _GNU_SOURCE /* qsort_r() */
#include "log-recorder.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/sightings/sighting-judge.h"
#include "admin/sightings/whereabouts.h"
#include "log-user.h"
#include "server-host.h"

/* Those remembered at once; a stranger may write any number of hosts into a log. */
#define SERVERS_MAX 4096

struct recorder_server {
	struct store_server server;
	char *host;
	int64_t first, last; /* of its logins, of one day; last 0: there were none */
};

struct log_recorder {
	struct store *store;
	const struct edition *edition;
	const struct import_clock *clock;
	struct import_tally *tally;
	struct sighting_judge judge;
	unsigned int order[RULES_MAX]; /* the rules by their titles */
	GHashTable *servers;           /* by "WITNESS SOURCE HOST" */
	struct log_recorder_counts counts;
};

static int compare_titles(const void *left, const void *right, void *context)
{
	const struct policy *policy = context;

	return strcmp(policy->rules[*(const unsigned int *)left].title,
		      policy->rules[*(const unsigned int *)right].title);
}

static void free_server(gpointer pointer)
{
	struct recorder_server *server = pointer;

	g_free(server->host);
	g_free(server);
}

struct log_recorder *log_recorder_create(struct store *store, const struct edition *edition,
					 const struct import_clock *clock,
					 struct import_tally *tally)
{
	struct log_recorder *recorder = g_new0(struct log_recorder, 1);

	recorder->store = store;
	recorder->edition = edition;
	recorder->clock = clock;
	recorder->tally = tally;
	/* Phases are those of the login's time. */
	sighting_judge_init(&recorder->judge, edition, 0, true);
	for (unsigned int i = 0; i < edition->policy->rule_count; i++)
		recorder->order[i] = i;
	qsort_r(recorder->order, edition->policy->rule_count, sizeof(*recorder->order),
		compare_titles, (void *)edition->policy);
	recorder->servers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_server);
	return recorder;
}

void log_recorder_free(struct log_recorder *recorder)
{
	if (recorder == NULL)
		return;
	g_hash_table_unref(recorder->servers);
	g_free(recorder);
}

void log_recorder_begin(struct log_recorder *recorder)
{
	g_hash_table_remove_all(recorder->servers);
	recorder->counts = (struct log_recorder_counts){0};
}

const struct log_recorder_counts *log_recorder_counts(const struct log_recorder *recorder)
{
	return &recorder->counts;
}

/* ---- servers ---- */

/* What a log tells covers what stands in systemd's journal, too. And a server that told of
   something is remembered, as what was found out of it is. */
static bool cover(struct log_recorder *recorder, struct recorder_server *server)
{
	bool fine = server->last == 0 ||
		    store_cover(recorder->store, server->server.id, server->first, server->last);

	server->last = 0;
	return fine;
}

bool log_recorder_finish(struct log_recorder *recorder)
{
	GHashTableIter iter;
	gpointer server;
	bool fine = true;

	g_hash_table_iter_init(&iter, recorder->servers);
	while (fine && g_hash_table_iter_next(&iter, NULL, &server))
		fine = cover(recorder, server);
	return fine;
}

/* NULL when the store fails. */
static struct recorder_server *find_server(struct log_recorder *recorder, const char *host,
					   enum source source, enum store_witness witness)
{
	char key[300];
	struct recorder_server *server;

	snprintf(key, sizeof(key), "%d %d %s", witness, source, host);
	server = g_hash_table_lookup(recorder->servers, key);
	if (server != NULL)
		return server;
	if (g_hash_table_size(recorder->servers) >= SERVERS_MAX) {
		if (!log_recorder_finish(recorder))
			return NULL;
		g_hash_table_remove_all(recorder->servers);
	}
	server = g_new0(struct recorder_server, 1);
	server->host = server_host(host);
	server->server =
		(struct store_server){.host = server->host, .source = source, .witness = witness};
	if (!store_find_server(recorder->store, &server->server)) {
		free_server(server);
		return NULL;
	}
	g_hash_table_insert(recorder->servers, g_strdup(key), server);
	return server;
}

static bool note_tls(struct log_recorder *recorder, struct recorder_server *server,
		     enum service service, int64_t time)
{
	int64_t *since = &server->server.names_tls[service];

	if (time >= *since)
		return true;
	*since = time;
	return store_note_tls(recorder->store, server->server.id, service, time);
}

static bool note_time(struct log_recorder *recorder, struct recorder_server *server, int64_t time)
{
	if (server->last != 0 && server->last / MILLISECONDS_A_DAY != time / MILLISECONDS_A_DAY &&
	    !cover(recorder, server))
		return false;
	server->first = server->last == 0 ? time : MIN(server->first, time);
	server->last = MAX(server->last, time);
	return true;
}

/* ---- logins ---- */

/* Whether it is kept; the time is made to fit where a clock was wrong. */
static bool fit_time(struct log_recorder *recorder, int64_t *time, uint32_t count)
{
	const struct import_clock *clock = recorder->clock;

	if (*time > clock->present + MILLISECONDS_A_DAY) {
		*time = clock->present;
		recorder->counts.too_new += count;
	}
	if (*time >= FIRST_TIME &&
	    !import_clock_is_past(clock, *time, recorder->edition->policy->keep_sightings))
		return true;
	recorder->counts.too_old += count;
	return false;
}

/* The rules that it broke by the phases of its time. */
static void find_broken(struct log_recorder *recorder, const struct store_sighting *sighting,
			struct store_rule_set *broken_r)
{
	static const struct store_rule_set none;
	const struct policy *policy = recorder->edition->policy;
	struct store_sighting asked = *sighting;
	time_t at = (time_t)(sighting->last_seen / 1000);
	uint64_t broken;

	asked.rules = &none;
	recorder->judge.at = at;
	broken = sighting_judge_ask(&recorder->judge, &asked).broken;
	for (size_t i = 0; i < policy->rule_count && broken != 0; i++) {
		const struct rule *rule = &policy->rules[recorder->order[i]];
		enum phase phase = schedule_phase(&rule->schedule, at);

		if ((broken >> rule->index & 1) != 0 && phase != PHASE_OFF)
			broken_r->rules[broken_r->rule_count++] =
				(struct store_broken_rule){.title = rule->title, .phase = phase};
	}
}

static struct store_habit habit_of(const struct log_recorder *recorder,
				   const struct log_login *login, int64_t time,
				   const struct recorder_server *server)
{
	const struct attempt attempt = {.client = login->client};
	bool names_tls = time >= server->server.names_tls[login->service];

	return (struct store_habit){
		.source = login->source,
		.service = login->service,
		.tls = log_login_tls(login->tls, login->port, names_tls, recorder->edition->policy),
		.port = login->port,
		.country = judge_country(recorder->edition, &attempt, NULL),
		.mechanism = login->mechanism,
		.client_id = login->client_id,
		.tls_version = login->tls_version,
		.of_log = true,
	};
}

/* Whether no better record of that time is waited for any more. */
static bool is_settled(const struct log_recorder *recorder, int64_t time)
{
	return time / MILLISECONDS_A_DAY <
	       recorder->clock->present / MILLISECONDS_A_DAY - STORE_SETTLE_DAYS;
}

static bool count_login(struct log_recorder *recorder, const struct log_login *login, int64_t time,
			const struct store_habit *habit)
{
	const struct import_login counted = {
		.time = time,
		.count = login->count,
		.unknown_country = login->client.known && habit->country.code[0] == '\0' &&
				   !address_is_local(&login->client),
	};

	return import_tally_add_login(recorder->tally, recorder->store, &counted);
}

static bool add_sighting(struct log_recorder *recorder, const struct log_login *login, int64_t time,
			 const struct recorder_server *server)
{
	const struct policy *policy = recorder->edition->policy;
	const struct store_habit habit = habit_of(recorder, login, time, server);
	struct store_broken_rule rules[RULES_MAX];
	struct store_rule_set broken = {.rules = rules};
	char user[USER_SIZE], client[ADDRESS_TEXT_SIZE], whereabouts[WHEREABOUTS_SIZE] = "";
	struct store_sighting sighting = {
		.user = user,
		.verified = login->verified && login->user[0] != '\0',
		.habit = &habit,
		.rules = &broken,
		.count = login->count,
		.first_seen = time,
		.last_seen = time,
		.weeks = 1,
		.days = 1,
		.last_client = client,
		.whereabouts = whereabouts,
		.server = server->server.id,
		.settled = is_settled(recorder, time),
	};

	log_user_normalise(login->user, policy->default_domain, user);
	address_format(&login->client, client);
	if (login->client.known)
		whereabouts_format(policy, &login->client, whereabouts);
	find_broken(recorder, &sighting, &broken);
	sighting.tls_below = sighting_tls_below(policy, habit.tls, &broken);
	if (import_clock_is_past(recorder->clock, time, policy->keep_addresses))
		client[0] = '\0';
	return store_add(recorder->store, &sighting) && count_login(recorder, login, time, &habit);
}

bool log_recorder_add(struct log_recorder *recorder, const struct log_login *login,
		      enum store_witness witness)
{
	struct recorder_server *server = find_server(recorder, login->host, login->source, witness);
	int64_t time = login->time;
	bool is_kept;

	if (server == NULL)
		return false;
	recorder->counts.logins += login->count;
	is_kept = fit_time(recorder, &time, login->count);
	if (log_login_names_tls(login) && !note_tls(recorder, server, login->service, time))
		return false;
	return !is_kept ||
	       (note_time(recorder, server, time) && add_sighting(recorder, login, time, server));
}
