/* libFuzzer target: what a stranger can send to portcullis-policyd, up to the
   attempt that is judged. `make fuzz` runs it for a minute. */

#include <stdlib.h>
#include <string.h>

#include "postfix-policyd/attempt-from-policy.h"

static uint16_t implicit_tls_ports[] = {465};
static const struct policy policy = {
	.default_domain = (char *)"example.org",
	.implicit_tls_ports = implicit_tls_ports,
	.implicit_tls_port_count = 1,
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A request that came in two pieces is the one that came whole. */
static void in_pieces(const char *bytes, size_t length, size_t whole)
{
	char *copy = malloc(length + 1);
	struct policy_request request;
	const char *error;
	size_t part = length / 2, found;

	require(copy != NULL);
	memcpy(copy, bytes, length);
	found = policy_request_parse(copy, part, 0, &request, &error);
	if (found == 0 && error == NULL) {
		require(memcmp(copy, bytes, part) == 0);
		found = policy_request_parse(copy, length, part, &request, &error);
		require(found == whole);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_request request;
	struct policy_attempt attempt;
	char *bytes = malloc(size + 1);
	const char *error;
	size_t start = 0, taken;

	require(bytes != NULL);
	memcpy(bytes, data, size);
	while ((taken = policy_request_parse(bytes + start, size - start, 0, &request, &error)) >
	       0) {
		require(taken <= size - start);
		require(strcmp(request.request, "smtpd_access_policy") == 0);
		in_pieces((const char *)data + start, size - start, taken);
		if (attempt_from_policy(&request, &policy, &attempt, &error)) {
			require(strlen(attempt.user) < USER_SIZE);
			require(attempt.verified == (*request.sasl_username != '\0'));
		}
		start += taken;
	}
	free(bytes);
	return 0;
}
