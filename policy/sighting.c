#include "sighting.h"

#include <string.h>

#include "line-writer.h"
#include "utf8.h"

/* Our own writer of JSON (RFC 8259), because bytes that are no UTF-8 are mended,
   which JSON libraries refuse to do. */

/* Bytes of each string that are kept, as they stand in the line: a name of up to
   USER_SIZE may be six times as long. With 64 rules a line stays below
   SIGHTING_LINE_SIZE; a unit test fills it. */
#define USER_MAX ((size_t)6 * USER_SIZE)
#define SESSION_MAX 64
#define MECHANISM_MAX 32
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
	size_t start;

	line_put_text(line, "\"");
	start = line->length;
	while (*text != '\0') {
		size_t before = line->length, length = utf8_length(text);

		put_character(line, text, length);
		if (line->length - start > maximum) {
			line->length = before;
			line_put_text(line, "\xe2\x80\xa6"); /* an ellipsis */
			break;
		}
		text += length == 0 ? 1 : length;
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

/* What strangers can do nothing about, but by where they come to the server. */
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
	line_put_text(line, "\",\"rules\":");
	put_rules(line, sighting->policy, verdict);
	line_put_text(line, ",");
}

/* Each of these writes one part, and returns its length. */

static size_t put_way(struct line_writer *line, const struct sighting *sighting)
{
	size_t start = line->length;

	line_put_text(line, "\"mechanism\":");
	put_string(line, sighting->attempt->mechanism, MECHANISM_MAX);
	line_put_text(line, ",\"country\":\"");
	line_put_text(line, sighting->verdict->country.code);
	line_put_text(line, "\",");
	return line->length - start;
}

static size_t put_member(struct line_writer *line, const char *key, const char *text,
			 size_t maximum)
{
	size_t start = line->length;

	line_put_text(line, key);
	put_string(line, text, maximum);
	line_put_text(line, ",");
	return line->length - start;
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
	record_r->way_length = put_way(&line, sighting);
	record_r->user_length = put_member(&line, "\"user\":", attempt->user,
					   sighting->verified ? USER_MAX : SIGHTING_STRANGER_MAX);
	record_r->program_length =
		put_member(&line, "\"client_id\":", attempt->client_id,
			   sighting->verified ? 2 * SIGHTING_PROGRAM_MAX : SIGHTING_PROGRAM_MAX);
	record_r->session_length = put_member(&line, "\"session\":", attempt->session, SESSION_MAX);
	return !line.overflow;
}

struct sighting_line sighting_line_of(const struct sighting_record *record)
{
	size_t equal_length = record->server_length + record->way_length + record->user_length +
			      record->program_length;

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

struct combining_words sighting_words(const struct sighting_record *record, enum detail detail,
				      char buffer[static COMBINING_WORDS_SIZE])
{
	struct line_writer line = {.text = buffer, .size = COMBINING_WORDS_SIZE};
	size_t length = record->server_length;

	if (detail == DETAIL_ALL)
		return (struct combining_words){record->text,
						sighting_line_of(record).equal_length};
	if (detail == DETAIL_USER)
		length += record->way_length + record->user_length;
	line_put(&line, record->text, length);
	if (detail == DETAIL_NOBODY)
		line_put_text(&line, "\"mechanism\":\"\",\"country\":\"\",\"user\":\"\",");
	line_put_text(&line, "\"client_id\":\"\",");
	return (struct combining_words){buffer, line.length};
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
