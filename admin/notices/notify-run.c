#include "notify-run.h"

#include <string.h>
#include <sysexits.h>

#include "admin/delivery/message-id.h"
#include "admin/store/rule-titles.h"
#include "admin/terminal/progress.h"
#include "admin/terminal/stop-signal.h"

/* So many people are looked at in one view of the store. */
#define PEOPLE_A_VIEW 250

/* How long to try to note what came of a mail; and after a signal. */
#define RESULT_MICROSECONDS (10 * G_TIME_SPAN_MINUTE)
#define RESULT_STOPPED_MICROSECONDS (30 * G_TIME_SPAN_SECOND)

struct run {
	const struct notify_setup *setup;
	struct notify_results *results;
	struct progress progress;
	unsigned int sampled;  /* a bit for each reason that there was a mail for */
	uint64_t left_in_hour; /* so many mails may leave before they are counted anew */
};

static void clear_trouble(gpointer trouble)
{
	g_free(((struct notify_trouble *)trouble)->user);
	g_free(((struct notify_trouble *)trouble)->text);
}

static time_t now_of(const struct run *run)
{
	return run_clock_now(&run->setup->clock);
}

static void __attribute__((format(printf, 3, 4))) end_early(struct run *run, enum notify_stop stop,
							    const char *format, ...)
{
	va_list arguments;

	run->results->stop = stop;
	g_free(run->results->error);
	va_start(arguments, format);
	run->results->error = g_strdup_vprintf(format, arguments);
	va_end(arguments);
}

int notify_store_status(const struct store_failure *failure)
{
	return failure->status == EX_TEMPFAIL ? EX_UNAVAILABLE : failure->status;
}

static bool end_with_store(struct run *run, const struct store *store)
{
	end_early(run, NOTIFY_STORE_FAILED, "%s", store_failure(store)->text);
	run->results->store_status = notify_store_status(store_failure(store));
	return false;
}

/* ---- recording ---- */

/* Whether no other run can have begun meanwhile; otherwise it is the end of this one. */
static bool is_alone(struct run *run)
{
	struct store *writer = run->setup->writer;

	return writer == NULL || store_holds_notices(writer) || end_with_store(run, writer);
}

static bool try_to_put(struct store *writer, struct store_notice *notice)
{
	if (!store_begin(writer))
		return false;
	if (store_put_notice(writer, notice))
		return store_commit(writer);
	store_rollback(writer);
	return false;
}

static bool put(struct run *run, struct store_notice *notice)
{
	struct store *writer = run->setup->writer;

	return writer == NULL || try_to_put(writer, notice) || end_with_store(run, writer);
}

/* What came of a mail: unless that is known, it is sent once more. So a server that is away is
   waited for. */
static bool put_result(struct run *run, struct store_notice *notice)
{
	struct store *writer = run->setup->writer;
	gint64 begun = g_get_monotonic_time();

	while (writer != NULL && !try_to_put(writer, notice)) {
		const struct store_failure *failure = store_failure(writer);
		gint64 waited = g_get_monotonic_time() - begun;

		if ((!failure->away && !failure->again) ||
		    waited >= (stop_signal ? RESULT_STOPPED_MICROSECONDS : RESULT_MICROSECONDS))
			return end_with_store(run, writer);
		g_usleep(G_USEC_PER_SEC / 2);
	}
	return true;
}

/* Records that all is well again with some rules. */
static bool note_fixed(struct run *run, const struct notice_candidate *candidate, time_t now)
{
	char *titles = rule_titles_format(run->setup->policy, candidate->plan.fixed);
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
static bool withdraw(struct run *run, const struct notice_candidate *candidate, time_t now)
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
		.error = "no longer needed",
	};

	return put(run, &notice);
}

/* ---- one person ---- */

static void add_trouble(struct run *run, const char *user, const char *text)
{
	struct notify_trouble trouble;

	if (run->results->troubles->len >= NOTIFY_TROUBLES_MAX)
		return;
	trouble = (struct notify_trouble){g_strdup(user), g_strdup(text)};
	g_array_append_val(run->results->troubles, trouble);
}

