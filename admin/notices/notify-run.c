#include "notify-run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/delivery/message-id.h"
#include "admin/store/rule-titles.h"
#include "admin/terminal/stop-signal.h"

/* So many people are looked at in one view of the store. */
#define PEOPLE_A_VIEW 250

/* Someone to be written to, or about whom something is to be recorded. */
struct notify_entry {
	const char *user;
	time_t first_date;
	uint64_t rules;
	enum notice_reason reason;
	bool mail;
};

static time_t monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void clear_trouble(gpointer trouble)
{
	g_free(((struct notify_trouble *)trouble)->user);
	g_free(((struct notify_trouble *)trouble)->text);
}

void notify_run_init(struct notify_run *run)
{
	run->started = monotonic_seconds();
	run->stop = NOTIFY_DONE;
	run->counts = (struct notify_counts){0};
	run->tried = 0;
	run->troubles = g_array_new(FALSE, FALSE, sizeof(struct notify_trouble));
	g_array_set_clear_func(run->troubles, clear_trouble);
	run->error = NULL;
	run->entries = g_array_new(FALSE, FALSE, sizeof(struct notify_entry));
	run->names = g_string_chunk_new(65536);
}

void notify_run_clear(struct notify_run *run)
{
	g_array_unref(run->troubles);
	g_array_unref(run->entries);
	g_string_chunk_free(run->names);
	g_free(run->error);
}

time_t notify_run_now(const struct notify_run *run)
{
	return run->begin + (monotonic_seconds() - run->started);
}

static void __attribute__((format(printf, 3, 4))) end_early(struct notify_run *run,
							    enum notify_stop stop,
							    const char *format, ...)
{
	va_list arguments;

	run->stop = stop;
	g_free(run->error);
	va_start(arguments, format);
	run->error = g_strdup_vprintf(format, arguments);
	va_end(arguments);
}

static bool end_with_store(struct notify_run *run, const struct store *store)
{
	end_early(run, NOTIFY_STORE_FAILED, "%s", store_failure(store)->text);
	run->store_status = store_failure(store)->status;
	return false;
}

/* ---- planning ---- */

static bool has_news(const struct notice_candidate *candidate)
{
	return candidate->plan.fixed != 0 || candidate->intended_id != 0;
}

static bool add_entry(void *context, const struct notice_candidate *candidate)
{
	struct notify_run *run = context;
	const struct notice_plan *plan = &candidate->plan;
	struct notify_entry entry = {
		.first_date = plan->first_date,
		.rules = notice_plan_told(plan),
		.reason = plan->reason,
		.mail = plan->due,
	};

	if (plan->rules != 0) {
		run->counts.open++;
		run->counts.open_told += candidate->told;
		for (uint64_t left = plan->rules; left != 0; left &= left - 1)
			run->counts.open_by_rule[__builtin_ctzll(left)]++;
	}
	if (!plan->due && !has_news(candidate))
		return true;
	entry.user = g_string_chunk_insert(run->names, candidate->user);
	g_array_append_val(run->entries, entry);
	run->counts.due += plan->due;
	return true;
}

/* What is only recorded comes first, good news last; between them the person whose
   access ends the soonest. */
static int compare_entries(gconstpointer one, gconstpointer other)
{
	const struct notify_entry *a = one, *b = other;
	bool a_fixed = a->mail && a->reason == NOTICE_FIXED;
	bool b_fixed = b->mail && b->reason == NOTICE_FIXED;

	if (a->mail != b->mail)
		return a->mail ? 1 : -1;
	if (a_fixed != b_fixed)
		return a_fixed ? 1 : -1;
	if ((a->reason == NOTICE_REFUSED) != (b->reason == NOTICE_REFUSED))
		return a->reason == NOTICE_REFUSED ? -1 : 1;
	if (a->first_date != b->first_date)
		return a->first_date < b->first_date ? -1 : 1;
	return strcmp(a->user, b->user);
}

