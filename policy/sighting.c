#include "sighting.h"

#include <string.h>

#include "line-writer.h"
#include "utf8.h"

/* Our own writer of JSON (RFC 8259), because bytes that are no UTF-8 are mended,
   which JSON libraries refuse to do. */

/* Bytes of each string that are kept. With six bytes for each at the worst, and
   64 rules, a line stays below SIGHTING_LINE_SIZE; a unit test fills it. */
#define CLIENT_ID_MAX 256
#define SESSION_MAX 128
#define MECHANISM_MAX 64
#define HOST_MAX 64

/* Writes a character of so many bytes; 0: a byte that is no UTF-8. */
static void put_character(struct line_writer *line, const char *text, size_t length)
{
	unsigned char first = (unsigned char)*text;

	if (length == 0) {
		line_put_text(line, "\xef\xbf\xbd"); /* U+FFFD */
	} else if (first < 0x20 || first == 0x7f) {
		line_put_text(line, "\\u00");
		line_put_hex(line, first);
	} else {
		if (first == '"' || first == '\\')
			line_put_text(line, "\\");
		line_put(line, text, length);
	}
}

static void put_string(struct line_writer *line, const char *text, size_t maximum)
{
	size_t taken = 0;

	line_put_text(line, "\"");
	while (text[taken] != '\0') {
		size_t length = utf8_length(text + taken);
		size_t step = length == 0 ? 1 : length;

		if (taken + step > maximum) {
			line_put_text(line, "\xe2\x80\xa6"); /* an ellipsis */
			break;
		}
		put_character(line, text + taken, length);
		taken += step;
	}
	line_put_text(line, "\"");
}

/* RFC 3339, UTC, with milliseconds. */
static void put_time(struct line_writer *line, const struct timespec *time)
{
	struct tm utc;

	if (gmtime_r(&time->tv_sec, &utc) == NULL)
		memset(&utc, 0, sizeof(utc));
	line_put_text(line, "\"");
	line_put_number(line, (unsigned long)(utc.tm_year + 1900), 4);
	line_put_text(line, "-");
	line_put_number(line, (unsigned long)(utc.tm_mon + 1), 2);
	line_put_text(line, "-");
	line_put_number(line, (unsigned long)utc.tm_mday, 2);
	line_put_text(line, "T");
	line_put_number(line, (unsigned long)utc.tm_hour, 2);
	line_put_text(line, ":");
	line_put_number(line, (unsigned long)utc.tm_min, 2);
	line_put_text(line, ":");
	line_put_number(line, (unsigned long)utc.tm_sec, 2);
	line_put_text(line, ".");
	line_put_number(line, (unsigned long)(time->tv_nsec / 1000000), 3);
	line_put_text(line, "Z\"");
}

static void put_rules(struct line_writer *line, const struct policy *policy,
		      const struct verdict *verdict)
{
	const char *separator = "\"";

	line_put_text(line, "{");
	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((verdict->broken & UINT64_C(1) << i) == 0)
			continue;
		/* config_load() lets only plain letters into a title. */
		line_put_text(line, separator);
		line_put_text(line, policy->rules[i].title);
		line_put_text(line, "\":\"");
		line_put_text(line, phase_name(verdict->phases[i]));
		line_put_text(line, "\"");
		separator = ",\"";
	}
	line_put_text(line, "}");
}

size_t sighting_format(const struct sighting *sighting, const char *host,
		       char line_r[static SIGHTING_LINE_SIZE])
{
	const struct attempt *attempt = sighting->attempt;
	const struct verdict *verdict = sighting->verdict;
	struct line_writer line = {.text = line_r, .size = SIGHTING_LINE_SIZE};
	char client[ADDRESS_TEXT_SIZE];

	address_format(&attempt->client, client);

	line_put_text(&line, "{\"time\":");
	put_time(&line, &sighting->time);
	line_put_text(&line, ",\"host\":");
	put_string(&line, host, HOST_MAX);
	line_put_text(&line, ",\"source\":\"");
	line_put_text(&line, source_name(attempt->source));
	line_put_text(&line, "\",\"user\":");
	put_string(&line, attempt->user, USER_SIZE);
	line_put_text(&line, ",\"verified\":");
	line_put_text(&line, sighting->verified ? "true" : "false");
	line_put_text(&line, ",\"action\":\"");
	line_put_text(&line, verdict->outcome == OUTCOME_ALLOW ? "allow" : "reject");
	line_put_text(&line, "\",\"service\":\"");
	line_put_text(&line, service_name(attempt->service));
	line_put_text(&line, "\",\"port\":");
	line_put_number(&line, attempt->port, 1);
	line_put_text(&line, ",\"tls\":\"");
	line_put_text(&line, tls_state_name(attempt->tls));
	line_put_text(&line, "\",\"mechanism\":");
	put_string(&line, attempt->mechanism, MECHANISM_MAX);
	line_put_text(&line, ",\"client\":\"");
	line_put_text(&line, client);
	line_put_text(&line, "\",\"country\":\"");
	line_put_text(&line, verdict->country.code);
	line_put_text(&line, "\",\"rules\":");
	put_rules(&line, sighting->policy, verdict);
	line_put_text(&line, ",\"client_id\":");
	put_string(&line, attempt->client_id, CLIENT_ID_MAX);
	line_put_text(&line, ",\"session\":");
	put_string(&line, attempt->session, SESSION_MAX);
	line_put_text(&line, ",\"count\":1}\n");
	return line.overflow ? 0 : line.length;
}
