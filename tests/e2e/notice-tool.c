/* For the tests: composes notices that are described in JSON, and hands mails
   over, with nothing but what the admin tool does it with.

   notice-tool CONFIG compose < notices.json > mail
   notice-tool CONFIG hand-over RECIPIENT... < mail     prints what became of each */

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/wording/notice-mail.h"
#include "admin/delivery/notice-transport.h"
#include "policy/config.h"

#define SIGHTINGS_MAX 4096
#define RULES_MAX_HERE 16

static void report(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

static const char *text_of(const json_t *object, const char *key, const char *standard)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? standard : text;
}

static time_t date_of(const json_t *object, const char *key, time_t standard)
{
	const char *text = text_of(object, key, NULL), *error;
	time_t date = standard;

	if (text != NULL && !date_parse(text, &date, &error)) {
		fprintf(stderr, "%s: %s: %s\n", key, text, error);
		exit(65);
	}
	return date;
}

static struct notice_sighting sighting_of(const json_t *object, time_t now)
{
	struct notice_sighting sighting = {
		.client_id = text_of(object, "client_id", ""),
		.mechanism = text_of(object, "mechanism", "PLAIN"),
		.client = text_of(object, "client", ""),
		.port = (uint16_t)json_integer_value(json_object_get(object, "port")),
		.last_seen = date_of(object, "last_seen", now),
		.refused = json_is_true(json_object_get(object, "refused")),
	};

	if (!service_from_name(text_of(object, "service", "imap"), &sighting.service) ||
	    !tls_state_from_name(text_of(object, "tls", "none"), &sighting.tls))
		exit(65);
	snprintf(sighting.country.code, sizeof(sighting.country.code), "%s",
		 text_of(object, "country", ""));
	return sighting;
}

/* False when one is not in the policy, or there are too many. */
static bool read_rules(const struct policy *policy, const json_t *list, struct notice *notice)
{
	static struct notice_sighting sightings[SIGHTINGS_MAX];
	static struct notice_rule rules[RULES_MAX_HERE];
	const json_t *rule, *sighting;
	size_t used = 0, i, j;

	notice->rules = rules;
	json_array_foreach(list, i, rule)
	{
		const struct rule *found = policy_rule(policy, text_of(rule, "rule", ""));

		if (found == NULL || i == RULES_MAX_HERE)
			return false;
		rules[i] = (struct notice_rule){
			.rule = found,
			.enforce = date_of(rule, "enforce", found->schedule.enforce),
			.moved_from = date_of(rule, "moved_from", 0),
			.sightings = &sightings[used]};
		if (found->schedule.brownout_count > 0)
			rules[i].brownout = found->schedule.brownouts[0];
		json_array_foreach(json_object_get(rule, "sightings"), j, sighting)
		{
			if (used == SIGHTINGS_MAX)
				return false;
			sightings[used++] = sighting_of(sighting, notice->date);
			rules[i].sighting_count++;
		}
		notice->rule_count++;
	}
	return true;
}

static int compose_one(const struct policy *policy, const struct notice_texts *texts,
		       const json_t *top)
{
	struct notice notice = {
		.recipient = text_of(top, "recipient", "alice@example.org"),
		.user = text_of(top, "user", "alice@example.org"),
		.message_id = text_of(top, "message_id", "1@example.org"),
		.date = date_of(top, "date", time(NULL)),
		.exempt_until = date_of(top, "exempt_until", 0),
	};
	struct notice_composer *composer;
	const char *error;
	size_t length;
	char *mail;

	if (!notice_reason_from_name(text_of(top, "reason", "first"), &notice.reason) ||
	    !read_rules(policy, json_object_get(top, "rules"), &notice))
		return 65;
	composer = notice_composer_create(policy, texts);
	mail = notice_compose(composer, &notice, &length, &error);
	if (mail == NULL)
		fprintf(stderr, "%s\n", error);
	else
		fwrite(mail, 1, length, stdout);
	notice_composer_free(composer);
	g_free(mail);
	return mail == NULL ? 1 : 0;
}

static int compose(const struct policy *policy, const struct notice_texts *texts)
{
	json_error_t problem;
	json_t *top = json_loadf(stdin, JSON_ALLOW_NUL, &problem);
	int status;

	if (top == NULL) {
		fprintf(stderr, "%s\n", problem.text);
		return 65;
	}
	status = compose_one(policy, texts, top);
	json_decref(top);
	return status;
}

static int hand_over(const struct policy *policy, char **recipients)
{
	static const char *const results[] = {
		[HAND_OVER_TAKEN] = "taken",     [HAND_OVER_LATER] = "later",
		[HAND_OVER_REFUSED] = "refused", [HAND_OVER_UNAVAILABLE] = "unavailable",
		[HAND_OVER_UNKNOWN] = "unknown",
	};
	static char mail[1 << 20];
	struct notice_transport *transport = notice_transport_open(&policy->notices.transport);
	size_t length = fread(mail, 1, sizeof(mail), stdin);

	for (; *recipients != NULL; recipients++) {
		const char *error;
		enum hand_over result;

		/* "-": time for the test to do something with the server. */
		if (strcmp(*recipients, "-") == 0) {
			puts("waiting");
			fflush(stdout);
			sleep(2);
			continue;
		}
		result = notice_transport_hand_over(transport, policy->notices.from, *recipients,
						    mail, length, &error);
		printf("%s %s\n", results[result], error);
		fflush(stdout);
	}
	notice_transport_close(transport);
	return 0;
}

int main(int argc, char **argv)
{
	struct notice_texts *texts = NULL;
	struct policy *policy;
	int status = 64;

	if (argc < 3)
		return status;
	policy = config_load(argv[1], report, NULL, NULL);
	if (policy == NULL)
		return 78;
	if (strcmp(argv[2], "hand-over") == 0) {
		status = hand_over(policy, argv + 3);
	} else if (strcmp(argv[2], "compose") == 0) {
		texts = notice_texts_load(policy, report, NULL);
		status = texts == NULL ? 78 : compose(policy, texts);
	}
	notice_texts_free(texts);
	policy_free(policy);
	return status;
}
