#include "decision-log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "combining.h"
#include "line-writer.h"

/* Some five thousand lines. */
#define MEMORY ((size_t)2 << 20)

struct decision_log {
	struct messages *messages;
	struct combining *combining;
};

/* ---- one line ---- */

/* fail2ban's stock filters look for words like "auth failed", "password
   mismatch", "rejected" behind a reply code, or "authentication failure". This
   line is about an honest client that is out of date, so it has none of them;
   a test runs the filters over it. Our own filters read it, from its first word to
   the last: conf-examples/fail2ban and conf-examples/crowdsec. */

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

size_t decision_log_format(const struct sighting *sighting, enum detail detail,
			   char text_r[static DECISION_LOG_SIZE])
{
	struct line_writer line = {.text = text_r, .size = DECISION_LOG_SIZE - 1};
	const struct attempt *attempt = sighting->attempt;
	bool someone = detail != DETAIL_NOBODY;
	char address[ADDRESS_TEXT_SIZE] = "";

	if (detail == DETAIL_ALL)
		address_format(&attempt->client, address);
	line_put_text(&line, outcome_words(sighting));
	line_put_text(&line, ": user=");
	put_quoted(&line, someone ? attempt->user : "", 320);
	line_put_text(&line, " client=");
	line_put_text(&line, address);
	line_put_text(&line, " country=");
	line_put_text(&line, someone ? sighting->verdict->country.code : "");
	line_put_text(&line, " service=");
	line_put_text(&line, service_name(attempt->service));
	line_put_text(&line, " port=");
	line_put_number(&line, attempt->port, 1);
	line_put_text(&line, " tls=");
	line_put_text(&line, tls_state_name(attempt->tls));
	line_put_text(&line, " mechanism=");
	put_quoted(&line, someone ? attempt->mechanism : "", 32);
	put_rules(&line, sighting->policy, sighting->verdict);
	text_r[line.length] = '\0';
	return line.length;
}

/* ---- many lines ---- */

static struct combining_words words(const void *original, enum detail detail,
				    char buffer[static COMBINING_WORDS_SIZE])
{
	return (struct combining_words){buffer, decision_log_format(original, detail, buffer)};
}

static bool tell(void *context, const void *original, enum detail detail,
		 const struct combining_words *words)
{
	(void)original, (void)detail;
	messages_post(context, MESSAGE_INFO, "%.*s", (int)words->length, words->text);
	return true;
}

static bool tell_repeat(void *context, const struct repeat *repeat)
{
	char until[sizeof("2024-09-20T08:15:02Z")];
	struct tm utc;

	if (gmtime_r(&repeat->last.tv_sec, &utc) != NULL &&
	    strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		messages_post(context, MESSAGE_INFO, "%.*s count=%lu until=%s", (int)repeat->length,
			      repeat->text, repeat->count, until);
	return true;
}

struct decision_log *decision_log_create(struct messages *messages)
{
	const struct combining_teller teller = {
		.words = words, .tell = tell, .tell_repeat = tell_repeat, .context = messages};
	struct decision_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->messages = messages;
	log->combining = combining_create(MEMORY, &teller);
	if (log->combining == NULL) {
		free(log);
		return NULL;
	}
	return log;
}

void decision_log_free(struct decision_log *log)
{
	if (log == NULL)
		return;
	combining_tell_all(log->combining);
	combining_free(log->combining);
	free(log);
}

void decision_log_tell_due(struct decision_log *log)
{
	while (combining_is_due(log->combining) && messages_have_room(log->messages))
		combining_tell_due(log->combining);
}

void decision_log_record(struct decision_log *log, const struct sighting *sighting)
{
	if (sighting->verdict->broken == 0)
		return;
	decision_log_tell_due(log);
	combining_take(log->combining,
		       &(const struct combining_attempt){
			       .original = sighting,
			       .user = sighting->attempt->user,
			       .user_length = strlen(sighting->attempt->user),
			       .note = "",
			       .time = sighting->time,
			       .seconds = sighting->policy->combine_seconds,
			       .unverified_per_minute = sighting->policy->unverified_per_minute,
			       .verified = sighting->verified,
		       });
}