bool notify_run_plan(struct notify_run *run)
{
	if (!notice_people_begin(run->people, run->reader))
		return end_with_store(run, run->reader);
	if (!notice_people_each(run->people, NULL, notify_run_now(run), add_entry, run)) {
		store_rollback(run->reader);
		return end_with_store(run, run->reader);
	}
	g_array_sort(run->entries, compare_entries);
	return store_commit(run->reader) || end_with_store(run, run->reader);
}

void notify_run_each_due(struct notify_run *run, notify_visit_due *visit, void *context)
{
	for (guint i = 0; i < run->entries->len; i++) {
		const struct notify_entry *entry =
			&g_array_index(run->entries, struct notify_entry, i);
		char address[MAIL_ADDRESS_SIZE];
		const char *error;
		struct notify_due due = {.user = entry->user,
					 .reason = entry->reason,
					 .rules = entry->rules,
					 .first_date = entry->first_date};

		if (!entry->mail)
			continue;
		switch (address_map_find(run->addresses, entry->user, address, &error)) {
		case ADDRESS_FOUND:
			due.address = address;
			break;
		case ADDRESS_NONE:
			break;
		case ADDRESS_FAILED:
			end_early(run, NOTIFY_UNAVAILABLE, "address-map: %s", error);
			break;
		}
		visit(context, &due);
	}
}

/* ---- composing ---- */

/* Midnight at the begin of an exemption's last day. */
static time_t last_day(time_t end)
{
	time_t last = end - 1;
	struct tm day;

	if (end == 0 || localtime_r(&last, &day) == NULL)
		return 0;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	return mktime(&day);
}

char *notify_compose(struct notice_composer *composer, const struct notice_candidate *candidate,
		     const char *recipient, const char *message_id, time_t now, size_t *length_r,
		     const char **error_r)
{
	const struct notice_plan *plan = &candidate->plan;
	struct notice notice = {
		.reason = plan->reason,
		.recipient = recipient,
		.user = candidate->user,
		.message_id = message_id,
		.date = now,
		.exempt_until = last_day(plan->exempt_until),
	};

	notice.rules =
		notice_candidate_rules(candidate, notice_plan_told(plan), now, &notice.rule_count);
	return notice_compose(composer, &notice, length_r, error_r);
}

/* ---- recording ---- */

static bool put(struct notify_run *run, struct store_notice *notice)
{
	if (run->writer == NULL)
		return true;
	if (!store_begin(run->writer))
		return end_with_store(run, run->writer);
	if (!store_put_notice(run->writer, notice)) {
		store_rollback(run->writer);
		return end_with_store(run, run->writer);
	}
	return store_commit(run->writer) || end_with_store(run, run->writer);
}

/* Records that all is well again with some rules. */
static bool note_fixed(struct notify_run *run, const struct notice_candidate *candidate, time_t now)
{
	char *titles = rule_titles_format(run->policy, candidate->plan.fixed);
	struct store_notice notice = {
		.user = candidate->user,
		.recipient = "",
		.message_id = "",
		.reason = NOTICE_FIXED,
		.rules = titles,
		.state = NOTICE_NOTED,
		.intended = (int64_t)now * 1000,
		.settled = (int64_t)now * 1000,
		.error = "",
	};
	bool fine = put(run, &notice);

	g_free(titles);
	return fine;
}

/* Something was intended, and is not needed any more. */
static bool withdraw(struct notify_run *run, const struct notice_candidate *candidate, time_t now)
{
	struct store_notice notice = {
		.id = candidate->intended_id,
		.user = candidate->user,
		.recipient = "",
		.message_id = candidate->intended_message_id,
		.reason = NOTICE_FIRST,
		.rules = "",
		.state = NOTICE_NOTED,
		.intended = (int64_t)now * 1000,
		.settled = (int64_t)now * 1000,
		.attempts = candidate->intended_attempts,
		.error = "not needed any more",
	};

	return put(run, &notice);
}

