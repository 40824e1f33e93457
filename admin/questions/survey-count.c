#include "survey-count.h"

struct counting {
	struct survey_rule *rules;
	const struct sighting_judge *judge;

	/* Of the user whose sightings come. */
	int64_t user_id;
	uint64_t broken, untold; /* rules that some way breaks, or does not tell of */
	uint64_t other;          /* that some way does not break */

	unsigned int services; /* that anybody came by */
};

/* A log of one of these has what there is of all of them: they are one server's, Dovecot's. */
#define OF_DOVECOT                                                                                 \
	(SERVICE_BIT(SERVICE_IMAP) | SERVICE_BIT(SERVICE_POP3) | SERVICE_BIT(SERVICE_SIEVE))

static void end_user(struct counting *counting)
{
	for (size_t i = 0; i < counting->judge->edition.policy->rule_count; i++) {
		struct survey_rule *rule = &counting->rules[i];
		bool broken = counting->broken >> i & 1, other = counting->other >> i & 1;

		rule->people += broken;
		rule->locked_out += broken && !other;
		rule->partly += broken && other;
		rule->untold += !broken && (counting->untold >> i & 1);
	}
	counting->broken = counting->untold = counting->other = 0;
}

/* Without a line of the server, nobody knows whether there is nobody. */
static void note_served(struct counting *counting)
{
	const struct policy *policy = counting->judge->edition.policy;
	unsigned int services = counting->services;

	if ((services & OF_DOVECOT) != 0)
		services |= OF_DOVECOT;
	for (size_t i = 0; i < policy->rule_count; i++)
		counting->rules[i].served = (policy->rules[i].services & services) != 0;
}

static bool count(void *context, const struct store_sighting *sighting)
{
	struct counting *counting = context;
	struct sighting_verdict verdict;

	if (!sighting_is_somebodys(sighting))
		return true;
	if (sighting->user_id != counting->user_id) {
		end_user(counting);
		counting->user_id = sighting->user_id;
	}
	counting->services |= SERVICE_BIT(sighting->habit->service);
	verdict = sighting_judge_ask(counting->judge, sighting);
	counting->broken |= verdict.rejecting;
	counting->untold |= verdict.untold;
	counting->other |= ~verdict.rejecting;
	for (uint64_t kept = verdict.kept | verdict.exempt; kept != 0; kept &= kept - 1)
		counting->rules[__builtin_ctzll(kept)].kept++;
	return true;
}

bool survey_count(struct survey_rule rules_r[RULES_MAX], struct store *store,
		  const struct sighting_judge *judge)
{
	const struct store_filter filter = {.verified = true, .names = true};
	struct counting counting = {.rules = rules_r, .judge = judge, .user_id = STORE_NOBODY};

	for (size_t i = 0; i < RULES_MAX; i++)
		rules_r[i] = (struct survey_rule){.considered = judge->considered >> i & 1};
	if (!store_each_sighting(store, &filter, count, &counting))
		return false;
	end_user(&counting);
	note_served(&counting);
	return true;
}

bool survey_rule_is_told(const struct survey_rule *rule)
{
	return rule->people > 0 || rule->kept > 0 || (rule->served && rule->untold == 0);
}

const char *survey_why_not(const struct rule *rule, const struct survey_rule *found)
{
	if (rule->kind == KIND_RELAY)
		return "it is about mail without a login, and only logins are looked at";
	if (!found->served)
		return "the logs are of no server that it is about";
	switch (rule->kind) {
	case KIND_ENCRYPTION:
		return rule->minimum == TLS_VERSION_UNKNOWN
			       ? "the logs do not tell whether there was TLS"
			       : "the logs do not tell versions of TLS";
	case KIND_IMPLICIT_TLS:
	case KIND_SUBMISSION_PORT:
		return "the logs do not tell ports";
	case KIND_COUNTRY:
		return "the logs do not tell where clients were, or no country database does";
	default:
		return "the logs do not tell what it asks for";
	}
}
