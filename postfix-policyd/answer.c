#include "answer.h"

#include "attempt-from-policy.h"

static void record(const struct answerer *answerer, const struct edition *edition,
		   const struct policy_attempt *attempt, const struct verdict *verdict,
		   const struct timespec *now)
{
	const struct sighting sighting = {
		.attempt = &attempt->attempt,
		.policy = edition->policy,
		.edition = edition->id,
		.verdict = verdict,
		.verified = attempt->verified,
		.time = *now,
	};

	if (verdict->broken != 0 && !instances_add(answerer->instances, attempt->attempt.session,
						   attempt->attempt.user, verdict))
		return;
	journal_record(answerer->journal, &sighting);
	decision_log_record(answerer->decisions, &sighting);
}

size_t answer_request(const struct answerer *answerer, const struct policy_request *request,
		      const struct timespec *now, char reply_r[static REPLY_SIZE],
		      const char **error_r)
{
	const struct edition *edition = keeper_current(answerer->keeper);
	struct policy_attempt attempt;
	struct verdict verdict;

	if (!attempt_from_policy(request, edition->policy, &attempt, error_r))
		return 0;
	judge(edition, &attempt.attempt, now->tv_sec, &verdict);
	record(answerer, edition, &attempt, &verdict, now);
	return reply_format(&verdict, reply_r);
}
