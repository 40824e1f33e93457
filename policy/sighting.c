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

/* The code point of a character of two or three bytes. */
static unsigned int code_point(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (length == 2)
		return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
	return (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
}

/* What does something to a terminal, or makes a name look like another one: control
   characters (C0, DEL, C1), line separators, and what changes the direction of text. */
static bool needs_escape(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* Writes a character of so many bytes; 0: a byte that is no UTF-8. */
static void put_character(struct line_writer *line, const char *text, size_t length)
{
	unsigned int code = (unsigned char)*text;

	if (length == 0) {
		line_put_text(line, "\xef\xbf\xbd"); /* U+FFFD */
		return;
	}
	if (length == 2 || length == 3)
		code = code_point(text, length);
	if (length < 4 && needs_escape(code)) {
		line_put_text(line, "\\u");
		line_put_hex(line, (unsigned char)(code >> 8));
		line_put_hex(line, (unsigned char)code);
		return;
	}
	if (code == '"' || code == '\\')
		line_put_text(line, "\\");
	line_put(line, text, length);
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
	line_put_number(line, (unsigned long)utc.tm_year + 1900, 4);
	line_put_text(line, "-");
	line_put_number(line, (unsigned long)utc.tm_mon + 1, 2);
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
		if (!verdict_breaks(verdict, i))
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

/* What the server and the policy say. */
static void put_server(struct line_writer *line, const struct sighting *sighting, const char *host)
{
	const struct attempt *attempt = sighting->attempt;
	const struct verdict *verdict = sighting->verdict;

	line_put_text(line, "\"host\":");
	put_string(line, host, HOST_MAX);
	line_put_text(line, ",\"source\":\"");
	line_put_text(line, source_name(attempt->source));
	line_put_text(line, "\",\"verified\":");
	line_put_text(line, sighting->verified ? "true" : "false");
	line_put_text(line, ",\"action\":\"");
	line_put_text(line, verdict->outcome == OUTCOME_ALLOW ? "allow" : "reject");
	line_put_text(line, "\",\"service\":\"");
	line_put_text(line, service_name(attempt->service));
	line_put_text(line, "\",\"port\":");
	line_put_number(line, attempt->port, 1);
	line_put_text(line, ",\"tls\":\"");
	line_put_text(line, tls_state_name(attempt->tls));
	line_put_text(line, "\",\"mechanism\":");
	put_string(line, attempt->mechanism, MECHANISM_MAX);
	line_put_text(line, ",\"country\":\"");
	line_put_text(line, verdict->country.code);
	line_put_text(line, "\",\"rules\":");
	put_rules(line, sighting->policy, verdict);
	line_put_text(line, ",");
}

bool sighting_record_make(struct sighting_record *record_r, const struct sighting *sighting,
			  const char *host)
{
	const struct attempt *attempt = sighting->attempt;
	struct line_writer line = {.text = record_r->text, .size = sizeof(record_r->text)};

	record_r->time = sighting->time;
	record_r->edition[0] = '\0';
	if (sighting->edition != NULL)
		strncat(record_r->edition, sighting->edition, EDITION_ID_SIZE - 1);
	address_format(&attempt->client, record_r->client);
	record_r->combine_seconds = sighting->policy->combine_seconds;
	record_r->unverified_per_minute = sighting->policy->unverified_per_minute;
	record_r->verified = sighting->verified;
	record_r->breaks_rule = sighting->verdict->broken != 0;

	put_server(&line, sighting, host);
	record_r->server_length = line.length;
	line_put_text(&line, "\"user\":");
	put_string(&line, attempt->user, USER_SIZE);
	line_put_text(&line, ",\"client_id\":");
	put_string(&line, attempt->client_id, CLIENT_ID_MAX);
	line_put_text(&line, ",");
	record_r->person_length = line.length - record_r->server_length;
	line_put_text(&line, "\"session\":");
	put_string(&line, attempt->session, SESSION_MAX);
	line_put_text(&line, ",");
	record_r->session_length = line.length - record_r->server_length - record_r->person_length;
	return !line.overflow;
}

struct sighting_line sighting_line_of(const struct sighting_record *record)
{
	size_t equal_length = record->server_length + record->person_length;

	return (struct sighting_line){
		.equal = record->text,
		.equal_length = equal_length,
		.session = record->text + equal_length,
		.session_length = record->session_length,
		.client = record->client,
		.time = record->time,
		.count = 1,
	};
}

size_t sighting_line_format(const struct sighting_line *line,
			    char text_r[static SIGHTING_LINE_SIZE])
{
	struct line_writer writer = {.text = text_r, .size = SIGHTING_LINE_SIZE};

	line_put_text(&writer, "{\"time\":");
	put_time(&writer, &line->time);
	line_put_text(&writer, ",");
	line_put(&writer, line->equal, line->equal_length);
	line_put(&writer, line->session, line->session_length);
	line_put_text(&writer, "\"client\":\"");
	line_put_text(&writer, line->client);
	line_put_text(&writer, "\",\"count\":");
	line_put_number(&writer, line->count, 1);
	if (line->count > 1) {
		line_put_text(&writer, ",\"until\":");
		put_time(&writer, &line->until);
	}
	if (line->edition != NULL) {
		line_put_text(&writer, ",\"edition\":\"");
		line_put_text(&writer, line->edition);
		line_put_text(&writer, "\"");
	}
	if (line->lost > 0) {
		line_put_text(&writer, ",\"lost\":");
		line_put_number(&writer, line->lost, 1);
	}
	line_put_text(&writer, "}\n");
	return writer.overflow ? 0 : writer.length;
}

size_t sighting_format(const struct sighting *sighting, const char *host,
		       char line_r[static SIGHTING_LINE_SIZE])
{
	struct sighting_record record;
	struct sighting_line line;

	if (!sighting_record_make(&record, sighting, host))
		return 0;
	line = sighting_line_of(&record);
	line.edition = sighting->edition;
	return sighting_line_format(&line, line_r);
}
