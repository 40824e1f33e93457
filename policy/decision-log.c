#include "decision-log.h"

#include "line-writer.h"

/* fail2ban's stock filters look for words like "auth failed", "password
   mismatch", "rejected" behind a reply code, or "authentication failure". This
   line is about an honest client that is out of date, so it has none of them;
   a test runs the filters over it. */

static const char *outcome_words(enum outcome outcome, enum service service)
{
	/* Nobody is asked for a password. */
	if (service == SERVICE_SMTP && outcome != OUTCOME_ALLOW)
		return "refused";
	switch (outcome) {
	case OUTCOME_REJECT_BEFORE:
		return "refused before the password";
	case OUTCOME_REJECT_AFTER:
		return "refused after the password";
	case OUTCOME_ALLOW:
		break;
	}
	return "allowed for now";
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
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		line_put_text(line, separator);
		line_put_text(line, policy->rules[i].title);
		line_put_text(line, ":");
		line_put_text(line, phase_name(verdict->phases[i]));
		separator = ",";
	}
}

bool decision_log_format(const struct attempt *attempt, const struct policy *policy,
			 const struct verdict *verdict, char text_r[static DECISION_LOG_SIZE])
{
	struct line_writer line = {.text = text_r, .size = DECISION_LOG_SIZE - 1};
	char address[ADDRESS_TEXT_SIZE];

	if (verdict->broken == 0)
		return false;
	line_put_text(&line, outcome_words(verdict->outcome, attempt->service));
	line_put_text(&line, ": user=");
	put_quoted(&line, attempt->user, 320);
	line_put_text(&line, " client=");
	address_format(&attempt->client, address);
	line_put_text(&line, address);
	line_put_text(&line, " country=");
	line_put_text(&line, verdict->country.code);
	line_put_text(&line, " service=");
	line_put_text(&line, service_name(attempt->service));
	line_put_text(&line, " port=");
	line_put_number(&line, attempt->port, 1);
	line_put_text(&line, " tls=");
	line_put_text(&line, tls_state_name(attempt->tls));
	line_put_text(&line, " mechanism=");
	put_quoted(&line, attempt->mechanism, 32);
	put_rules(&line, policy, verdict);
	text_r[line.length] = '\0';
	return true;
}
