#include "user-portrait.h"

#include <string.h>

#include "admin/exemptions/own-date.h"
#include "admin/terminal/display.h"

/* ---- dates ---- */

time_t user_grace_end(const struct user_portrait *portrait, const struct rule *rule)
{
	time_t enforce = rule->schedule.enforce;
	time_t end = exemptions_end(portrait->grace, portrait->grace_count, rule, NULL, enforce);

	return end > enforce && end > portrait->at ? end : 0;
}

/* When a rule will hold for the user's clients in a country, or has begun to. */
static time_t date_for_user(const struct user_portrait *portrait, const struct rule *rule,
			    const struct country *country, bool *exempted_r)
{
	return own_date(portrait->exemptions, portrait->exemption_count, rule, country,
			user_grace_end(portrait, rule), portrait->at, exempted_r);
}

bool user_is_exempt(const struct user_portrait *portrait, const struct rule *rule,
		    const struct country *country, time_t *end_r)
{
	bool exempted;

	*end_r = date_for_user(portrait, rule, country, &exempted);
	if (exempted)
		return true;
	*end_r = exemptions_end(portrait->exemptions, portrait->exemption_count, rule, country,
				portrait->at);
	return *end_r > portrait->at;
}

static bool is_refused(const struct user_portrait *portrait, const struct user_way *way)
{
	const struct rule *rules = portrait->edition.policy->rules;

	for (uint64_t left = way->verdict.broken; left != 0; left &= left - 1) {
		const struct rule *rule = &rules[__builtin_ctzll(left)];

		if (schedule_phase(&rule->schedule, portrait->at) == PHASE_ENFORCE)
			return true;
	}
	return false;
}

enum user_way_fate user_way_fate(const struct user_portrait *portrait, const struct user_way *way,
				 time_t *end_r)
{
	uint64_t rules = way->verdict.broken | way->verdict.exempt;
	time_t first = SCHEDULE_NEVER;
	bool first_exempted = false;

	if (rules == 0)
		return USER_WAY_FINE;
	if (is_refused(portrait, way))
		return USER_WAY_REFUSED;
	for (uint64_t left = rules; left != 0; left &= left - 1) {
		const struct rule *rule = &portrait->edition.policy->rules[__builtin_ctzll(left)];
		bool exempted;
		time_t date = date_for_user(portrait, rule, &way->verdict.country, &exempted);

		if (date < first) {
			first = date;
			first_exempted = exempted;
		}
	}
	if (first == SCHEDULE_NEVER)
		return USER_WAY_UNDATED;
	if (first_exempted)
		return USER_WAY_EXEMPT;
	*end_r = first;
	return USER_WAY_ENDS;
}

/* ---- brown-outs ---- */

static bool is_same_day(time_t one, time_t other)
{
	char day[ISO_DAY_TEXT_SIZE], other_day[ISO_DAY_TEXT_SIZE];

	return strcmp(iso_day_format(one, day), iso_day_format(other, other_day)) == 0;
}

struct user_brownouts user_brownouts_find(const struct schedule *schedule, time_t at)
{
	struct user_brownouts found = {.present = schedule_brownout(schedule, at)};

	for (size_t i = 0; i < schedule->brownout_count; i++) {
		const struct brownout *brownout = &schedule->brownouts[i];

		/* In another phase, it is none. */
		if (schedule_brownout(schedule, brownout->begin) == NULL)
			continue;
		if (brownout->begin > at) {
			if (found.next == NULL || brownout->begin < found.next->begin)
				found.next = brownout;
		} else if (brownout->end <= at && is_same_day(brownout->end - 1, at) &&
			   (found.last == NULL || brownout->end > found.last->end)) {
			found.last = brownout;
		}
	}
	return found;
}

/* ---- servers ---- */

static void add_server(struct user_portrait *portrait, const char *service, const char *name,
		       uint16_t port)
{
	if (name != NULL)
		portrait->servers[portrait->server_count++] = (struct user_server){
			.service = service,
			.name = name,
			.port = port,
			.implicit_tls = policy_port_is_implicit_tls(portrait->edition.policy, port),
		};
}

static void find_servers(struct user_portrait *portrait)
{
	const struct policy *policy = portrait->edition.policy;
	const struct client_settings *settings = &policy->client_settings;

	if (!policy_retires_service(policy, SERVICE_IMAP))
		add_server(portrait, "IMAP", settings->imap_server, settings->imap_port);
	if (!policy_retires_service(policy, SERVICE_POP3))
		add_server(portrait, "POP3", settings->pop3_server, settings->pop3_port);
	add_server(portrait, "SMTP", settings->smtp_server, settings->smtp_port);
}

/* ---- the whole ---- */

static void clear_notice(gpointer notice)
{
	g_free(((struct user_notice *)notice)->rules);
}

static bool add_notice(void *context, const struct store_notice *notice)
{
	const struct user_notice user_notice = {
		.reason = notice->reason,
		.state = notice->state,
		.time = store_notice_time(notice),
		.rules = g_strdup(notice->rules),
	};

	g_array_append_val((GArray *)context, user_notice);
	return true;
}

static bool find_ways(struct user_portrait *portrait, const struct inquiry *inquiry)
{
	struct sighting_judge judge;
	int64_t now;

	if (!inquiry_reference(inquiry, &now))
		return false;

	sighting_judge_init(&judge, &portrait->edition, portrait->at, true);
	portrait->ways = user_ways_find(inquiry->store, &judge, portrait->user, portrait->grouped);
	if (portrait->ways == NULL)
		return false;
	portrait->devices = user_devices_find(portrait->ways, portrait->grouped, now);
	for (guint i = 0; i < portrait->ways->len; i++) {
		const struct user_way *way = &g_array_index(portrait->ways, struct user_way, i);

		*(way->verified ? &portrait->rules : &portrait->strangers_rules) |=
			way->verdict.broken | way->verdict.exempt;
	}
	portrait->strangers_rules &= ~portrait->rules;
	return true;
}

bool user_portrait_draw(struct user_portrait *portrait_r, const struct inquiry *inquiry,
			const char *user, time_t at)
{
	*portrait_r = (struct user_portrait){
		.at = at,
		.edition = loaded_edition(&inquiry->loaded),
		.notices = g_array_new(FALSE, FALSE, sizeof(struct user_notice)),
		.grouped = devices_create(),
	};
	g_array_set_clear_func(portrait_r->notices, clear_notice);
	user_normalise(user, portrait_r->edition.policy->default_domain, portrait_r->user,
		       sizeof(portrait_r->user));
	portrait_r->exemptions = exemptions_of_user(portrait_r->edition.exemptions,
						    portrait_r->user, &portrait_r->exemption_count);
	portrait_r->grace = exemptions_of_user(portrait_r->edition.grace, portrait_r->user,
					       &portrait_r->grace_count);
	find_servers(portrait_r);
	return find_ways(portrait_r, inquiry) &&
	       store_each_notice(inquiry->store, portrait_r->user, add_notice, portrait_r->notices);
}

void user_portrait_clear(struct user_portrait *portrait)
{
	if (portrait->ways != NULL)
		g_array_unref(portrait->ways);
	if (portrait->devices != NULL)
		g_array_unref(portrait->devices);
	devices_free(portrait->grouped);
	g_array_free(portrait->notices, TRUE);
}
