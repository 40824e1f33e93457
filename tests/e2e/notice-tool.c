/* For the tests: composes notices that are described in JSON, and hands mails
   over, with nothing but what the admin tool does it with.

   notice-tool CONFIG compose < notices.json > mail
   notice-tool CONFIG hand-over RECIPIENT... < mail     prints what became of each

   A recipient "-" waits for SIGUSR1. */

#include <glib.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/sightings/device.h"
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
		.whereabouts = text_of(object, "whereabouts", ""),
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

/* All that is read of one notice. */
static struct {
	struct notice_sighting sightings[SIGHTINGS_MAX];
	struct store_habit habits[SIGHTINGS_MAX];
	size_t count;
	struct notice_rule rules[RULES_MAX_HERE];
	struct notice_known_device devices[SIGHTINGS_MAX];
} all;

/* Returns NULL when there are too many. */
static struct notice_sighting *add_sighting(struct devices *devices, const json_t *object,
					    time_t now)
{
	struct notice_sighting *sighting = &all.sightings[all.count];
	struct store_habit *habit = &all.habits[all.count];
	struct store_sighting stored = {.habit = habit};

	if (all.count == SIGHTINGS_MAX)
		return NULL;
	*sighting = sighting_of(object, now);
	*habit = (struct store_habit){.index = all.count++,
				      .service = sighting->service,
				      .tls = sighting->tls,
				      .port = sighting->port,
				      .mechanism = sighting->mechanism,
				      .client_id = sighting->client_id};
	stored.first_seen = (int64_t)date_of(object, "first_seen", sighting->last_seen) * 1000;
	stored.last_seen = (int64_t)sighting->last_seen * 1000;
	stored.days = (uint64_t)json_integer_value(json_object_get(object, "days"));
	sighting->device = devices_add(devices, &stored, 1, 0);
	return sighting;
}

/* False when one is not in the policy, or there are too many. */
static bool read_rules(const struct policy *policy, struct devices *devices, const json_t *list,
		       struct notice *notice)
{
	const json_t *rule, *sighting;
	size_t i, j;

	notice->rules = all.rules;
	json_array_foreach(list, i, rule)
	{
		const struct rule *found = policy_rule(policy, text_of(rule, "rule", ""));

		if (found == NULL || i == RULES_MAX_HERE)
			return false;
		all.rules[i] = (struct notice_rule){
			.rule = found,
			.enforce = date_of(rule, "enforce", found->schedule.enforce),
			.moved_from = date_of(rule, "moved_from", 0),
			.sightings = &all.sightings[all.count]};
		if (found->schedule.brownout_count > 0)
			all.rules[i].brownout = found->schedule.brownouts[0];
		json_array_foreach(json_object_get(rule, "sightings"), j, sighting)
		{
			if (add_sighting(devices, sighting, notice->date) == NULL)
				return false;
			all.rules[i].sighting_count++;
		}
		notice->rule_count++;
	}
	return true;
}

static void set_devices(const struct devices *devices, struct notice *notice)
{
	notice->devices = all.devices;
	notice->device_count = devices_count(devices);
	for (size_t i = 0; i < notice->device_count; i++) {
		const struct device *device = devices_get(devices, i);
		const struct device_record record = devices_record(devices, i, 1);

		all.devices[i].client_id = device->client_id;
		all.devices[i].first_seen = (time_t)(record.bad.first / 1000);
		all.devices[i].days = record.bad_days;
		all.devices[i].rhythm = (time_t)(record.rhythm / 1000);
	}
}

/* Those that are right by now. */
static bool read_changed(struct devices *devices, const json_t *list, time_t now)
{
	const json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
	{
		const struct notice_sighting *sighting = add_sighting(devices, object, now);

		if (sighting == NULL)
			return false;
		all.devices[sighting->device].changed = true;
		all.devices[sighting->device].service = sighting->service;
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
	struct devices *devices = devices_create();
	struct notice_composer *composer;
	const char *error;
	size_t length;
	char *mail;

	if (!notice_reason_from_name(text_of(top, "reason", "first"), &notice.reason) ||
	    !read_rules(policy, devices, json_object_get(top, "rules"), &notice) ||
	    !read_changed(devices, json_object_get(top, "changed"), notice.date))
		return 65;
	set_devices(devices, &notice);
	composer = notice_composer_create(policy, texts);
	mail = notice_compose(composer, &notice, &length, &error);
	if (mail == NULL)
		fprintf(stderr, "%s\n", error);
	else
		fwrite(mail, 1, length, stdout);
	notice_composer_free(composer);
	devices_free(devices);
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

/* Until it has done something with the server, and sends SIGUSR1. */
static void wait_for_test(void)
{
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	puts("waiting");
	fflush(stdout);
	sigwait(&signals, &signal);
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

		if (strcmp(*recipients, "-") == 0) {
			wait_for_test();
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
