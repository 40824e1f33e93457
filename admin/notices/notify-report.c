#include "notify-report.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/delivery/message-id.h"
#include "admin/sightings/harmless-text.h"

#define USER_CHARACTERS 80
#define TROUBLE_CHARACTERS 300

static uint64_t count_told(const struct notify_results *results)
{
	uint64_t told = 0;

	for (size_t i = 0; i < NOTICE_REASON_COUNT; i++)
		told += results->told[i];
	return told;
}

static void add_number(GString *text, const char *title, uint64_t number)
{
	if (number > 0)
		g_string_append_printf(text, "%-34s %8" PRIu64 "\n", title, number);
}

static void add_told(GString *text, const struct notify_results *results)
{
	static const char *const titles[NOTICE_REASON_COUNT] = {
		[NOTICE_FIRST] = "  for the first time",
		[NOTICE_REMINDER] = "  reminded",
		[NOTICE_LAST_CALL] = "  last calls",
		[NOTICE_MOVED] = "  of a date that moved",
		[NOTICE_BROWNOUT] = "  of a brown-out",
		[NOTICE_REFUSED] = "  after a refused login",
		[NOTICE_FIXED] = "  that all is well again",
	};

	g_string_append_printf(text, "%-34s %8" PRIu64 "\n", "Told", count_told(results));
	for (size_t i = 0; i < NOTICE_REASON_COUNT; i++)
		add_number(text, titles[i], results->told[i]);
}

/* Why the run did not get to everybody. */
static const char *stop_reason(enum notify_stop stop)
{
	switch (stop) {
	case NOTIFY_MAX_PER_RUN:
		return "max-per-run is reached";
	case NOTIFY_MAX_PER_HOUR:
		return "max-per-hour is reached";
	case NOTIFY_QUIET_HOURS:
		return "the quiet hours have begun";
	case NOTIFY_UNAVAILABLE:
		return "mail cannot be sent";
	case NOTIFY_INTERRUPTED:
		return "the run was interrupted";
	case NOTIFY_STORE_FAILED:
		return "the store failed";
	case NOTIFY_DONE:
		break;
	}
	return NULL;
}

static void add_rest(GString *text, const struct notify_results *results)
{
	uint64_t done = count_told(results) + results->refused + results->later +
			results->without_address + results->outside + results->not_sampled +
			results->overtaken;
	const char *reason = stop_reason(results->stop);

	add_number(text, "Refused for good", results->refused);
	add_number(text, "Not taken now, to be tried again", results->later);
	add_number(text, "Waiting for their mailboxes", results->before.waiting);
	add_number(text, "Without an address", results->without_address);
	add_number(text, "In no domain that is written to", results->outside);
	add_number(text, "Like one of these, and not sent", results->not_sampled);
	if (results->before.due > done)
		add_number(text, "Left for the next run", results->before.due - done);
	if (reason != NULL)
		g_string_append_printf(text, "  because %s%s%s\n", reason,
				       results->error == NULL ? "" : ": ",
				       results->error == NULL ? "" : results->error);
}

static void add_troubles(GString *text, const struct notify_results *results)
{
	uint64_t all =
		results->refused + results->later + results->without_address + results->outside;

	if (results->troubles->len == 0)
		return;
	g_string_append(text, "\nNot told:\n");
	for (guint i = 0; i < results->troubles->len; i++) {
		const struct notify_trouble *trouble =
			&g_array_index(results->troubles, struct notify_trouble, i);
		char *user = harmless_text(trouble->user, USER_CHARACTERS);
		char *why = harmless_text(trouble->text, TROUBLE_CHARACTERS);

		g_string_append_printf(text, "  %s: %s\n", user, why);
		g_free(user);
		g_free(why);
	}
	if (all > results->troubles->len)
		g_string_append_printf(text, "  and %" PRIu64 " more\n",
				       all - results->troubles->len);
}

/* What somebody else has to do. */
static void add_help_wanted(GString *text, const struct notify_results *results)
{
	uint64_t untold = results->before.untold + results->unreachable;

	if (untold > 0)
		g_string_append_printf(text,
				       "%" PRIu64 " cannot be told, or not in time: see "
				       "\"portcullis notify --untold\".\n",
				       untold);
	if (results->before.to_call > 0)
		g_string_append_printf(text,
				       "%" PRIu64 " changed nothing after many mails: see "
				       "\"portcullis notify --call-list\".\n",
				       results->before.to_call);
}

static void add_open(GString *text, const struct policy *policy,
		     const struct notify_results *results, const struct open_people *open)
{
	uint64_t failed = results->before.open_failed;

	g_string_append_printf(
		text,
		"\nExpected to come again and break a rule, as of the beginning of the run: "
		"%" PRIu64 " people, of whom %" PRIu64 " had been told before.\n",
		open->all, open->told);
	if (failed > 0)
		g_string_append_printf(text,
				       "The last mail to %" PRIu64 " who break a rule failed: see "
				       "\"portcullis notices --failed\".\n",
				       failed);
	add_help_wanted(text, results);
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (open->by_rule[i] > 0)
			g_string_append_printf(text, "  %-32s %8" PRIu64 "\n",
					       policy->rules[i].title, open->by_rule[i]);
	}
	if (open->all > 0)
		g_string_append(text, "\"portcullis offenders\" lists all who were seen breaking a "
				      "rule, whether they "
				      "are expected again or not, and \"portcullis notices\" what "
				      "they were told.\n");
}

char *notify_report(const struct policy *policy, const struct notify_results *results,
		    const struct open_people *open)
{
	GString *text = g_string_new(NULL);

	add_told(text, results);
	add_rest(text, results);
	add_troubles(text, results);
	add_open(text, policy, results, open);
	return g_string_free(text, FALSE);
}

static char *subject_of(const struct notify_results *results, const struct open_people *open)
{
	uint64_t failed = results->refused + results->later;
	GString *subject = g_string_new(NULL);

	g_string_printf(subject, "Portcullis: %" PRIu64 " told, %" PRIu64 " expected again",
			count_told(results), open->all);
	if (failed > 0)
		g_string_append_printf(subject, ", %" PRIu64 " not handed over", failed);
	return g_string_free(subject, FALSE);
}

bool notify_report_mail(const struct notify_setup *setup, const struct notify_results *results,
			const struct open_people *open, const char *report)
{
	const struct notice_settings *settings = &setup->policy->notices;
	const char *operator= settings->reply_to == NULL ? settings->from : settings->reply_to;
	const char *recipient = setup->to == NULL ? operator: setup->to;
	char message_id[MESSAGE_ID_SIZE], *subject = subject_of(results, open), *mail;
	const char *error = "";
	size_t length;
	bool fine;

	message_id_make(settings->from, message_id);
	mail = notice_compose_plain(setup->composer, recipient, message_id,
				    run_clock_now(&setup->clock), subject, report, &length, &error);
	fine = mail != NULL &&
	       notice_transport_hand_over(setup->transport, settings->from, recipient, mail, length,
					  &error) == HAND_OVER_TAKEN;
	if (!fine)
		fprintf(stderr, "portcullis notify: the summary could not be sent to %s: %s\n",
			recipient, error);
	g_free(subject);
	g_free(mail);
	return fine;
}