/* Counts what became of a mail, and sets it for the store. */
static void settle(struct run *run, struct store_notice *notice, enum hand_over result,
		   const char *error)
{
	notice->in_hand = false;
	notice->settled = (int64_t)now_of(run) * 1000;
	notice->error = result == HAND_OVER_TAKEN ? "" : error;
	switch (result) {
	case HAND_OVER_TAKEN:
		notice->state = NOTICE_HANDED_OVER;
		run->results->told[notice->reason]++;
		break;
	case HAND_OVER_REFUSED:
		notice->state = NOTICE_FAILED;
		run->results->refused++;
		break;
	case HAND_OVER_LATER:
	case HAND_OVER_UNKNOWN:
	case HAND_OVER_UNAVAILABLE:
		notice->settled = 0;
		run->results->later++;
		break;
	}
	if (result != HAND_OVER_TAKEN)
		add_trouble(run, notice->user, error);
}

/* False ends the run. */
static bool hand_over(struct run *run, struct store_notice *notice, const char *mail, size_t length)
{
	const struct notify_setup *setup = run->setup;
	const char *error = "";
	enum hand_over result;

	run->results->tried++;
	run->sampled |= 1U << notice->reason;
	result = notice_transport_hand_over(setup->transport, setup->policy->notices.from,
					    notice->recipient, mail, length, &error);
	settle(run, notice, result, error);
	if (!put_result(run, notice))
		return false;
	if (result == HAND_OVER_UNAVAILABLE)
		end_early(run, NOTIFY_UNAVAILABLE, "%s", error);
	return result != HAND_OVER_UNAVAILABLE;
}

/* Intends, hands over, and records what came of it. False ends the run. */
static bool send_mail(struct run *run, const struct notice_candidate *candidate,
		      const char *recipient, time_t now)
{
	const struct notify_setup *setup = run->setup;
	char message_id[MESSAGE_ID_SIZE];
	struct store_notice notice = {
		.id = candidate->intended_id,
		.user = candidate->user,
		.message_id = message_id,
		.recipient = recipient,
		.reason = candidate->plan.reason,
		.state = NOTICE_INTENDED,
		.intended = (int64_t)now * 1000,
		.attempts = candidate->intended_attempts + 1,
		.error = "",
		.in_hand = true,
	};
	uint64_t told = notice_plan_told(&candidate->plan);
	char *titles, *dates, *mail;
	const char *error;
	size_t length;
	bool go_on;

	if (notice.id != 0 && setup->to == NULL)
		g_strlcpy(message_id, candidate->intended_message_id, sizeof(message_id));
	else
		message_id_make(setup->policy->notices.from, message_id);
	mail = candidate_mail(setup->composer, setup->policy, candidate, recipient, message_id, now,
			      &length, &error);
	if (mail == NULL) {
		add_trouble(run, candidate->user, error);
		run->results->refused++;
		return true;
	}
	titles = rule_titles_format(setup->policy, told);
	dates = rule_dates_format(setup->policy, told, candidate->plan.enforce);
	notice.rules = titles;
	/* Good news is of no date. */
	notice.dates = notice.reason == NOTICE_FIXED ? "" : dates;
	go_on = put(run, &notice) && is_alone(run) && hand_over(run, &notice, mail, length);
	g_free(mail);
	g_free(titles);
	g_free(dates);
	return go_on;
}

/* False ends the run. */
static bool write_to(struct run *run, const struct notice_candidate *candidate, time_t now)
{
	const struct notify_setup *setup = run->setup;
	char address[MAIL_ADDRESS_SIZE];
	const char *error;
	enum address_found found =
		address_map_find(setup->addresses, candidate->user, address, &error);

	switch (found) {
	case ADDRESS_FOUND:
		return send_mail(run, candidate, setup->to == NULL ? address : setup->to, now);
	case ADDRESS_NONE:
	case ADDRESS_OUTSIDE:
		run->results->without_address += found == ADDRESS_NONE;
		run->results->outside += found == ADDRESS_OUTSIDE;
		run->results->unreachable +=
			candidate->plan.untold != 0 && !notice_is_untold(&candidate->plan);
		add_trouble(run, candidate->user, address_found_text(found));
		break;
	case ADDRESS_FAILED:
		end_early(run, NOTIFY_UNAVAILABLE, "%s", error);
		return false;
	}
	return true;
}