static void add_trouble(struct notify_run *run, const char *user, const char *text)
{
	struct notify_trouble trouble;

	if (run->troubles->len >= NOTIFY_TROUBLES_MAX)
		return;
	trouble = (struct notify_trouble){g_strdup(user), g_strdup(text)};
	g_array_append_val(run->troubles, trouble);
}

/* ---- one person ---- */

static bool hand_over(struct notify_run *run, struct store_notice *notice, const char *mail,
		      size_t length)
{
	const char *error = "";
	enum hand_over result;

	run->tried++;
	result = notice_transport_hand_over(run->transport, run->policy->notices.from,
					    notice->recipient, mail, length, &error);
	notice->settled = (int64_t)notify_run_now(run) * 1000;
	notice->error = result == HAND_OVER_TAKEN ? "" : error;
	switch (result) {
	case HAND_OVER_TAKEN:
		notice->state = NOTICE_HANDED_OVER;
		run->counts.told[notice->reason]++;
		break;
	case HAND_OVER_REFUSED:
		notice->state = NOTICE_FAILED;
		run->counts.refused++;
		break;
	case HAND_OVER_LATER:
	case HAND_OVER_UNKNOWN:
	case HAND_OVER_UNAVAILABLE:
		notice->settled = 0;
		run->counts.later++;
		break;
	}
	if (result != HAND_OVER_TAKEN)
		add_trouble(run, notice->user, error);
	if (!put(run, notice))
		return false;
	if (result == HAND_OVER_UNAVAILABLE) {
		end_early(run, NOTIFY_UNAVAILABLE, "%s", error);
		return false;
	}
	return true;
}

/* Intends, hands over, and records what came of it. False ends the run. */
static bool write_to(struct notify_run *run, const struct notice_candidate *candidate, time_t now)
{
	const struct notice_plan *plan = &candidate->plan;
	char address[MAIL_ADDRESS_SIZE], message_id[MESSAGE_ID_SIZE];
	struct store_notice notice = {
		.id = candidate->intended_id,
		.user = candidate->user,
		.message_id = message_id,
		.recipient = run->to == NULL ? address : run->to,
		.reason = plan->reason,
		.state = NOTICE_INTENDED,
		.intended = (int64_t)now * 1000,
		.attempts = candidate->intended_attempts + 1,
		.error = "",
	};
	char *titles = NULL, *mail = NULL;
	const char *error;
	size_t length;
	bool go_on = true;

	switch (address_map_find(run->addresses, candidate->user, address, &error)) {
	case ADDRESS_FOUND:
		break;
	case ADDRESS_NONE:
		run->counts.without_address++;
		add_trouble(run, candidate->user, "there is no address for this user");
		return true;
	case ADDRESS_FAILED:
		end_early(run, NOTIFY_UNAVAILABLE, "address-map: %s", error);
		return false;
	}
	if (notice.id != 0 && run->to == NULL)
		g_strlcpy(message_id, candidate->intended_message_id, sizeof(message_id));
	else
		message_id_make(run->policy->notices.from, message_id);
	mail = notify_compose(run->composer, candidate, notice.recipient, message_id, now, &length,
			      &error);
	if (mail == NULL) {
		add_trouble(run, candidate->user, error);
		run->counts.refused++;
		return true;
	}
	titles = rule_titles_format(run->policy, notice_plan_told(plan));
	notice.rules = titles;
	go_on = put(run, &notice) && hand_over(run, &notice, mail, length);
	free(mail);
	g_free(titles);
	return go_on;
}

struct turn {
	struct notify_run *run;
	bool go_on;
	bool mailed; /* or it was tried */
};

static bool take_turn(void *context, const struct notice_candidate *candidate)
{
	struct turn *turn = context;
	struct notify_run *run = turn->run;
	const struct notice_plan *plan = &candidate->plan;
	time_t now = notify_run_now(run);

	if (plan->fixed != 0 && (!plan->due || plan->reason != NOTICE_FIXED))
		turn->go_on = note_fixed(run, candidate, now);
	if (turn->go_on && !plan->due && candidate->intended_id != 0)
		turn->go_on = withdraw(run, candidate, now);
	if (turn->go_on && plan->due) {
		turn->mailed = true;
		turn->go_on = write_to(run, candidate, now);
	}
	return false;
}

