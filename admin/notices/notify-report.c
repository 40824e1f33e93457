#include "notify-report.h"

#include <inttypes.h>

#include "admin/sightings/harmless-text.h"

#define USER_CHARACTERS 80
#define TROUBLE_CHARACTERS 300

uint64_t notify_told(const struct notify_run *run)
{
	uint64_t told = 0;

	for (size_t i = 0; i < NOTICE_REASON_COUNT; i++)
		told += run->counts.told[i];
	return told;
}

char *notify_report_subject(const struct notify_run *run)
{
	uint64_t failed = run->counts.refused + run->counts.later;
	GString *subject = g_string_new(NULL);

	g_string_printf(subject, "Portcullis: %" PRIu64 " told, %" PRIu64 " open", notify_told(run),
			run->counts.open);
	if (failed > 0)
		g_string_append_printf(subject, ", %" PRIu64 " not handed over", failed);
	return g_string_free(subject, FALSE);
}

static void add_number(GString *text, const char *title, uint64_t number)
{
	if (number > 0)
		g_string_append_printf(text, "%-34s %8" PRIu64 "\n", title, number);
}

static void add_told(GString *text, const struct notify_run *run)
{
	static const char *const titles[NOTICE_REASON_COUNT] = {
		[NOTICE_FIRST] = "  for the first time",
		[NOTICE_REMINDER] = "  reminded",
		[NOTICE_LAST_CALL] = "  last calls",
		[NOTICE_BROWNOUT] = "  of a brown-out",
		[NOTICE_REFUSED] = "  after a refused login",
		[NOTICE_FIXED] = "  that all is well again",
	};

	g_string_append_printf(text, "%-34s %8" PRIu64 "\n", "Told", notify_told(run));
	for (size_t i = 0; i < NOTICE_REASON_COUNT; i++)
		add_number(text, titles[i], run->counts.told[i]);
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
		return "mails cannot leave";
	case NOTIFY_INTERRUPTED:
		return "the run was interrupted";
	case NOTIFY_STORE_FAILED:
		return "the store failed";
	case NOTIFY_DONE:
		break;
	}
	return NULL;
}

static void add_rest(GString *text, const struct notify_run *run)
{
	const struct notify_counts *counts = &run->counts;
	uint64_t done = notify_told(run) + counts->refused + counts->later +
			counts->without_address + counts->overtaken;
	const char *reason = stop_reason(run->stop);

	add_number(text, "Refused for good", counts->refused);
	add_number(text, "Not taken now, to be tried again", counts->later);
	add_number(text, "Without an address", counts->without_address);
	if (counts->due > done)
		add_number(text, "Left for the next run", counts->due - done);
	if (reason != NULL)
		g_string_append_printf(text, "  because %s%s%s\n", reason,
				       run->error == NULL ? "" : ": ",
				       run->error == NULL ? "" : run->error);
}

static void add_troubles(GString *text, const struct notify_run *run)
{
	const struct notify_counts *counts = &run->counts;
	uint64_t all = counts->refused + counts->later + counts->without_address;

	if (run->troubles->len == 0)
		return;
	g_string_append(text, "\nNot told:\n");
	for (guint i = 0; i < run->troubles->len; i++) {
		const struct notify_trouble *trouble =
			&g_array_index(run->troubles, struct notify_trouble, i);
		char *user = harmless_text(trouble->user, USER_CHARACTERS);
		char *why = harmless_text(trouble->text, TROUBLE_CHARACTERS);

		g_string_append_printf(text, "  %s: %s\n", user, why);
		g_free(user);
		g_free(why);
	}
	if (all > run->troubles->len)
		g_string_append_printf(text, "  and %" PRIu64 " more\n", all - run->troubles->len);
}

static void add_open(GString *text, const struct notify_run *run)
{
	const struct notify_counts *counts = &run->counts;

	g_string_append_printf(text,
			       "\nStill open when the run began: %" PRIu64
			       " people, of whom %" PRIu64 " had been told before.\n",
			       counts->open, counts->open_told);
	for (size_t i = 0; i < run->policy->rule_count; i++) {
		if (counts->open_by_rule[i] > 0)
			g_string_append_printf(text, "  %-32s %8" PRIu64 "\n",
					       run->policy->rules[i].title,
					       counts->open_by_rule[i]);
	}
	if (counts->open > 0)
		g_string_append(text,
				"\"portcullis offenders\" lists them, and \"portcullis notices\" "
				"what they were told.\n");
}

char *notify_report(const struct notify_run *run)
{
	GString *text = g_string_new(NULL);

	add_told(text, run);
	add_rest(text, run);
	add_troubles(text, run);
	add_open(text, run);
	return g_string_free(text, FALSE);
}
