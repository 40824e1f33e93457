#include "decision-log.h"

#include <string.h>

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

/* Without printf: it would cost more than the decision that is logged. */
struct text {
	char *bytes; /* DECISION_LOG_SIZE of them */
	size_t length;
};

/* Cuts off what has no room. */
static void put(struct text *text, const char *bytes, size_t length)
{
	size_t room = DECISION_LOG_SIZE - 1 - text->length;

	if (length > room)
		length = room;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static void put_text(struct text *text, const char *string)
{
	put(text, string, strlen(string));
}

static void put_port(struct text *text, uint16_t port)
{
	char digits[sizeof("65535") - 1];
	size_t start = sizeof(digits);

	do {
		digits[--start] = (char)('0' + port % 10);
		port /= 10;
	} while (port > 0);
	put(text, digits + start, sizeof(digits) - start);
}

/* A string of a stranger's, with everything escaped that could end a field or a
   line or reach a terminal, and cut so that it takes maximum bytes in the log. */
static void put_quoted(struct text *text, const char *string, size_t maximum)
{
	static const char hex[] = "0123456789abcdef";
	size_t end = text->length + maximum;

	put_text(text, "<");
	for (; *string != '\0' && text->length < end; string++) {
		unsigned char c = (unsigned char)*string;

		if (c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '\\')
			put(text, string, 1);
		else
			put(text, (const char[]){'\\', 'x', hex[c >> 4], hex[c & 0xf]}, 4);
	}
	put_text(text, *string == '\0' ? ">" : "...>");
}

static void put_rules(struct text *text, const struct policy *policy, const struct verdict *verdict)
{
	const char *separator = "";

	put_text(text, " rules=");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		put_text(text, separator);
		put_text(text, policy->rules[i].title);
		put_text(text, ":");
		put_text(text, phase_name(verdict->phases[i]));
		separator = ",";
	}
}

bool decision_log_format(const struct attempt *attempt, const struct policy *policy,
			 const struct verdict *verdict, char text_r[static DECISION_LOG_SIZE])
{
	struct text text = {.bytes = text_r};
	char address[ADDRESS_TEXT_SIZE];

	if (verdict->broken == 0)
		return false;
	put_text(&text, outcome_words(verdict->outcome, attempt->service));
	put_text(&text, ": user=");
	put_quoted(&text, attempt->user, 320);
	put_text(&text, " client=");
	address_format(&attempt->client, address);
	put_text(&text, address);
	put_text(&text, " country=");
	put_text(&text, verdict->country.code);
	put_text(&text, " service=");
	put_text(&text, service_name(attempt->service));
	put_text(&text, " port=");
	put_port(&text, attempt->port);
	put_text(&text, " tls=");
	put_text(&text, tls_state_name(attempt->tls));
	put_text(&text, " mechanism=");
	put_quoted(&text, attempt->mechanism, 32);
	put_rules(&text, policy, verdict);
	text.bytes[text.length] = '\0';
	return true;
}
