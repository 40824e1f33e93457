/* What a stranger can send to portcullis-policyd, up to the answer and the line of the
   journal. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "policy/decision-log.h"
#include "tests/unit/format-sighting.h"
#include "policy/utf8.h"
#include "postfix-policyd/attempt-from-policy.h"
#include "postfix-policyd/reply.h"

/* A request that came in two pieces is the one that came whole. */
static void in_pieces(const char *bytes, size_t length, size_t whole)
{
	char *copy = fuzz_text((const uint8_t *)bytes, length);
	struct policy_request request;
	const char *error;
	size_t part = length / 2, found;

	found = policy_request_parse(copy, part, 0, &request, &error);
	if (found == 0 && error == NULL) {
		require(memcmp(copy, bytes, part) == 0);
		found = policy_request_parse(copy, length, part, &request, &error);
		require(found == whole);
	}
	free(copy);
}

static void look_at_reply(const struct verdict *verdict)
{
	char reply[REPLY_SIZE];
	size_t length = reply_format(verdict, reply);

	require(length < REPLY_SIZE && reply[length] == '\0');
	require(strcmp(reply + length - 2, "\n\n") == 0);
	reply[length - 2] = '\0';
	require(utf8_is_line(reply));
}

static void look_at_lines(const struct policy *policy, const struct policy_attempt *attempt,
			  const struct verdict *verdict)
{
	const struct sighting sighting = {.attempt = &attempt->attempt,
					  .policy = policy,
					  .verdict = verdict,
					  .verified = attempt->verified};
	char line[SIGHTING_LINE_SIZE], log[DECISION_LOG_SIZE];

	require(format_sighting(&sighting, "mx1", line) > 0);
	for (enum detail detail = DETAIL_ALL; detail <= DETAIL_NOBODY; detail++) {
		size_t length = decision_log_format(&sighting, detail, log);

		require(length < DECISION_LOG_SIZE && log[length] == '\0' && utf8_is_line(log));
	}
}

static void answer(const struct policy_request *request)
{
	const struct edition edition = {.policy = fuzz_policy()};
	struct policy_attempt attempt;
	struct verdict verdict;
	const char *error;

	if (!attempt_from_policy(request, edition.policy, &attempt, &error))
		return;
	require(strlen(attempt.user) < USER_SIZE);
	require(attempt.verified == (*request->sasl_username != '\0'));
	judge(&edition, &attempt.attempt, 1726820102, &verdict);
	look_at_reply(&verdict);
	look_at_lines(edition.policy, &attempt, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_text(data, size);
	struct policy_request request;
	const char *error;
	size_t start = 0, taken;

	while ((taken = policy_request_parse(bytes + start, size - start, 0, &request, &error)) >
	       0) {
		require(taken <= size - start);
		require(strcmp(request.request, "smtpd_access_policy") == 0);
		in_pieces((const char *)data + start, size - start, taken);
		answer(&request);
		start += taken;
	}
	free(bytes);
	return 0;
}
