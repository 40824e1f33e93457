/* Whatever portcullis.conf may hold by mistake, which Dovecot's auth process reads. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "policy/judge.h"

/* What was accepted can be judged by. */
static void use(const struct policy *policy)
{
	const struct edition edition = {.policy = policy};
	struct attempt attempt = {.user = "alice@example.org",
				  .mechanism = "CRAM-MD5",
				  .client_id = "",
				  .session = ""};
	struct verdict verdict;

	require(address_parse("192.0.2.1", &attempt.client));
	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		attempt.source = service < SERVICE_SUBMISSION ? SOURCE_DOVECOT : SOURCE_POSTFIX;
		attempt.service = service;
		judge(&edition, &attempt, 1726820102, &verdict);
		require(verdict.rejecting == NULL || verdict.rejecting->message != NULL);
	}
	for (size_t i = 0; i < policy->rule_count; i++) {
		enum phase phase;
		time_t now = SCHEDULE_ALWAYS;

		for (int changes = 0; now != SCHEDULE_NEVER && changes < 100; changes++) {
			time_t next = schedule_next_change(&policy->rules[i].schedule, now, &phase);

			require(next > now);
			now = next;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fuzz_reports errors = {.file = "portcullis.conf"};
	struct policy *policy =
		config_load_text("portcullis.conf", text, size, fuzz_report, NULL, &errors);

	require((policy == NULL) == (errors.count > 0));
	if (policy != NULL)
		use(policy);
	policy_free(policy);
	free(text);
	return 0;
}
