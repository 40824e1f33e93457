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

/* Appends a string of a stranger's, with everything escaped that could end a
   field or a line or reach a terminal, and cut after maximum bytes. */
static void append_quoted(char *text, size_t size, size_t *length, const char *string,
			  size_t maximum)
{
	char escaped[sizeof("\\xff")];
	size_t taken = 0;

	append(text, size, length, "<");
	for (; *string != '\0' && taken < maximum; string++, taken++) {
		unsigned char c = (unsigned char)*string;
		bool plain = c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '\\';

		snprintf(escaped, sizeof(escaped), plain ? "%c" : "\\x%02x", c);
		append(text, size, length, escaped);
	}
	append(text, size, length, *string == '\0' ? ">" : "...>");
}

static void append_rules(char *text, size_t size, size_t *length, const struct policy *policy,
			 const struct verdict *verdict)
{
	const char *separator = "";

	append(text, size, length, " rules=");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		append(text, size, length, separator);
		append(text, size, length, policy->rules[i].title);
		append(text, size, length, ":");
		append(text, size, length, phase_name(verdict->phases[i]));
		separator = ",";
	}
}

bool decision_log_format(const struct attempt *attempt, const struct policy *policy,
			 const struct verdict *verdict, char text_r[static DECISION_LOG_SIZE])
{
	const size_t size = DECISION_LOG_SIZE;
	char address[ADDRESS_TEXT_SIZE];
	char fields[256];
	size_t length = 0;

	if (verdict->broken == 0)
		return false;
	append(text_r, size, &length, outcome_words(verdict->outcome));
	append(text_r, size, &length, ": user=");
	append_quoted(text_r, size, &length, attempt->user, 256);
	address_format(&attempt->client, address);
	snprintf(fields, sizeof(fields),
		 " client=%s country=%s service=%s port=%u tls=%s mechanism=", address,
		 verdict->country.code, service_name(attempt->service), attempt->port,
		 tls_state_name(attempt->tls));
	append(text_r, size, &length, fields);
	append_quoted(text_r, size, &length, attempt->mechanism, 32);
	append_rules(text_r, size, &length, policy, verdict);
	return true;
}
