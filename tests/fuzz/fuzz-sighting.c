/* What the servers write of an attempt whose names strangers choose is what the importer
   reads, but for what is cut. */

#include "fuzz.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "admin/journal/journal-line.h"
#include "policy/sighting.h"

/* No string that is shorter is cut, even where each byte is escaped. */
#define NEVER_CUT 5

struct bytes {
	const uint8_t *at;
	size_t left;
};

static unsigned int take(struct bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

static uint64_t take_number(struct bytes *bytes, int size)
{
	uint64_t number = 0;

	while (size-- > 0)
		number = number << 8 | take(bytes);
	return number;
}

static void take_address(struct bytes *bytes, struct address *address_r)
{
	*address_r = (struct address){.known = take(bytes) % 4 != 0};
	for (size_t i = 0; address_r->known && i < sizeof(address_r->bytes); i++)
		address_r->bytes[i] = (unsigned char)take(bytes);
}

/* Up to a NUL. */
static char *take_text(struct bytes *bytes)
{
	const uint8_t *end = memchr(bytes->at, '\0', bytes->left);
	size_t length = end == NULL ? bytes->left : (size_t)(end - bytes->at);
	char *text = fuzz_text(bytes->at, length);

	bytes->at += length + (end != NULL);
	bytes->left -= length + (end != NULL);
	return text;
}

/* Each byte that is no UTF-8 is U+FFFD. */
static char *mend(const char *text)
{
	GString *mended = g_string_new(NULL);

	while (*text != '\0') {
		gunichar character = g_utf8_get_char_validated(text, -1);

		if (character == (gunichar)-1 || character == (gunichar)-2) {
			g_string_append_unichar(mended, 0xfffd);
			text++;
		} else {
			g_string_append_unichar(mended, character);
			text = g_utf8_next_char(text);
		}
	}
	return g_string_free(mended, FALSE);
}

static void look_at_text(const char *read, const char *written)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	char *mended = mend(written);
	size_t kept = strlen(read) < 3 ? 0 : strlen(read) - 3;

	if (strcmp(read, mended) != 0) {
		require(strlen(written) > NEVER_CUT && strcmp(read + kept, ellipsis) == 0);
		require(kept < strlen(mended) && memcmp(read, mended, kept) == 0);
	}
	g_free(mended);
}

static void look_at_rules(const struct journal_line *line, const struct verdict *verdict)
{
	const struct policy *policy = fuzz_policy();
	size_t count = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		count += verdict->broken >> i & 1;
	require(line->rule_set.rule_count == count);
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = policy_rule(policy, line->rules[i].title);

		require(rule != NULL && (verdict->broken >> rule->index & 1) == 1);
		require(verdict->phases[rule->index] == line->rules[i].phase);
	}
}

static void look_at_line(const struct journal_line *line, const struct sighting *sighting)
{
	const struct attempt *attempt = sighting->attempt;

	require(line->time ==
		(int64_t)sighting->time.tv_sec * 1000 + sighting->time.tv_nsec / 1000000);
	require(line->habit.source == attempt->source);
	require(line->habit.service == attempt->service);
	require(line->habit.port == attempt->port);
	require(line->habit.tls == attempt->tls);
	require(strcmp(line->habit.country.code, sighting->verdict->country.code) == 0);
	require(line->verified == sighting->verified);
	require(line->rejected == (sighting->verdict->outcome != OUTCOME_ALLOW));
	require(line->client.known == attempt->client.known);
	require(!line->client.known ||
		memcmp(line->client.bytes, attempt->client.bytes, sizeof(line->client.bytes)) == 0);
	look_at_text(line->user, attempt->user);
	look_at_text(line->habit.mechanism, attempt->mechanism);
	look_at_text(line->habit.client_id, attempt->client_id);
	look_at_rules(line, sighting->verdict);
}

/* Nothing that acts on whoever looks at it. */
static void look_at_bytes(const char *line, size_t length)
{
	require(length > 0 && memchr(line, '\n', length) == line + length - 1);
	require(g_utf8_validate(line, (gssize)length, NULL));
	for (const char *at = line; at < line + length - 1; at = g_utf8_next_char(at)) {
		gunichar character = g_utf8_get_char(at);

		require(character >= ' ' && (character < 0x7f || character > 0x9f));
		require(character < 0x202a || character > 0x202e);
		require(character < 0x2066 || character > 0x2069);
	}
}

/* As the writer does it, which may have counted several. */
static void read_back(const struct sighting *sighting, const char *host, unsigned long count,
		      unsigned long lost)
{
	static struct sighting_record record;
	static struct journal_line read;
	struct sighting_line line;
	char text[SIGHTING_LINE_SIZE];
	size_t length;
	const char *error;

	require(sighting_record_make(&record, sighting, host));
	line = sighting_line_of(&record);
	line.count = count;
	line.lost = lost;
	line.edition = record.edition;
	length = sighting_line_format(&line, text);
	look_at_bytes(text, length);
	require(journal_line_parse(text, length - 1, &read, &error));
	look_at_line(&read, sighting);
	look_at_text(read.host, host);
	require(read.count == count && read.lost == lost);
	journal_line_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const countries[] = {"", "DE", "US"};
	struct bytes bytes = {.at = data, .left = size};
	struct attempt attempt = {.source = take(&bytes) % 2,
				  .service = take(&bytes) % SERVICE_COUNT,
				  .tls = take(&bytes) % (TLS_STATE_COUNT),
				  .port = (uint16_t)take_number(&bytes, 2)};
	struct verdict verdict = {.outcome = take(&bytes) % (OUTCOME_REJECT_BEFORE + 1),
				  .broken = take_number(&bytes, 2)};
	struct sighting sighting = {.attempt = &attempt,
				    .policy = fuzz_policy(),
				    .verdict = &verdict,
				    .verified = take(&bytes) % 2 == 1,
				    .edition = "0123456789abcdef"};
	unsigned long count = take_number(&bytes, 4) % UINT32_MAX + 1, lost = take(&bytes);
	char *host, *user, *mechanism, *client_id, *session;

	verdict.broken &= (UINT64_C(1) << sighting.policy->rule_count) - 1;
	for (size_t i = 0; i < sighting.policy->rule_count; i++)
		verdict.phases[i] = take(&bytes) % PHASE_ENFORCE + 1;
	strcpy(verdict.country.code, countries[take(&bytes) % 3]);
	/* To the end of the year 9999. */
	sighting.time.tv_sec = (time_t)(take_number(&bytes, 5) % UINT64_C(253402300800));
	sighting.time.tv_nsec = (long)(take_number(&bytes, 4) % 1000000000);
	take_address(&bytes, &attempt.client);
	attempt.user = user = take_text(&bytes);
	attempt.client_id = client_id = take_text(&bytes);
	attempt.mechanism = mechanism = take_text(&bytes);
	attempt.session = session = take_text(&bytes);
	host = take_text(&bytes);
	read_back(&sighting, host, count, lost);
	free(user);
	free(client_id);
	free(mechanism);
	free(session);
	free(host);
	return 0;
}
