#include "notice-people.h"

#include <string.h>

#include "admin/store/rule-titles.h"
#include "admin/sightings/sighting-judge.h"
#include "admin/sightings/suspect-habits.h"
#include "notice-due.h"

struct notice_people {
	struct edition edition;
	struct sighting_judge strict; /* as if all rules were in force, without exemptions */

	/* Of one reading of the store: */
	struct store *store;
	time_t now;
	notice_visit_candidate *visit;
	void *context;
	bool *suspects; /* habits */
	bool ended, failed;

	/* Of the person whose sightings come: */
	GString *user;
	int64_t user_id;
	const struct exemption *exemptions;
	size_t exemption_count;
	struct devices *devices;
	GArray *ways;      /* of struct notice_way */
	GArray *open;      /* of uint64_t, one a way */
	GArray *sightings; /* of struct notice_sighting, one a way */
	GStringChunk *texts;
	GArray *past; /* of struct notice_past */
	struct notice_candidate candidate;
	GString *intended_message_id;
};

struct notice_people *notice_people_create(const struct edition *edition)
{
	struct notice_people *people = g_new0(struct notice_people, 1);
	struct edition strict = *edition;

	strict.exemptions = strict.grace = NULL;
	people->edition = *edition;
	sighting_judge_init(&people->strict, &strict, 0, true);
	people->devices = devices_create();
	people->user = g_string_new(NULL);
	people->ways = g_array_new(FALSE, FALSE, sizeof(struct notice_way));
	people->open = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	people->sightings = g_array_new(FALSE, FALSE, sizeof(struct notice_sighting));
	people->texts = g_string_chunk_new(4096);
	people->past = g_array_new(FALSE, FALSE, sizeof(struct notice_past));
	people->intended_message_id = g_string_new(NULL);
	return people;
}

void notice_people_free(struct notice_people *people)
{
	if (people == NULL)
		return;
	devices_free(people->devices);
	g_string_free(people->user, TRUE);
	g_array_unref(people->ways);
	g_array_unref(people->open);
	g_array_unref(people->sightings);
	g_string_chunk_free(people->texts);
	g_array_unref(people->past);
	g_string_free(people->intended_message_id, TRUE);
	g_free(people);
}

/* ---- ways ---- */

/* The rules in force for whose sake it was refused. */
static uint64_t refusing_rules(const struct policy *policy, const struct store_sighting *sighting)
{
	uint64_t rules = 0;

	if (sighting->rejected == 0)
		return 0;
	for (size_t i = 0; i < sighting->rules->rule_count; i++) {
		const struct store_broken_rule *broken = &sighting->rules->rules[i];
		const struct rule *rule = policy_rule(policy, broken->title);

		if (rule != NULL && broken->phase == PHASE_ENFORCE &&
		    sighting->last_seen / 1000 >= rule->schedule.enforce)
			rules |= UINT64_C(1) << rule->index;
	}
	return rules;
}

static struct notice_way way_of(struct notice_people *people, const struct store_sighting *sighting)
{
	const struct sighting_verdict strict = sighting_judge_ask(&people->strict, sighting);
	struct notice_way way = {
		.broken = strict.broken,
		.country = strict.country,
		.first_seen = (time_t)(sighting->first_seen / 1000),
		.last_seen = MIN((time_t)(sighting->last_seen / 1000), people->now),
	};

	if (way.broken != 0)
		way.refused = way.broken & refusing_rules(people->edition.policy, sighting);
	notice_way_let_off(&way, people->edition.policy, people->exemptions,
			   people->exemption_count, people->now);
	way.device =
		devices_add(people->devices, sighting, way.broken & ~way.allowed, strict.untold);
	return way;
}

/* A text of the visit's, until the next person; "" of none. */
static const char *keep(struct notice_people *people, const char *text)
{
	return text == NULL || text[0] == '\0' ? "" : g_string_chunk_insert(people->texts, text);
}

static void add_sighting(struct notice_people *people, const struct store_sighting *sighting)
{
	const struct store_habit *habit = sighting->habit;
	struct notice_way way = way_of(people, sighting);
	struct notice_sighting shown = {
		.client_id = habit->client_id,
		.service = habit->service,
		.port = habit->port,
		.tls = habit->tls,
		.mechanism = habit->mechanism,
		.country = habit->country,
		.device = way.device,
		.last_seen = way.last_seen,
		.client = keep(people, sighting->last_client),
		.whereabouts = keep(people, sighting->whereabouts),
		.refused = sighting->rejected > 0,
	};

	g_array_append_val(people->ways, way);
	g_array_append_val(people->sightings, shown);
}

/* ---- what is past ---- */

