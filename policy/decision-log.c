#include "decision-log.h"

#include <stdio.h>

/* fail2ban's stock filters look for words like "auth failed", "password
   mismatch", "rejected" behind a reply code, or "authentication failure". This
   line is about an honest client that is out of date, so it has none of them;
   a test runs the filters over it. */

static const char *outcome_words(enum outcome outcome)
{
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

/* Appends to text at *length, which never passes size - 1. */
static void append(char *text, size_t size, size_t *length, const char *string)
{
	for (; *string != '\0' && *length + 1 < size; string++)
		text[(*length)++] = *string;
	text[*length] = '\0';
}

#define QUOTED_MAX 320

/* Appends a string of a stranger's, with everything escaped that could end a
   field or a line or reach a terminal, and cut after QUOTED_MAX bytes. */
static void append_quoted(char *text, size_t size, size_t *length, const char *string)
{
	char escaped[sizeof("\\xff")];
	size_t taken = 0;

	append(text, size, length, "<");
	for (; *string != '\0' && taken < QUOTED_MAX; string++, taken++) {
		unsigned char c = (unsigned char)*string;
		bool plain = c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '\\';

		snprintf(escaped, sizeof(escaped), plain ? "%c" : "\\x%02x", c);
		append(text, size, length, escaped);
	}
	append(text, size, length, *string == '\0' ? ">" : "...>");
}

bool decision_log_format(const struct attempt *attempt, const struct policy *policy,
			 const struct verdict *verdict, char text_r[static DECISION_LOG_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];
	char head[128];
	size_t length = 0;
	const char *separator = "";

	if (verdict->broken == 0)
		return false;
	append(text_r, DECISION_LOG_SIZE, &length, outcome_words(verdict->outcome));
	append(text_r, DECISION_LOG_SIZE, &length, ": user=");
	append_quoted(text_r, DECISION_LOG_SIZE, &length, attempt->user);
	address_format(&attempt->client, address);
	snprintf(head, sizeof(head), " client=%s service=%s port=%u tls=%s mechanism=", address,
		 service_name(attempt->service), attempt->port, tls_state_name(attempt->tls));
	append(text_r, DECISION_LOG_SIZE, &length, head);
	append_quoted(text_r, DECISION_LOG_SIZE, &length, attempt->mechanism);
	append(text_r, DECISION_LOG_SIZE, &length, " country=");
	append(text_r, DECISION_LOG_SIZE, &length, verdict->country.code);
	append(text_r, DECISION_LOG_SIZE, &length, " rules=");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		append(text_r, DECISION_LOG_SIZE, &length, separator);
		append(text_r, DECISION_LOG_SIZE, &length, policy->rules[i].title);
		append(text_r, DECISION_LOG_SIZE, &length, ":");
		append(text_r, DECISION_LOG_SIZE, &length, phase_name(verdict->phases[i]));
		separator = ",";
	}
	return true;
}
