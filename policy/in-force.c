#include "in-force.h"

#include <stdio.h>
#include <string.h>

/* As much as a message has room for besides the rest. */
#define TITLES_SIZE 512

/* "encryption, country", "none", or "encryption and 40 more". */
static void list_enforced(const struct policy *policy, time_t now,
			  char titles_r[static TITLES_SIZE])
{
	size_t length = 0, more = 0;

	titles_r[0] = '\0';
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (schedule_phase(&rule->schedule, now) != PHASE_ENFORCE)
			continue;
		if (more > 0 ||
		    length + strlen(rule->title) + sizeof(", , and 64 more") > TITLES_SIZE)
			more++;
		else
			length += (size_t)sprintf(titles_r + length, "%s%s",
						  length == 0 ? "" : ", ", rule->title);
	}
	if (more > 0)
		sprintf(titles_r + length, " and %zu more", more);
	else if (length == 0)
		strcpy(titles_r, "none");
}

void in_force_post(struct messages *messages, const struct edition *edition, const char *how)
{
	const struct policy *policy = edition->policy;
	char titles[TITLES_SIZE];

	list_enforced(policy, time(NULL), titles);
	messages_post(messages, MESSAGE_INFO, "%s: %s, %zu rule%s, enforced now: %s (edition %s)",
		      policy->file, how, policy->rule_count, policy->rule_count == 1 ? "" : "s",
		      titles, edition->id);
}