/* ---- the run ---- */

/* How many mails may still leave in this hour. */
static bool count_hour(struct notify_run *run, uint64_t *left_r)
{
	const struct store *store = run->writer;
	unsigned int limit = run->policy->notices.max_per_hour;
	time_t now = notify_run_now(run);
	uint64_t count;

	*left_r = UINT64_MAX;
	if (limit == 0 || store == NULL)
		return true;
	if (!store_count_notices(run->writer, (int64_t)(now - 3600) * 1000, (int64_t)now * 1000,
				 &count))
		return end_with_store(run, store);
	*left_r = count >= limit ? 0 : limit - count;
	return true;
}

static bool may_go_on(struct notify_run *run, uint64_t *hour)
{
	const struct notice_settings *settings = &run->policy->notices;

	if (stop_signal) {
		run->stop = NOTIFY_INTERRUPTED;
	} else if (settings->max_per_run > 0 && run->tried >= settings->max_per_run) {
		run->stop = NOTIFY_MAX_PER_RUN;
	} else if (run->to == NULL &&
		   quiet_hours_contain(&settings->quiet_hours, notify_run_now(run))) {
		run->stop = NOTIFY_QUIET_HOURS;
	} else {
		if (*hour == 0 && !count_hour(run, hour))
			return false;
		if (*hour > 0)
			return true;
		run->stop = NOTIFY_MAX_PER_HOUR;
	}
	return false;
}

/* A new view, so that the log of the store does not grow for the whole run. */
static bool renew_view(struct notify_run *run, guint number)
{
	if (number % PEOPLE_A_VIEW != 0)
		return true;
	if (number > 0 && !store_commit(run->reader))
		return end_with_store(run, run->reader);
	return notice_people_begin(run->people, run->reader) || end_with_store(run, run->reader);
}

void notify_run_send(struct notify_run *run)
{
	uint64_t hour = 0;

	progress_begin(&run->progress, run->entries->len);
	for (guint i = 0; i < run->entries->len; i++) {
		const struct notify_entry *entry =
			&g_array_index(run->entries, struct notify_entry, i);
		struct turn turn = {.run = run, .go_on = true};

		if ((entry->mail && !may_go_on(run, &hour)) || !renew_view(run, i))
			break;
		if (!notice_people_each(run->people, entry->user, notify_run_now(run), take_turn,
					&turn)) {
			end_with_store(run, run->reader);
			break;
		}
		if (!turn.go_on)
			break;
		hour -= turn.mailed && hour < UINT64_MAX;
		run->counts.overtaken += entry->mail && !turn.mailed;
		progress_add(&run->progress, 1);
	}
	progress_clear(&run->progress);
	store_rollback(run->reader);
}

bool notify_run_tell_operator(struct notify_run *run, const char *subject, const char *text)
{
	const struct notice_settings *settings = &run->policy->notices;
	const char *recipient = settings->reply_to == NULL ? settings->from : settings->reply_to;
	char message_id[MESSAGE_ID_SIZE];
	const char *error = "";
	size_t length;
	char *mail;
	bool fine;

	if (run->to != NULL)
		recipient = run->to;
	message_id_make(settings->from, message_id);
	mail = notice_compose_plain(run->composer, recipient, message_id, notify_run_now(run),
				    subject, text, &length, &error);
	fine = mail != NULL && notice_transport_hand_over(run->transport, settings->from, recipient,
							  mail, length, &error) == HAND_OVER_TAKEN;
	if (!fine)
		fprintf(stderr, "portcullis notify: the summary did not get to %s: %s\n", recipient,
			error);
	free(mail);
	return fine;
}
