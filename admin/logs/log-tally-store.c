#include "log-tally-parts.h"

#include <string.h>

#include "admin/store/store-view.h"

/* A way from a place, and what there was of TLS: what a habit depends on, and, but for those who
   are let off, which rules it breaks. */
struct shown_way {
	const struct store_habit *habit;
	const struct store_rule_set *rules; /* NULL: not asked yet */
};

/* A tally as a store shows it. */
struct shown_tally {
	const struct log_tally *tally;
	const struct sighting_judge *judge;
	struct store *store;
	GHashTable *ways;      /* by way, place and TLS, as an int64_t */
	GHashTable *rule_sets; /* by their rules, a bit each, as an int64_t */
};

static void *find_or_make(GHashTable *table, int64_t key, size_t size)
{
	void *value = g_hash_table_lookup(table, &key);

	if (value == NULL) {
		value = g_malloc0(size);
		g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), value);
	}
	return value;
}

/* ---- habits ---- */

static const struct store_habit *add_habit(struct shown_tally *shown, const struct log_row *row,
					   enum tls_state tls)
{
	const struct log_way *way = log_ways_get(&shown->tally->ways, row->way);
	const struct log_place *place = log_places_get(shown->tally->places, row->place);
	const struct store_habit habit = {.source = way->source,
					  .service = way->service,
					  .tls = tls,
					  .port = way->port,
					  .country = place->country,
					  .mechanism = way->mechanism,
					  .client_id = way->client_id,
					  .tls_version = way->tls_version,
					  .of_log = true};

	return store_view_add_habit(shown->store, &habit);
}

static struct shown_way *find_way(struct shown_tally *shown, const struct log_row *row)
{
	enum tls_state tls = log_tally_tls(shown->tally, row);
	int64_t key = (int64_t)row->way << 32 | ((int64_t)row->place * TLS_STATE_COUNT + tls);
	struct shown_way *way = find_or_make(shown->ways, key, sizeof(*way));

	if (way->habit == NULL)
		way->habit = add_habit(shown, row, tls);
	return way;
}

/* ---- rules ---- */

static int compare_titles(const void *one, const void *other)
{
	const struct store_broken_rule *a = one, *b = other;

	return strcmp(a->title, b->title);
}

static const struct store_rule_set *add_rule_set(struct shown_tally *shown, uint64_t broken)
{
	const struct policy *policy = shown->judge->edition.policy;
	struct store_broken_rule rules[RULES_MAX];
	struct store_rule_set set = {.rules = rules};

	for (; broken != 0; broken &= broken - 1) {
		const struct rule *rule = &policy->rules[__builtin_ctzll(broken)];

		rules[set.rule_count++] = (struct store_broken_rule){
			rule->title, schedule_phase(&rule->schedule, shown->judge->at)};
	}
	qsort(rules, set.rule_count, sizeof(*rules), compare_titles);
	return store_view_add_rule_set(shown->store, &set);
}

static const struct store_rule_set *find_rules(struct shown_tally *shown,
					       const struct store_sighting *sighting)
{
	static const struct store_rule_set none;
	struct store_sighting asked = *sighting;
	const struct store_rule_set **set;
	uint64_t broken;

	asked.rules = &none;
	broken = sighting_judge_ask(shown->judge, &asked).broken;
	set = find_or_make(shown->rule_sets, (int64_t)broken, sizeof(*set));
	if (*set == NULL)
		*set = add_rule_set(shown, broken);
	return *set;
}

static bool is_let_off(const struct shown_tally *shown, const char *user)
{
	const struct edition *edition = &shown->judge->edition;
	size_t exempt, graced;

	exemptions_of_user(edition->exemptions, user, &exempt);
	exemptions_of_user(edition->grace, user, &graced);
	return exempt + graced > 0;
}

/* ---- sightings ---- */

static void set_row(struct shown_tally *shown, const struct log_row *row, bool let_off,
		    char client[static ADDRESS_TEXT_SIZE], struct store_sighting *sighting)
{
	struct address address = {.known = log_places_get(shown->tally->places, row->place)->known};
	struct shown_way *way = find_way(shown, row);

	memcpy(address.bytes, row->client, sizeof(address.bytes));
	address_format(&address, client);
	sighting->habit = way->habit;
	sighting->count = row->count;
	sighting->first_seen = row->first;
	sighting->last_seen = row->last;
	sighting->weeks = row->weeks;
	sighting->days = log_row_days(row);
	sighting->last_client = client;
	if (let_off) {
		sighting->rules = find_rules(shown, sighting);
		return;
	}
	if (way->rules == NULL)
		way->rules = find_rules(shown, sighting);
	sighting->rules = way->rules;
}

static void each_sighting(void *holder, store_visit_sighting *visit, void *context)
{
	struct shown_tally *shown = holder;
	const struct log_people *people = &shown->tally->people;
	char client[ADDRESS_TEXT_SIZE];

	for (guint i = 0; i < people->people->len; i++) {
		const struct log_person *person =
			&g_array_index(people->people, struct log_person, i);
		bool let_off = is_let_off(shown, person->name);
		struct store_sighting sighting = {
			.user_id = (int64_t)i + 1, .user = person->name, .verified = true};

		for (uint32_t row = person->row; row != LOG_ROW_NONE;
		     row = log_people_row(people, row)->next) {
			set_row(shown, log_people_row(people, row), let_off, client, &sighting);
			if (!visit(context, &sighting))
				return;
		}
	}
}

/* ---- the rest ---- */

static void each_day(void *holder, store_visit_day *visit, void *context)
{
	const struct shown_tally *shown = holder;
	const GArray *days = shown->tally->days;

	for (guint i = 0; i < days->len; i++) {
		const struct log_day *day = &g_array_index(days, struct log_day, i);
		const struct store_day shown_day = {.day = day->day,
						    .sightings = day->logins,
						    .lines = day->logins,
						    .confirmed = true};

		if (!visit(context, &shown_day))
			return;
	}
}

static void each_writer(void *holder, store_visit_writer *visit, void *context)
{
	const struct shown_tally *shown = holder;
	const GArray *servers = shown->tally->servers;

	for (guint i = 0; i < servers->len; i++) {
		const struct log_server *server = &g_array_index(servers, struct log_server, i);
		const struct store_writer writer = {.host = server->host,
						    .source = server->source,
						    .lines = server->logins,
						    .last_seen = server->last,
						    .edition = ""};

		if (!visit(context, &writer))
			return;
	}
}

/* So that questions have tables of them before they ask for sightings. */
static bool note_sighting(void *context, const struct store_sighting *sighting)
{
	(void)context;
	(void)sighting;
	return true;
}

struct store *log_tally_store(struct log_tally *tally, const struct sighting_judge *judge)
{
	static const struct store_view_holder functions = {
		.each_sighting = each_sighting, .each_day = each_day, .each_writer = each_writer};
	struct shown_tally *shown = g_new0(struct shown_tally, 1);

	log_tally_show_no_more(tally);
	tally->shown = shown;
	shown->tally = tally;
	shown->judge = judge;
	shown->store = store_view_create(&functions, shown);
	shown->ways = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	shown->rule_sets = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	each_sighting(shown, note_sighting, NULL);
	return shown->store;
}

void log_tally_show_no_more(struct log_tally *tally)
{
	if (tally->shown == NULL)
		return;
	g_hash_table_unref(tally->shown->ways);
	g_hash_table_unref(tally->shown->rule_sets);
	g_free(tally->shown);
	tally->shown = NULL;
}
