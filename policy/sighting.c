#include "sighting.h"

#include <string.h>

#include "utf8.h"

/* Our own writer of JSON (RFC 8259), because a line is made on the way of a
   login: nothing is allocated, and bytes that are no UTF-8 are mended, which
   JSON libraries refuse to do. */

struct line {
	char *text;
	size_t length;
	bool overflow;
};

/* Bytes of each string that are kept. With six bytes for each at the worst, and
   64 rules, a line stays below SIGHTING_LINE_SIZE; a unit test fills it. */
#define CLIENT_ID_MAX 256
#define SESSION_MAX 128
#define MECHANISM_MAX 64
#define HOST_MAX 64

static void put(struct line *line, const char *text, size_t length)
{
	if (length > SIGHTING_LINE_SIZE - line->length) {
		line->overflow = true;
		return;
	}
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

#define put_literal(line, literal) put(line, literal, sizeof(literal) - 1)

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* At least digits digits. */
static void put_number(struct line *line, unsigned long number, size_t digits)
{
	char text[24];
	size_t start = sizeof(text);

	while (number > 0 || sizeof(text) - start < digits) {
		text[--start] = (char)('0' + number % 10);
		number /= 10;
	}
	put(line, text + start, sizeof(text) - start);
}

static void put_escaped_byte(struct line *line, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	const char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 0xf]};

	put(line, escape, sizeof(escape));
}

static void put_string(struct line *line, const char *text, size_t maximum)
{
	size_t taken = 0;

	put_literal(line, "\"");
	while (*text != '\0') {
		size_t length = utf8_length(text);
		size_t step = length == 0 ? 1 : length;

		if (taken + step > maximum) {
			put_literal(line, "\xe2\x80\xa6"); /* an ellipsis */
			break;
		}
		if (length == 0)
			put_literal(line, "\xef\xbf\xbd"); /* U+FFFD */
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			put_escaped_byte(line, (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			put(line, (const char[]){'\\', *text}, 2);
		else
			put(line, text, length);
		text += step;
		taken += step;
	}
	put_literal(line, "\"");
}

/* RFC 3339, UTC, with milliseconds. */
static void put_time(struct line *line, const struct timespec *time)
{
	struct tm utc;

	if (gmtime_r(&time->tv_sec, &utc) == NULL)
		memset(&utc, 0, sizeof(utc));
	put_literal(line, "\"");
	put_number(line, (unsigned long)(utc.tm_year + 1900), 4);
	put_literal(line, "-");
	put_number(line, (unsigned long)(utc.tm_mon + 1), 2);
	put_literal(line, "-");
	put_number(line, (unsigned long)utc.tm_mday, 2);
	put_literal(line, "T");
	put_number(line, (unsigned long)utc.tm_hour, 2);
	put_literal(line, ":");
	put_number(line, (unsigned long)utc.tm_min, 2);
	put_literal(line, ":");
	put_number(line, (unsigned long)utc.tm_sec, 2);
	put_literal(line, ".");
	put_number(line, (unsigned long)(time->tv_nsec / 1000000), 3);
	put_literal(line, "Z\"");
}

static void put_rules(struct line *line, const struct policy *policy, const struct verdict *verdict)
{
	const char *separator = "\"";

	put_literal(line, "{");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		/* config_load() lets only plain letters into a title. */
		put_text(line, separator);
		put_text(line, policy->rules[i].title);
		put_literal(line, "\":\"");
		put_text(line, phase_name(verdict->phases[i]));
		put_literal(line, "\"");
		separator = ",\"";
	}
	put_literal(line, "}");
}

size_t sighting_format(const struct sighting *sighting, const char *host,
		       char line_r[static SIGHTING_LINE_SIZE])
{
	const struct attempt *attempt = sighting->attempt;
	const struct verdict *verdict = sighting->verdict;
	struct line line = {.text = line_r};
	char client[ADDRESS_TEXT_SIZE];

	address_format(&attempt->client, client);

	put_literal(&line, "{\"time\":");
	put_time(&line, &sighting->time);
	put_literal(&line, ",\"host\":");
	put_string(&line, host, HOST_MAX);
	put_literal(&line, ",\"source\":\"");
	put_text(&line, source_name(attempt->source));
	put_literal(&line, "\",\"user\":");
	put_string(&line, attempt->user, USER_SIZE);
	put_literal(&line, ",\"verified\":");
	put_text(&line, sighting->verified ? "true" : "false");
	put_literal(&line, ",\"action\":\"");
	put_text(&line, verdict->outcome == OUTCOME_ALLOW ? "allow" : "reject");
	put_literal(&line, "\",\"service\":\"");
	put_text(&line, service_name(attempt->service));
	put_literal(&line, "\",\"port\":");
	put_number(&line, attempt->port, 1);
	put_literal(&line, ",\"tls\":\"");
	put_text(&line, tls_state_name(attempt->tls));
	put_literal(&line, "\",\"mechanism\":");
	put_string(&line, attempt->mechanism, MECHANISM_MAX);
	put_literal(&line, ",\"client\":\"");
	put_text(&line, client);
	put_literal(&line, "\",\"country\":\"");
	put_text(&line, verdict->country.code);
	put_literal(&line, "\",\"rules\":");
	put_rules(&line, sighting->policy, verdict);
	put_literal(&line, ",\"client_id\":");
	put_string(&line, attempt->client_id, CLIENT_ID_MAX);
	put_literal(&line, ",\"session\":");
	put_string(&line, attempt->session, SESSION_MAX);
	put_literal(&line, ",\"count\":1}\n");
	return line.overflow ? 0 : line.length;
}