static bool add_past(void *context, const struct store_notice *notice)
{
	struct notice_people *people = context;
	struct notice_candidate *candidate = &people->candidate;
	struct notice_past past = {
		.reason = notice->reason,
		.state = notice->state,
		.rules = rule_titles_parse(people->edition.policy, notice->rules),
		.time = (time_t)(notice->settled / 1000),
	};

	if (notice->state == NOTICE_INTENDED) {
		candidate->intended_id = notice->id;
		candidate->intended_attempts = notice->attempts;
		candidate->in_hand |= notice->in_hand;
		candidate->attempted = (time_t)(notice->intended / 1000);
		g_string_assign(people->intended_message_id, notice->message_id);
		return true;
	}
	/* It is no reason to be silent now. */
	if (store_notice_is_ahead(notice, (int64_t)people->now * 1000))
		return true;
	rule_dates_parse(people->edition.policy, notice->rules, notice->dates, past.dates);
	candidate->told |= notice->state == NOTICE_HANDED_OVER;
	if (notice->state != NOTICE_NOTED)
		candidate->failed = notice->state == NOTICE_FAILED;
	g_array_append_val(people->past, past);
	return true;
}

/* ---- people ---- */

static bool concerns(const struct notice_people *people)
{
	const struct notice_candidate *candidate = &people->candidate;

	if (people->past->len > 0 || candidate->intended_id != 0)
		return true;
	for (guint i = 0; i < people->ways->len; i++) {
		if (g_array_index(people->ways, struct notice_way, i).broken != 0)
			return true;
	}
	return false;
}

static void plan(struct notice_people *people)
{
	struct notice_candidate *candidate = &people->candidate;

	candidate->person = (struct notice_person){
		.ways = (struct notice_way *)people->ways->data,
		.way_count = people->ways->len,
		.devices = people->devices,
		.past = (struct notice_past *)people->past->data,
		.past_count = people->past->len,
		.attempts = candidate->intended_attempts,
		.attempted = candidate->attempted,
		.exemptions = people->exemptions,
		.exemption_count = people->exemption_count,
	};

	g_array_set_size(people->open, people->ways->len);
	notice_plan(people->edition.policy, &candidate->person, people->now,
		    (uint64_t *)people->open->data, &candidate->plan);
	candidate->user = people->user->str;
	candidate->user_id = people->user_id;
	candidate->open = (uint64_t *)people->open->data;
	candidate->sightings = (struct notice_sighting *)people->sightings->data;
	candidate->intended_message_id = people->intended_message_id->str;
}

/* Returns false to end the iteration. */
static bool end_person(struct notice_people *people)
{
	if (people->ways->len == 0)
		return true;
	if (!store_each_notice(people->store, people->user->str, add_past, people)) {
		people->failed = true;
		return false;
	}
	if (!concerns(people))
		return true;
	plan(people);
	return people->visit(people->context, &people->candidate);
}

static void begin_person(struct notice_people *people, int64_t user_id, const char *user)
{
	people->user_id = user_id;
	g_string_assign(people->user, user);
	people->exemptions =
		exemptions_of_user(people->edition.exemptions, user, &people->exemption_count);
	devices_begin(people->devices);
	g_array_set_size(people->ways, 0);
	g_array_set_size(people->sightings, 0);
	g_array_set_size(people->past, 0);
	g_string_chunk_clear(people->texts);
	people->candidate = (struct notice_candidate){0};
}

bool notice_people_take(struct notice_people *people, const struct store_sighting *sighting)
{
	if (!sighting_is_somebodys(sighting) || sighting->first_seen / 1000 > people->now)
		return true;
	if (sighting->user_id != people->user_id) {
		if (!end_person(people)) {
			people->ended = true;
			return false;
		}
		begin_person(people, sighting->user_id, sighting->user);
	}
	add_sighting(people, sighting);
	return true;
}

void notice_people_join(struct notice_people *people, struct store *store)
{
	people->store = store;
	devices_clear(people->devices);
}

bool notice_people_begin(struct notice_people *people, struct store *store)
{
	notice_people_join(people, store);
	return store_begin_reading(store);
}

static bool visit_sighting(void *context, const struct store_sighting *sighting)
{
	return notice_people_take(context, sighting);
}

struct store_filter notice_people_start(struct notice_people *people, const char *user, time_t now,
					notice_visit_candidate *visit, void *context)
{
	uint64_t untold;

	people->now = now;
	people->strict.at = now;
	people->visit = visit;
	people->context = context;
	people->ended = people->failed = false;
	begin_person(people, STORE_NOBODY, "");
	people->suspects = suspect_habits_find(&people->strict, people->store, &untold);
	return (struct store_filter){.user = user,
				     .verified = true,
				     .names = true,
				     .offenders = user == NULL,
				     .told = user == NULL,
				     .habits = people->suspects};
}

bool notice_people_finish(struct notice_people *people, bool read)
{
	g_clear_pointer(&people->suspects, g_free);
	if (!read)
		return false;
	if (!people->ended)
		end_person(people);
	begin_person(people, STORE_NOBODY, "");
	return !people->failed;
}

bool notice_people_each(struct notice_people *people, const char *user, time_t now,
			notice_visit_candidate *visit, void *context)
{
	const struct store_filter filter = notice_people_start(people, user, now, visit, context);

	return notice_people_finish(
		people, store_each_sighting(people->store, &filter, visit_sighting, people));
}
