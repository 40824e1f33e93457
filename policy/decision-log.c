#include "decision-log.h"

#include <stdlib.h>
#include <time.h>

#include "line-writer.h"
#include "monotonic-clock.h"
#include "name-budget.h"
#include "repeats.h"

/* Some five thousand lines. */
#define MEMORY ((size_t)2 << 20)

struct decision_log {
	struct messages *messages;
	struct repeats *repeats;
	struct name_budget names;
};

/* ---- one line ---- */

/* fail2ban's stock filters look for words like "auth failed", "password
   mismatch", "rejected" behind a reply code, or "authentication failure". This
   line is about an honest client that is out of date, so it has none of them;
   a test runs the filters over it. */

static const char *outcome_words(const struct sighting *sighting)
{
	enum outcome outcome = sighting->verdict->outcome;

	if (outcome == OUTCOME_ALLOW)
		return "allowed for now";
	/* Nobody is asked for a password. */
	if (sighting->attempt->service == SERVICE_SMTP)
		return "refused";
	/* Whoever has logged in before the daemon is asked has shown it. */
	if (outcome == OUTCOME_REJECT_AFTER || sighting->verified)
		return "refused after the password";
	return "refused before the password";
}

/* A string of a stranger's, with everything escaped that could end a field or a
   line or reach a terminal, and cut when it has taken maximum bytes in the log. */
static void put_quoted(struct line_writer *line, const char *string, size_t maximum)
{
	size_t end = line->length + maximum;

	line_put_text(line, "<");
	for (; *string != '\0' && line->length < end; string++) {
		unsigned char c = (unsigned char)*string;

		if (c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '\\') {
			line_put(line, string, 1);
		} else {
			line_put_text(line, "\\x");
			line_put_hex(line, c);
		}
	}
	line_put_text(line, *string == '\0' ? ">" : "...>");
}

static void put_rules(struct line_writer *line, const struct policy *policy,
		      const struct verdict *verdict)
{
	const char *separator = "";

	line_put_text(line, " rules=");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (!verdict_breaks(verdict, i))
			continue;
		line_put_text(line, separator);
		line_put_text(line, policy->rules[i].title);
		line_put_text(line, ":");
		line_put_text(line, phase_name(verdict->phases[i]));
		separator = ",";
	}
}

size_t decision_log_format(const struct sighting *sighting, bool named,
			   char text_r[static DECISION_LOG_SIZE])
{
	struct line_writer line = {.text = text_r, .size = DECISION_LOG_SIZE - 1};
	const struct attempt *attempt = sighting->attempt;
	char address[ADDRESS_TEXT_SIZE] = "";

	if (named)
		address_format(&attempt->client, address);
	line_put_text(&line, outcome_words(sighting));
	line_put_text(&line, ": user=");
	put_quoted(&line, named ? attempt->user : "", 320);
	line_put_text(&line, " client=");
	line_put_text(&line, address);
	line_put_text(&line, " country=");
	line_put_text(&line, sighting->verdict->country.code);
	line_put_text(&line, " service=");
	line_put_text(&line, service_name(attempt->service));
	line_put_text(&line, " port=");
	line_put_number(&line, attempt->port, 1);
	line_put_text(&line, " tls=");
	line_put_text(&line, tls_state_name(attempt->tls));
	line_put_text(&line, " mechanism=");
	put_quoted(&line, attempt->mechanism, 32);
	put_rules(&line, sighting->policy, sighting->verdict);
	text_r[line.length] = '\0';
	return line.length;
}

/* ---- many lines ---- */

struct decision_log *decision_log_create(struct messages *messages)
{
	struct decision_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->messages = messages;
	log->repeats = repeats_create(MEMORY);
	if (log->repeats == NULL) {
		free(log);
		return NULL;
	}
	return log;
}

static void tell_oldest(struct decision_log *log)
{
	const struct repeat *repeat = repeats_oldest(log->repeats);
	char until[sizeof("2024-09-20T08:15:02Z")];
	struct tm utc;

	if (repeat->count > 0 && gmtime_r(&repeat->last.tv_sec, &utc) != NULL &&
	    strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		messages_post(log->messages, MESSAGE_INFO, "%.*s count=%lu until=%s",
			      (int)repeat->length, repeat->text, repeat->count, until);
	repeats_drop_oldest(log->repeats);
}

void decision_log_free(struct decision_log *log)
{
	if (log == NULL)
		return;
	while (repeats_oldest(log->repeats) != NULL)
		tell_oldest(log);
	repeats_free(log->repeats);
	free(log);
}

void decision_log_tell_due(struct decision_log *log)
{
	while (repeats_oldest_is_due(log->repeats, monotonic_seconds()) &&
	       messages_have_room(log->messages))
		tell_oldest(log);
}

static bool count(struct decision_log *log, const char *text, size_t length,
		  const struct timespec *time, time_t seconds)
{
	return repeats_count(log->repeats, text, length, time, "", monotonic_seconds(), seconds);
}

/* Tells a line, and counts what repeats it within so many seconds. */
static void tell_first(struct decision_log *log, const char *text, size_t length, time_t seconds)
{
	messages_post(log->messages, MESSAGE_INFO, "%s", text);
	if (seconds == 0)
		return;
	while (!repeats_have_room(log->repeats, length))
		tell_oldest(log);
	repeats_add(log->repeats, text, length, monotonic_seconds(), seconds);
}

static void tell_nameless(struct decision_log *log, const struct sighting *sighting)
{
	char text[DECISION_LOG_SIZE];
	size_t length = decision_log_format(sighting, false, text);

	if (!count(log, text, length, &sighting->time,
		   nameless_seconds(sighting->policy->combine_seconds)))
		tell_first(log, text, length, nameless_seconds(sighting->policy->combine_seconds));
}

void decision_log_record(struct decision_log *log, const struct sighting *sighting)
{
	time_t seconds = sighting->policy->combine_seconds;
	char text[DECISION_LOG_SIZE];
	size_t length;

	if (sighting->verdict->broken == 0)
		return;
	decision_log_tell_due(log);
	length = decision_log_format(sighting, true, text);
	if (seconds > 0 && count(log, text, length, &sighting->time, seconds))
		return;
	if (!name_budget_allows(&log->names, sighting->verified,
				sighting->policy->unverified_per_minute)) {
		tell_nameless(log, sighting);
		return;
	}
	name_budget_spend(&log->names, sighting->verified);
	tell_first(log, text, length, seconds);
}