struct turn {
	struct run *run;
	bool go_on;
	bool mailed; /* or it was tried */
};

static bool take_turn(void *context, const struct notice_candidate *candidate)
{
	struct turn *turn = context;
	struct run *run = turn->run;
	const struct notice_plan *plan = &candidate->plan;
	time_t now = now_of(run);

	if (plan->waits)
		return false;
	if (candidate->in_hand) {
		run->results->later++;
		add_trouble(run, candidate->user,
			    "the run of another host, which did not end, may be sending it");
		turn->mailed = true;
		return false;
	}
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
static bool count_hour(struct run *run)
{
	struct store *store = run->setup->writer;
	unsigned int limit = run->setup->policy->notices.max_per_hour;
	time_t now = now_of(run);
	uint64_t count;

	run->left_in_hour = UINT64_MAX;
	if (limit == 0 || store == NULL)
		return true;
	if (!store_count_notices(store, (int64_t)(now - 3600) * 1000, (int64_t)now * 1000, &count))
		return end_with_store(run, store);
	run->left_in_hour = count >= limit ? 0 : limit - count;
	return true;
}

/* Whether another mail may leave; otherwise it is the end of the run. */
static bool may_go_on(struct run *run)
{
	const struct notice_settings *settings = &run->setup->policy->notices;
	struct notify_results *results = run->results;

	if (stop_signal) {
		results->stop = NOTIFY_INTERRUPTED;
	} else if (settings->max_per_run > 0 && results->tried >= settings->max_per_run) {
		results->stop = NOTIFY_MAX_PER_RUN;
	} else if (run->setup->to == NULL &&
		   quiet_hours_contain(&settings->quiet_hours, now_of(run))) {
		results->stop = NOTIFY_QUIET_HOURS;
	} else {
		if (run->left_in_hour == 0 && !count_hour(run))
			return false;
		if (run->left_in_hour > 0)
			return true;
		results->stop = NOTIFY_MAX_PER_HOUR;
	}
	return false;
}

/* A new view, so that the log of the store does not grow for the whole run. */
static bool renew_view(struct run *run, size_t number)
{
	struct store *reader = run->setup->reader;

	if (number % PEOPLE_A_VIEW != 0)
		return true;
	if (number > 0 && !store_commit(reader))
		return end_with_store(run, reader);
	return notice_people_begin(run->setup->people, reader) || end_with_store(run, reader);
}

/* False ends the run. */
static bool go_to(struct run *run, const struct due_entry *entry)
{
	struct turn turn = {.run = run, .go_on = true};

	if (entry->mail && run->setup->samples && (run->sampled & 1U << entry->reason) != 0) {
		run->results->not_sampled++;
		return true;
	}
	if (!notice_people_each(run->setup->people, entry->user, now_of(run), take_turn, &turn))
		return end_with_store(run, run->setup->reader);
	if (!turn.go_on)
		return false;
	/* 0: it became due only now, unasked. */
	if (turn.mailed && run->left_in_hour > 0 && run->left_in_hour < UINT64_MAX)
		run->left_in_hour--;
	run->results->overtaken += entry->mail && !turn.mailed;
	progress_add(&run->progress, 1);
	return true;
}

void notify_run(const struct notify_setup *setup, const struct due_list *list,
		struct notify_results *results_r)
{
	struct run run = {.setup = setup, .results = results_r};
	size_t length = due_list_length(list);

	*results_r = (struct notify_results){
		.before = *due_list_counts(list),
		.troubles = g_array_new(FALSE, FALSE, sizeof(struct notify_trouble)),
	};
	g_array_set_clear_func(results_r->troubles, clear_trouble);
	progress_begin(&run.progress, length);
	for (size_t i = 0; i < length; i++) {
		const struct due_entry *entry = due_list_entry(list, i);

		if ((entry->mail && !may_go_on(&run)) || !is_alone(&run) || !renew_view(&run, i) ||
		    !go_to(&run, entry))
			break;
	}
	progress_clear(&run.progress);
	store_rollback(setup->reader);
}

void notify_results_clear(struct notify_results *results)
{
	g_array_unref(results->troubles);
	g_free(results->error);
}
